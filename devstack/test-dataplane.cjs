/**
 * `npm run test:dataplane`: makes everything ready and proves every setting of the API by traffic, through whole sites.
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

prepare(ensureModules, () => ensurePrograms([...ENGINE_PROGRAMS, ...NETWORK_PROGRAMS]), ensureBuild);

const jest = path.join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js');
const config = path.join(ROOT, 'jest.dataplane.config.cjs');
const jestArgs = [jest, '--config', config, ...process.argv.slice(2)];
const { status, signal } = spawnSync(process.execPath, jestArgs, { cwd: ROOT, stdio: 'inherit' });
process.exitCode = signal ? 130 : (status ?? 1);
