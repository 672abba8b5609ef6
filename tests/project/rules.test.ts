import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { migrations } from '../../migrations/index';

const ROOT = join(__dirname, '../..');
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const tracked = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: ROOT, encoding: 'utf8' })
  .split('\n')
  .filter((file) => file !== '' && existsSync(join(ROOT, file)));
const sources = tracked.filter((file) => /^(api|driver|migrations)\/.*\.ts$/.test(file) && !file.endsWith('.gen.ts'));

it('keeps to the import table', () => {
  const modules = ['api', 'driver', 'migrations', 'tests', 'devstack'];
  const depcruise = join(ROOT, 'node_modules/.bin/depcruise');
  expect(() =>
    execFileSync(depcruise, ['--config', '.dependency-cruiser.cjs', ...modules], { cwd: ROOT }),
  ).not.toThrow();
}, 60_000);

it('has no source file of more than 350 lines, but for the one list of all row types', () => {
  const long = sources.filter((file) => file !== 'driver/db/rows.ts' && read(file).split('\n').length > 351);
  expect(long).toEqual([]);
});

it('has types of the API that are what its document says', () => {
  const args = ['devstack/generate-types.cjs', '--check'];
  expect(() => execFileSync(process.execPath, args, { cwd: ROOT })).not.toThrow();
}, 60_000);

it('leaves nothing for later in its sources', () => {
  const marked = sources.filter((file) => /\b(?:TODO|FIXME|XXX)\b/.test(read(file)));
  expect(marked).toEqual([]);
});

it('skips no test', () => {
  const skip = new RegExp(['\\b(?:it|test|describe)\\.(?:skip|only|todo)\\b', '\\bx(?:it|describe)\\('].join('|'));
  const skipping = tracked.filter(
    (file) => /\.(?:test|suite|peer|drill|traffic|cloud|engine|fabric)\.ts$/.test(file) && skip.test(read(file)),
  );
  expect(skipping).toEqual([]);
});

it('pins every package exactly, and says so in its lockfile', () => {
  const { dependencies, devDependencies } = JSON.parse(read('package.json'));
  const lock = JSON.parse(read('package-lock.json')).packages[''];
  expect({ ...lock.dependencies, ...lock.devDependencies }).toEqual({ ...dependencies, ...devDependencies });
  for (const version of Object.values({ ...dependencies, ...devDependencies }))
    expect(version).toMatch(/^\d+\.\d+\.\d+$/);
});

it('names its migrations by number, in their order', () => {
  const names = migrations.map(({ name }) => name);
  expect(names).toEqual([...names].sort());
  for (const [index, name] of names.entries())
    expect(name.startsWith(`${String(index + 1).padStart(4, '0')}_`)).toBe(true);
});

describe('documents', () => {
  const adrs = tracked.filter((file) => /^docs\/adr\/\d{4}-.*\.md$/.test(file));

  it('list every decision, and each has context, decision and consequences on a page', () => {
    const index = read('docs/adr/README.md');
    expect(adrs.length).toBeGreaterThan(0);
    for (const file of adrs) {
      expect(index).toContain(`(${file.replace('docs/adr/', '')})`);
      const headings = [...read(file).matchAll(/^#+ .*$/gm)].map(([heading]) => heading);
      expect(headings[0]).toMatch(/^# \d+\. /);
      expect(headings.slice(1)).toEqual(['## Context', '## Decision', '## Consequences']);
      expect(read(file).split('\n').length).toBeLessThan(60);
    }
  });

  it('link only to files that exist', () => {
    const broken = tracked
      .filter((file) => file.endsWith('.md'))
      .flatMap((file) =>
        [...read(file).matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, target = '']) => join(file, '..', target)),
      )
      .filter((target) => !existsSync(join(ROOT, target)));
    expect(broken).toEqual([]);
  });

  it('name only npm scripts that exist', () => {
    const { scripts } = JSON.parse(read('package.json'));
    const named = ['README.md', 'CONTRIBUTING.md'].flatMap((file) =>
      [...read(file).matchAll(/`npm run ([\w:]+)/g)].map(([, name = '']) => name),
    );
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });
});
