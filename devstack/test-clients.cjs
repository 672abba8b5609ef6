/**
 * `npm run test:clients`: makes everything ready and runs what drives the API by programs of others: every command of the
 * `openstack` clients and schemathesis. `--full` before jest's own arguments lets schemathesis run for minutes.
 */
const { spawnSync } = require('node:child_process');
const path = require('node:path');
const {
  ENGINE_PROGRAMS,
  ROOT,
  ensureBuild,
  ensureModules,
  ensurePrograms,
  ensureVenv,
  prepare,
} = require('./prepare.cjs');

const args = process.argv.slice(2);
const full = args[0] === '--full';
const env = { ...process.env, SLIPSTREAM_FULL: full ? 'yes' : '' };

prepare(
  ensureModules,
  () => ensurePrograms([...ENGINE_PROGRAMS, 'openstack', 'octaviaclient', 'venv']),
  () => ensureVenv('clients', 'tests/interop/clients/requirements.txt'),
  () => ensureVenv('schemathesis', 'tests/interop/schemathesis/requirements.txt'),
  ensureBuild,
);

const jest = path.join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js');
const config = path.join(ROOT, 'jest.clients.config.cjs');
const jestArgs = [jest, '--config', config, ...(full ? args.slice(1) : args)];
const { status, signal } = spawnSync(process.execPath, jestArgs, { cwd: ROOT, env, stdio: 'inherit' });
process.exitCode = signal ? 130 : (status ?? 1);
