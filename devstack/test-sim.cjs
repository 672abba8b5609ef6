/** `npm run test:sim`: simulated clouds of several seeds; what is untrue at any step fails. Needs no program but Node. */
const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { ROOT, ensureModules, prepare } = require('./prepare.cjs');

prepare(ensureModules);

const jest = path.join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js');
const config = path.join(ROOT, 'jest.sim.config.cjs');
const jestArgs = [jest, '--config', config, ...process.argv.slice(2)];
const { status, signal } = spawnSync(process.execPath, jestArgs, { cwd: ROOT, stdio: 'inherit' });
process.exitCode = signal ? 130 : (status ?? 1);
