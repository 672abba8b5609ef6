import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ss-count-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function count(...results: readonly object[]) {
  const files = results.map((result, index) => {
    const file = join(folder, `${index}.json`);
    writeFileSync(file, JSON.stringify(result));
    return file;
  });
  const script = join(__dirname, '../../devstack/count-tests.cjs');
  const { status, stdout } = spawnSync(process.execPath, [script, ...files], { encoding: 'utf8' });
  return { status, stdout };
}

it('adds up results, and counts a suite that could not run as a failure', () => {
  const good = { numPassedTests: 3, numFailedTests: 0, numRuntimeErrorTestSuites: 0 };
  const bad = { numPassedTests: 4, numFailedTests: 1, numRuntimeErrorTestSuites: 1 };

  expect(count(good)).toEqual({ status: 0, stdout: '3 passed, 0 failed\n' });
  expect(count(good, bad)).toEqual({ status: 1, stdout: '7 passed, 2 failed\n' });
});

it('takes results that are not there for a failure', () => {
  const script = join(__dirname, '../../devstack/count-tests.cjs');
  const { status, stdout } = spawnSync(process.execPath, [script, join(folder, 'none.json')], { encoding: 'utf8' });
  expect([status, stdout]).toEqual([1, '0 passed, 1 failed\n']);
});
