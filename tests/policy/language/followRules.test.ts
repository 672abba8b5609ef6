import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino, { type Logger } from 'pino';
import { type FollowedRules, type FollowedRulesDeps, followRules } from '../../../api/policy/language/followRules';
import { waitUntil } from '../../support/simulators/waitUntil';

const DEFAULTS = { read: 'role:reader', write: 'role:member', owner: 'project_id:%(project_id)s' };

let directory: string;
let opened: FollowedRules[];
let lines: { level: number; msg: string; err?: { message: string }; rules?: string[] }[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'policy-'));
  opened = [];
  lines = [];
});

afterEach(async () => {
  await Promise.all(opened.map((policy) => policy.close()));
  await rm(directory, { recursive: true });
});

function logger(): Logger {
  return pino({ level: 'debug' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
}

async function open(deps: Partial<FollowedRulesDeps> = {}): Promise<FollowedRules> {
  const files = [join(directory, 'policy.yaml')];
  const policy = await followRules({ defaults: DEFAULTS, files, log: logger(), lookEvery: 5, ...deps });
  opened.push(policy);
  return policy;
}

function put(name: string, text: string): Promise<void> {
  return writeFile(join(directory, name), text);
}

function allows(policy: FollowedRules, name: string, roles: string[]): boolean {
  return policy.rules().check(name, { project_id: 'p' }, { roles, project_id: 'p' });
}

it('holds the defaults where there is no file', async () => {
  const policy = await open();

  expect(allows(policy, 'read', ['reader'])).toBe(true);
  expect(allows(policy, 'write', ['reader'])).toBe(false);
});

it('overrides single rules from YAML, in texts of several lines and in lists', async () => {
  await put('policy.yaml', '"write": "role:writer or\n  role:boss"\nread:\n  - ["role:a", "rule:owner"]\n');
  const policy = await open();

  expect(allows(policy, 'write', ['boss'])).toBe(true);
  expect(allows(policy, 'write', ['member'])).toBe(false);
  expect(allows(policy, 'read', ['a'])).toBe(true);
  expect(allows(policy, 'owner', [])).toBe(true);
});

it.each([
  ['JSON', '{"write": "@"}'],
  ['an empty file', '# nothing yet\n'],
])('reads %s', async (_what, text) => {
  await put('policy.yaml', text);

  expect(allows(await open(), 'write', [])).toBe(text.startsWith('{'));
});

it('reads directories after the files, by name, and nothing in them that is not a policy', async () => {
  await mkdir(join(directory, 'policy.d'));
  await put('policy.yaml', 'write: "!"');
  await put('policy.d/20.yaml', 'write: "role:twenty"');
  await put('policy.d/10.json', '{"write": "role:ten", "read": "role:ten"}');
  await put('policy.d/.30.yaml.swp', 'garbage: [');
  const policy = await open({ directories: [join(directory, 'policy.d'), join(directory, 'absent')] });

  expect(allows(policy, 'write', ['twenty'])).toBe(true);
  expect(allows(policy, 'write', ['ten'])).toBe(false);
  expect(allows(policy, 'read', ['ten'])).toBe(true);
});

it.each([
  ['no YAML', 'write: [', /policy\.yaml: /],
  ['a list', '- a\n- b\n', /policy\.yaml: the file must map names to rules/],
  ['a rule that is a number', 'write: 7', /policy\.yaml: rule "write" must be a text/],
  ['a rule that cannot be read', 'write: "role:a role:b"', /rule "write": .*"role:b" is not expected there/],
  ['the same rule twice', 'write: "@"\nwrite: "!"\n', /policy\.yaml: .*unique/],
  ['a circle', 'write: "rule:read"\nread: "rule:write"\n', /refer to each other: read -> write -> read/],
])('does not start on a file with %s', async (_what, text, message) => {
  await put('policy.yaml', text);

  await expect(open()).rejects.toThrow(message);
});

it('follows the file when it is written, replaced and removed', async () => {
  const policy = await open();

  await put('policy.yaml', 'write: "role:first"');
  await waitUntil(() => allows(policy, 'write', ['first']));

  await put('next', 'write: "role:second"');
  await rename(join(directory, 'next'), join(directory, 'policy.yaml'));
  await waitUntil(() => allows(policy, 'write', ['second']));
  expect(allows(policy, 'write', ['first'])).toBe(false);

  await rm(join(directory, 'policy.yaml'));
  await waitUntil(() => allows(policy, 'write', ['member']));
});

it('keeps the previous rules when the new file is bad, says so once, and takes the mended one', async () => {
  await put('policy.yaml', 'write: "role:first"');
  const policy = await open();

  await put('policy.yaml', 'write: "role:first or"');
  await waitUntil(() => lines.some(({ level }) => level === 50));
  expect(allows(policy, 'write', ['first'])).toBe(true);

  await put('policy.yaml', 'write: "role:mended"');
  await waitUntil(() => allows(policy, 'write', ['mended']));
  const errors = lines.filter(({ level }) => level === 50);
  expect(errors).toHaveLength(1);
  expect(errors[0]?.err?.message).toContain('rule "write"');
});

it('warns of references to rules that nobody defined', async () => {
  await put('policy.yaml', 'write: "rule:nowhere or role:member"');

  const policy = await open();

  expect(allows(policy, 'write', ['member'])).toBe(true);
  expect(lines.find(({ level }) => level === 40)?.rules).toEqual(['nowhere']);
});
