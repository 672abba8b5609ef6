/**
 * `npm run test:engine`: makes everything ready and shows engines from their enrolment to their end with real agents in namespaces.
 * `--full` before jest's own arguments builds the image as well and boots it under qemu.
 */
const { spawnSync } = require('node:child_process');
const path = require('node:path');
const {
  ENGINE_PROGRAMS,
  IMAGE_PROGRAMS,
  NETWORK_PROGRAMS,
  ROOT,
  ensureBuild,
  ensureModules,
  ensurePrograms,
  findFaketime,
  prepare,
} = require('./prepare.cjs');

const args = process.argv.slice(2);
const full = args[0] === '--full';
const programs = [
  ...ENGINE_PROGRAMS,
  ...NETWORK_PROGRAMS,
  'tcpdump',
  'mariadb',
  'faketime',
  'bird',
  'gobgp',
  ...(full ? IMAGE_PROGRAMS : []),
];

prepare(ensureModules, () => ensurePrograms(programs), ensureBuild);

const jest = path.join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js');
const config = path.join(ROOT, 'jest.engine.config.cjs');
const env = { ...process.env, SLIPSTREAM_FULL: full ? 'yes' : '', SLIPSTREAM_FAKETIME: findFaketime() };
const jestArgs = [jest, '--config', config, ...(full ? args.slice(1) : args)];
const { status, signal } = spawnSync(process.execPath, jestArgs, { cwd: ROOT, env, stdio: 'inherit' });
process.exitCode = signal ? 130 : (status ?? 1);
