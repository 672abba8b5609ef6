/**
 * `npm test`: makes everything ready and runs all tests. `--unit` before jest's own arguments runs those that need no
 * program but Node.
 */
const { spawnSync } = require('node:child_process');
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

/** Suites that run real daemons or the built program. */
const WITH_SERVICES = [
  'tests/scenarios/',
  'tests/cli/',
  'tests/agent/',
  'tests/golden/',
  'tests/clouds/openstack',
  'tests/clouds/compute/',
  'tests/interop/',
  'tests/bus/amqp/broker',
  'tests/devstack/',
  'tests/docs/',
];

const SERVICES = ['mariadb', 'rabbitmq', 'openstack', 'octaviaclient'];
/** What tests of shell scripts run. */
const SHELL = ['shellcheck', 'curl', 'xz'];

const args = process.argv.slice(2);
const unit = args[0] === '--unit';
const jestArgs = unit ? [`--testPathIgnorePatterns=${WITH_SERVICES.join('|')}`, ...args.slice(1)] : args;
const env = unit ? { ...process.env, SLIPSTREAM_TEST_SERVICES: 'none' } : process.env;

if (unit) prepare(ensureModules);
else
  prepare(
    ensureModules,
    () => ensurePrograms([...ENGINE_PROGRAMS, ...NETWORK_PROGRAMS, ...SERVICES, ...SHELL]),
    ensureBuild,
  );

const jest = path.join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js');
const { status, signal } = spawnSync(process.execPath, [jest, ...jestArgs], { cwd: ROOT, env, stdio: 'inherit' });
process.exitCode = signal ? 130 : (status ?? 1);
