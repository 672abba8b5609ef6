import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(__dirname, '../../devstack');
const scripts = [
  'plugin.sh',
  'settings',
  'override-defaults',
  'build-se-image.sh',
  ...readdirSync(FOLDER).filter((name) => /^lib-.*\.sh$/.test(name)),
];

it('has nothing that shellcheck objects to', () => {
  expect(() =>
    execFileSync('shellcheck', ['--shell=bash', '--severity=warning', ...scripts], { cwd: FOLDER, encoding: 'utf8' }),
  ).not.toThrow();
});

it('lets local.conf override every setting', () => {
  const assigned = readFileSync(join(FOLDER, 'settings'), 'utf8').match(/^SLIPSTREAM_\w+=.*$/gm) ?? [];

  expect(assigned.length).toBeGreaterThan(15);
  for (const line of assigned) {
    const [, name, value = ''] = /^(\w+)=(.*)$/.exec(line) ?? [];
    expect(value).toContain(`\${${name}:-`);
  }
});

it('explains every setting that has its own name', () => {
  const readme = readFileSync(join(FOLDER, 'README.md'), 'utf8');
  const names = [...readFileSync(join(FOLDER, 'settings'), 'utf8').matchAll(/^(SLIPSTREAM_\w+)=/gm)].map(
    ([, name]) => name,
  );
  expect(names.filter((name) => !readme.includes(`\`${name}\``))).toEqual([]);
});
