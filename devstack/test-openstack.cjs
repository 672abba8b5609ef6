/**
 * `npm run test:openstack`: brings the lab of setup-devstack.sh up, or takes one that is up, runs what is proven against a
 * real OpenStack, and takes the lab down again if it was not there before. `--keep` before jest's own arguments leaves it
 * running; `--full`, first of all, also has engines lost in many ways. SLIPSTREAM_LAB names another directory than var/lab,
 * SLIPSTREAM_LAB_PORTS another first port.
 */
const { spawnSync } = require('node:child_process');
const { existsSync } = require('node:fs');
const path = require('node:path');
const {
  ENGINE_PROGRAMS,
  NETWORK_PROGRAMS,
  ROOT,
  ensureBuild,
  ensureModules,
  ensurePrograms,
  prepare,
} = require('./prepare.cjs');
const { ensureProvider } = require('./build-terraform.cjs');
const { ensureGophercloud } = require('./build-gophercloud.cjs');

const given = process.argv.slice(2);
const full = given[0] === '--full';
const args = full ? given.slice(1) : given;
const keep = args[0] === '--keep';
const state = process.env.SLIPSTREAM_LAB ?? path.join(ROOT, 'var', 'lab');
const wasThere = existsSync(path.join(state, 'settings'));

prepare(
  ensureModules,
  () =>
    ensurePrograms([
      ...ENGINE_PROGRAMS,
      ...NETWORK_PROGRAMS,
      'openstack',
      'octaviaclient',
      'octaviaapi',
      'chromium',
      'fonts',
    ]),
  ensureProvider,
  ensureGophercloud,
  ensureBuild,
);

let status = runLab();
if (status === 0) status = runTests(keep ? args.slice(1) : args);
if (!keep && !wasThere) status = runLab('--down') || status;
process.exitCode = status;

function runLab(...more) {
  const ports = process.env.SLIPSTREAM_LAB_PORTS;
  const where = ['--state', state, ...(ports && more.length === 0 ? ['--port-base', ports] : [])];
  return run(path.join(ROOT, 'setup-devstack.sh'), [...where, ...more], 2);
}

function runTests(jestArgs) {
  const jest = path.join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js');
  const config = path.join(ROOT, 'jest.openstack.config.cjs');
  return run(process.execPath, [jest, '--config', config, ...jestArgs], 'inherit');
}

/** What the lab prints is not the output of the tests. */
function run(program, programArgs, stdout) {
  const env = { ...process.env, SLIPSTREAM_LAB: state, SLIPSTREAM_FULL: full ? 'yes' : '' };
  const { status, signal } = spawnSync(program, programArgs, { cwd: ROOT, env, stdio: ['inherit', stdout, 'inherit'] });
  return signal ? 130 : (status ?? 1);
}
