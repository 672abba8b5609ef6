import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { createProgram } from '../../driver/cli/program';
import { loadConfig } from '../../driver/config/load';

const ROOT = join(__dirname, '../..');
const PAGES = [
  'docs/engines.md',
  'docs/placement.md',
  'docs/clients/README.md',

  'docs/install.md',
  'docs/migrate-from-octavia.md',
  'docs/operations.md',
  'devstack/README.md',
  'README.md',
];
const read = (page: string): string => readFileSync(join(ROOT, page), 'utf8');

/** The blocks of a page that are in this language, without the indent they stand in. */
function blocksOf(page: string, language: string): string[] {
  const fences = new RegExp(`^( *)\`\`\`${language}\\n([\\s\\S]*?)^ *\`\`\`$`, 'gm');
  return [...read(page).matchAll(fences)].map(([, indent = '', block = '']) =>
    block.replace(new RegExp(`^${indent}`, 'gm'), ''),
  );
}

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'slipstream-docs-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

it('shows configurations that are taken whole, also with the lines for engines', () => {
  const blocks = PAGES.flatMap((page) => blocksOf(page, 'ini'));
  expect(blocks.length).toBeGreaterThan(0);
  for (const block of blocks) {
    const file = join(folder, 'slipstream.conf');
    writeFileSync(file, block);
    expect(loadConfig({ files: [file] }).warnings).toEqual([]);
    writeFileSync(file, block.replace(/^# (amp_\w+ = )/gm, '$1'));
    expect(loadConfig({ files: [file] }).warnings).toEqual([]);
  }
});

it('ships a sample configuration that is taken whole', () => {
  expect(loadConfig({ files: [join(ROOT, 'devstack/etc/slipstream.conf')] }).warnings).toEqual([]);
});

it('shows a configuration of haproxy that haproxy takes', () => {
  const [block = ''] = blocksOf('docs/install.md', 'haproxy');
  const certificate = join(folder, 'site.pem');
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=x', '-days', '2'];
  execFileSync('openssl', [...request, '-keyout', `${certificate}.key`, '-out', certificate], { stdio: 'pipe' });
  const file = join(folder, 'haproxy.cfg');
  const timeouts = 'defaults\n    timeout connect 5s\n    timeout client 60s\n    timeout server 60s\n';
  writeFileSync(file, timeouts + block.replace(/crt \S+/, `crt ${certificate}`));

  expect(() => execFileSync('haproxy', ['-c', '-f', file], { stdio: 'pipe' })).not.toThrow();
});

it('shows shell that bash can read', () => {
  const blocks = PAGES.flatMap((page) => blocksOf(page, 'sh'));
  expect(blocks.length).toBeGreaterThan(5);
  for (const block of blocks) expect(() => execFileSync('bash', ['-n', '-c', block], { stdio: 'pipe' })).not.toThrow();
});

it('names only commands and options of slipstream that exist', () => {
  const program = createProgram(() => undefined);
  const shown = PAGES.flatMap((page) =>
    [...read(page).matchAll(/(?:^|[`\s;])slipstream ([a-z][\w-]*(?: [a-z][\w-]*)?)([^`\n|]*)/gm)]
      .map(([, words = '', rest = '']) => ({ page, words, rest }))
      .filter(({ words }) => program.commands.some((command) => command.name() === words.split(' ')[0])),
  );
  expect(shown.length).toBeGreaterThan(10);
  expect(shown.flatMap((usage) => findUnknown(program, usage))).toEqual([]);
});

function findUnknown(program: Command, { page, words, rest }: { page: string; words: string; rest: string }): string[] {
  const [first, second] = words.split(' ');
  const group = program.commands.find((command) => command.name() === first);
  if (!group || group.commands.length === 0 || second === undefined) return [];
  const command = group.commands.find((one) => one.name() === second);
  if (!command) return [`${page}: slipstream ${words}`];
  const options = [...rest.matchAll(/ (--[a-z][\w-]*)/g)].map(([, option = '']) => option);
  const known = command.options.flatMap(({ long }) => long ?? []);
  return options.filter((option) => !known.includes(option)).map((option) => `${page}: slipstream ${words} ${option}`);
}
