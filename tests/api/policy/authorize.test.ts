import { authorize, createPolicy } from '../../../api/policy/authorize';
import { compileRules } from '../../../api/policy/language/rules';
import { builtInRules } from '../../../api/policy/roles';
import { RULES, type RuleName } from '../../../api/policy/rules';
import type { Identity } from '../../../driver/domain/identity';

const policy = createPolicy();

function caller(role: string, more: Partial<Identity> = {}): Identity {
  const identity = { userId: 'u', projectId: 'mine', domainId: null, systemScope: null, roles: [role], isAdmin: false };
  return { ...identity, ...more };
}

const may = (role: string, rule: RuleName, projectId: string | null) =>
  policy.allows(caller(role), rule, { projectId });

const READ_OWN = ['reader', 'member', 'load-balancer_observer', 'load-balancer_member'];
const WRITE_OWN = ['member', 'load-balancer_member'];
const READ_ANY = ['admin', 'load-balancer_admin', 'load-balancer_global_observer'];
const WRITE_ANY = ['admin', 'load-balancer_admin'];
const QUOTA_WRITE = ['admin', 'load-balancer_admin', 'load-balancer_quota_admin'];
const ROLES = [...new Set([...READ_OWN, ...READ_ANY, ...QUOTA_WRITE, 'service', 'nobody'])];

const TABLE: readonly [RuleName, { own: readonly string[]; foreign: readonly string[] }][] = [
  ['loadbalancer:get_one', { own: [...READ_OWN, ...READ_ANY], foreign: READ_ANY }],
  ['listener:get_stats', { own: [...READ_OWN, ...READ_ANY], foreign: READ_ANY }],
  ['loadbalancer:get_status', { own: [...READ_OWN, ...READ_ANY], foreign: READ_ANY }],
  ['pool:post', { own: [...WRITE_OWN, ...WRITE_ANY], foreign: WRITE_ANY }],
  ['l7rule:delete', { own: [...WRITE_OWN, ...WRITE_ANY], foreign: WRITE_ANY }],
  ['healthmonitor:get_all-global', { own: READ_ANY, foreign: READ_ANY }],
  ['member:get_all', { own: [...READ_OWN, ...READ_ANY, 'service'], foreign: [...READ_ANY, 'service'] }],
  ['loadbalancer:put_failover', { own: WRITE_ANY, foreign: WRITE_ANY }],
  ['amphora:get_one', { own: WRITE_ANY, foreign: WRITE_ANY }],
  ['flavor-profile:get_all', { own: WRITE_ANY, foreign: WRITE_ANY }],
  ['flavor:post', { own: WRITE_ANY, foreign: WRITE_ANY }],
  [
    'quota:get_one',
    {
      own: [...READ_OWN, ...QUOTA_WRITE, 'load-balancer_global_observer'],
      foreign: [...QUOTA_WRITE, 'load-balancer_global_observer'],
    },
  ],
  ['quota:put', { own: QUOTA_WRITE, foreign: QUOTA_WRITE }],
];

describe.each(TABLE)('%s', (rule, { own, foreign }) => {
  it.each(ROLES)('for %s', (role) => {
    expect([may(role, rule, 'mine'), may(role, rule, 'theirs')]).toEqual([own.includes(role), foreign.includes(role)]);
  });
});

it('lets every user of load balancers see flavors, zones and providers', () => {
  const readers = ROLES.filter((role) => may(role, 'provider:get_all', null));

  expect(readers).toEqual(ROLES.filter((role) => role !== 'service' && role !== 'nobody'));
});

it('takes a token without project for nobody in particular', () => {
  const homeless = caller('member', { projectId: null });

  expect(policy.allows(homeless, 'pool:get_one', { projectId: null as unknown as string })).toBe(false);
});

it('lets a reader of the whole system read everything and write nothing', () => {
  const auditor = caller('reader', { projectId: null, systemScope: 'all' });

  expect(policy.allows(auditor, 'pool:get_one', { projectId: 'theirs' })).toBe(true);
  expect(policy.allows(auditor, 'pool:put', { projectId: 'theirs' })).toBe(false);
  expect(policy.allows(auditor, 'amphora:get_all', { projectId: null })).toBe(false);
});

it('tells who is refused in the one sentence clients know', () => {
  expect(() => authorize(policy, caller('reader'), 'pool:put', { projectId: 'mine' })).toThrow(
    'Policy does not allow this request to be performed.',
  );
});

it('has a rule for every object and action of the API', () => {
  expect(Object.keys(RULES).length).toBeGreaterThanOrEqual(75);
});

it('lets a policy file open the operator API by rules of its own name', () => {
  const rules = compileRules([builtInRules('either'), { 'slipstream:event:get_all': 'role:reader' }]);
  const opened = createPolicy({ rules: () => rules });

  expect(policy.allows(caller('reader'), 'slipstream:event:get_all', { projectId: null })).toBe(false);
  expect(opened.allows(caller('reader'), 'slipstream:event:get_all', { projectId: null })).toBe(true);
  expect(opened.allows(caller('reader'), 'slipstream:event:get_one', { projectId: null })).toBe(false);
});
