/**
 * `npm run test:fabric`: makes everything ready and proves by packets how VIPs are wired into Contrail, on a fabric of network
 * namespaces. `-- faults` runs the catalogue of faults alone; `--full` before jest's own arguments takes the long forms.
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

const args = process.argv.slice(2);
const full = args[0] === '--full';
const programs = [...ENGINE_PROGRAMS, ...NETWORK_PROGRAMS, 'conntrack', 'tcpdump', 'bird', 'gobgp'];

prepare(ensureModules, () => ensurePrograms(programs), ensureBuild);

const jest = path.join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js');
const config = path.join(ROOT, 'jest.fabric.config.cjs');
const env = { ...process.env, SLIPSTREAM_FULL: full ? 'yes' : '' };
const jestArgs = [jest, '--config', config, ...(full ? args.slice(1) : args)];
const { status, signal } = spawnSync(process.execPath, jestArgs, { cwd: ROOT, env, stdio: 'inherit' });
process.exitCode = signal ? 130 : (status ?? 1);
