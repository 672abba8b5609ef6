/**
 * `npm run test:chaos`: makes everything ready, puts a whole control plane of separate processes into trouble after
 * trouble, and prints what was lost, what is stuck and how long recovery took. `--full` before jest's own arguments takes
 * the long forms: a minute without broker or workers, and every point of a reconcile.
 */
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { ROOT, ensureBuild, ensureModules, ensurePrograms, findFaketime, prepare } = require('./prepare.cjs');

const args = process.argv.slice(2);
const full = args[0] === '--full';

prepare(ensureModules, () => ensurePrograms(['mariadb', 'rabbitmq', 'faketime']), ensureBuild);

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ss-drills-'));
const report = path.join(folder, 'report');
fs.writeFileSync(report, '');
const env = {
  ...process.env,
  SLIPSTREAM_FULL: full ? 'yes' : '',
  SLIPSTREAM_CHAOS_REPORT: report,
  SLIPSTREAM_FAKETIME: findFaketime() ?? '',
};
const jest = path.join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js');
const config = path.join(ROOT, 'jest.chaos.config.cjs');
const jestArgs = [jest, '--config', config, '--runInBand', ...(full ? args.slice(1) : args)];
const { status, signal } = spawnSync(process.execPath, jestArgs, { cwd: ROOT, env, stdio: 'inherit' });

const findings = fs
  .readFileSync(report, 'utf8')
  .split('\n')
  .filter(Boolean)
  .map((line) => JSON.parse(line));
fs.rmSync(folder, { recursive: true, force: true });
const sum = (key) => findings.reduce((total, finding) => total + finding[key], 0);
const longest = findings.reduce((most, it) => (it.recovery > most.recovery ? it : most), { recovery: 0, drill: '-' });
for (const { drill, operations, lost, stuck, recovery } of findings) {
  console.log(`${drill}: ${operations} operations, ${lost} lost, ${stuck} stuck, at rest after ${recovery} ms`);
}
console.log(
  `${sum('operations')} operations: ${sum('lost')} lost, ${sum('stuck')} stuck; longest recovery ${longest.recovery} ms (${longest.drill})`,
);
process.exitCode = signal ? 130 : (status ?? 1);
