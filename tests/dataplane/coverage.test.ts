import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NAMED_WITHOUT, reasonsWithout } from './meaningless';
import { settingsOfDocument } from './settings';
import { TABLE } from './table';

const settings = settingsOfDocument();
const proven = new Set<string>(
  Object.values(TABLE)
    .flat()
    .flatMap(({ proves }) => proves),
);
const without = reasonsWithout(settings);

/** What `npm run test:dataplane` runs, held against what the API takes. */
describe('the table of settings', () => {
  it('has a row for each setting of the API document, or a reason why there is none', () => {
    expect([...settings].filter((setting) => !proven.has(setting) && !without.has(setting))).toEqual([]);
  });

  it('names no setting that the API does not have', () => {
    // A graph takes what a POST takes; only what ties its objects together is a setting of its own.
    expect([...proven].filter((setting) => !settings.has(setting))).toEqual([]);
    expect(NAMED_WITHOUT.filter((setting) => !settings.has(setting))).toEqual([]);
  });

  it('excuses nothing that a row proves', () => {
    expect([...without.keys()].filter((setting) => proven.has(setting))).toEqual([]);
  });

  it('is run: each part of it by the suite of its name', () => {
    const suites = Object.keys(TABLE).map((name) => `${name}.traffic.ts`);
    expect(readdirSync(__dirname)).toEqual(expect.arrayContaining(suites));
    for (const suite of suites) {
      const name = suite.slice(0, suite.indexOf('.'));
      expect(readFileSync(join(__dirname, suite), 'utf8')).toContain(`TABLE.${name},`);
    }
  });

  it('has no two rows of one title', () => {
    for (const rows of Object.values(TABLE)) {
      const titles = rows.map(({ title }) => title);
      expect(titles).toEqual([...new Set(titles)]);
    }
  });
});
