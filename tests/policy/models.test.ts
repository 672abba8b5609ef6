import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { createPolicy, type Policy } from '../../api/policy/authorize';
import { compileRules } from '../../api/policy/language/rules';
import { type OpenedPolicy, openPolicy } from '../../api/policy/open';
import { builtInRules, type RoleModel } from '../../api/policy/roles';
import { RULES, type RuleName } from '../../api/policy/rules';
import { loadConfig } from '../../driver/config/config';
import type { Identity } from '../../driver/domain/identity';
import { waitUntil } from '../support/simulators/waitUntil';

type Scope = 'project' | 'system';

function caller(roles: string, scope: Scope = 'project'): Identity {
  return {
    userId: 'u',
    projectId: scope === 'project' ? 'mine' : null,
    domainId: null,
    systemScope: scope === 'system' ? 'all' : null,
    roles: roles.split(' '),
    isAdmin: false,
  };
}

/** What a caller may do: letters for read and write of the own and of foreign projects. */
function powers(policy: Policy, identity: Identity): string {
  const may = (rule: RuleName, projectId: string | null) => policy.allows(identity, rule, { projectId });
  const found: [string, boolean][] = [
    ['read', may('pool:get_one', 'mine')],
    ['write', may('pool:put', 'mine')],
    ['read-any', may('pool:get_one', 'theirs')],
    ['list-all', may('pool:get_all-global', null)],
    ['write-any', may('pool:put', 'theirs')],
    ['quota', may('quota:get_one', 'mine')],
    ['quota-any', may('quota:get_one', 'theirs')],
    ['set-quota', may('quota:put', 'theirs')],
    ['flavors', may('flavor:get_all', null)],
    ['operate', may('loadbalancer:put_failover', 'theirs') && may('amphora:get_all', null) && may('flavor:post', null)],
  ];
  return found
    .filter(([, granted]) => granted)
    .map(([name]) => name)
    .join(' ');
}

const OWN_READ = 'read quota flavors';
const OWN_WRITE = 'read write quota flavors';
const READ_ALL = 'read read-any list-all quota quota-any flavors';
const ALL = 'read write read-any list-all write-any quota quota-any set-quota flavors operate';

/** The models beside each other, from section 14 of the API's facts. */
const TABLE: readonly (readonly [RoleModel, readonly (readonly [string, string, Scope?])[]])[] = [
  [
    'either',
    [
      ['reader', OWN_READ],
      ['member', OWN_WRITE],
      ['admin', ALL],
      ['load-balancer_observer', OWN_READ],
      ['load-balancer_member', OWN_WRITE],
      ['load-balancer_global_observer', READ_ALL],
      ['load-balancer_quota_admin', 'quota quota-any set-quota flavors'],
      ['load-balancer_admin', ALL],
      ['nobody', ''],
    ],
  ],
  [
    'keystone',
    [
      ['reader', OWN_READ],
      ['member', OWN_WRITE],
      ['admin', ALL],
      ['load-balancer_observer load-balancer_member load-balancer_global_observer load-balancer_quota_admin', ''],
      ['load-balancer_admin', ''],
      ['reader', '', 'system'],
    ],
  ],
  [
    'advanced',
    [
      ['reader', ''],
      ['member', ''],
      ['admin', ALL],
      ['load-balancer_observer', OWN_READ],
      ['load-balancer_member', OWN_WRITE],
      ['load-balancer_global_observer', READ_ALL],
      ['load-balancer_quota_admin', 'quota quota-any set-quota flavors'],
      ['load-balancer_admin', ALL],
    ],
  ],
  [
    'admin_or_owner',
    [
      ['whatever', OWN_WRITE],
      ['reader', OWN_WRITE],
      ['load-balancer_global_observer', OWN_WRITE],
      ['admin', ALL],
      ['load-balancer_admin', ALL],
    ],
  ],
  [
    'keystone_default_roles',
    [
      ['reader', OWN_READ],
      ['member', OWN_WRITE],
      ['admin', ALL],
      ['load-balancer_member', ''],
      ['nobody', ''],
    ],
  ],
  [
    'keystone_default_roles_scoped',
    [
      ['reader', OWN_READ],
      ['member', OWN_WRITE],
      // Within a project an admin is no more than a member; the system's admin is one.
      ['admin', OWN_WRITE],
      ['reader', READ_ALL, 'system'],
      ['admin', ALL, 'system'],
    ],
  ],
];

describe.each(TABLE)('in the model %s', (model, rows) => {
  const rules = compileRules([builtInRules(model)]);
  const policy = createPolicy({ rules: () => rules });

  const cases = rows.map(([roles, expected, scope = 'project']) => [roles, scope, expected] as const);
  it.each(cases)('%s of a %s may: %s', (roles, scope, expected) => {
    expect(powers(policy, caller(roles, scope))).toBe(expected);
  });

  it('refers to no rule that is not there', () => {
    expect([...rules.undefinedNames]).toEqual([]);
  });

  it('lets the administrator of noauth do everything', () => {
    const anybody = { ...caller('nobody'), projectId: null, isAdmin: true };

    expect(
      (Object.keys(RULES) as RuleName[]).filter((rule) => !policy.allows(anybody, rule, { projectId: 'x' })),
    ).toEqual([]);
  });
});

describe('the policy of a configuration', () => {
  let directory: string;
  let opened: OpenedPolicy | undefined;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'conf-'));
  });
  afterEach(async () => {
    await opened?.close();
    opened = undefined;
    await rm(directory, { recursive: true });
  });

  async function open(settings: string, policy?: string): Promise<Policy> {
    const file = join(directory, 'slipstream.conf');
    await writeFile(file, `[oslo_policy]\n${settings}\n`);
    if (policy !== undefined) await writeFile(join(directory, 'policy.yaml'), policy);
    opened = await openPolicy(loadConfig({ files: [file] }).config, pino({ level: 'silent' }));
    return opened.policy;
  }

  it.each([
    ['', 'load-balancer_member', OWN_WRITE],
    ['enforce_new_defaults = true', 'load-balancer_member', ''],
    ['role_model = advanced', 'member', ''],
    ['role_model = admin_or_owner\nenforce_new_defaults = true', 'whatever', OWN_WRITE],
    ['role_model = keystone_default_roles_scoped', 'admin', OWN_WRITE],
  ])('takes the model from "%s": %s may %s', async (settings, roles, expected) => {
    expect(powers(await open(settings), caller(roles))).toBe(expected);
  });

  it('lets a file beside it override single rules, by the names Octavia has for them', async () => {
    const policy = await open(
      '',
      '"os_load-balancer_api:pool:put": "role:pool-boss and rule:load-balancer:owner"\n"load-balancer:quota-admin": "role:auditor"\n',
    );

    expect(powers(policy, caller('member'))).toBe(OWN_READ);
    expect(powers(policy, caller('pool-boss'))).toBe('write');
    expect(powers(policy, caller('auditor'))).toBe('quota quota-any set-quota flavors');
    expect(policy.allows(caller('member'), 'listener:put', { projectId: 'mine' })).toBe(true);
  });

  it("takes Octavia's own admin_or_owner file as it is", async () => {
    const policy = await open(
      '',
      [
        '"context_is_admin": "role:admin or role:load-balancer_admin"',
        '"admin_or_owner": "is_admin:True or project_id:%(project_id)s"',
        '"load-balancer:read": "rule:admin_or_owner"',
        '"load-balancer:read-global": "is_admin:True"',
        '"load-balancer:write": "rule:admin_or_owner"',
        '"load-balancer:read-quota": "rule:admin_or_owner"',
        '"load-balancer:read-quota-global": "is_admin:True"',
        '"load-balancer:write-quota": "is_admin:True"',
      ].join('\n'),
    );

    expect(powers(policy, caller('whatever'))).toBe(OWN_WRITE);
    expect(powers(policy, caller('load-balancer_admin'))).toBe(ALL);
  });

  it('changes for callers it already knows when the file does', async () => {
    const policy = await open('');
    const member = caller('member');
    expect(powers(policy, member)).toBe(OWN_WRITE);

    await writeFile(join(directory, 'policy.yaml'), '"context_is_admin": "role:member"');

    await waitUntil(() => powers(policy, member) === ALL);
  });

  it('refuses tokens of the system and of nobody where scopes are enforced', async () => {
    const policy = await open('enforce_scope = true');

    expect(powers(policy, caller('admin', 'system'))).toBe('');
    expect(powers(policy, caller('admin'))).toBe(ALL);
  });

  it('does not open with a file that cannot be used', async () => {
    await expect(open('', '"load-balancer:read": "role:a or"')).rejects.toThrow('rule "load-balancer:read"');
  });
});
