/**
 * `npm run test:interop`: makes everything ready and runs what speaks to programs of others over a real broker: Debian's
 * oslo.messaging, in both directions, and octavia-lib at the sockets of the driver agent, and
 * the database of a real Octavia.
 */
const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { ROOT, ensureModules, ensurePrograms, prepare } = require('./prepare.cjs');

const PROGRAMS = ['rabbitmq', 'mariadb', 'oslo', 'octavialib', 'octaviaapi', 'uwsgi', 'uwsgipython'];

prepare(ensureModules, () => ensurePrograms(PROGRAMS));

const jest = path.join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js');
const config = path.join(ROOT, 'jest.interop.config.cjs');
const jestArgs = [jest, '--config', config, ...process.argv.slice(2)];
const { status, signal } = spawnSync(process.execPath, jestArgs, { cwd: ROOT, stdio: 'inherit' });
process.exitCode = signal ? 130 : (status ?? 1);
