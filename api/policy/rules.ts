/**
 * Octavia's rules for its API, in oslo.policy's language. They only name the rules of `roles.ts`, which say who those
 * callers are: an operator's file may override either.
 */

const READ = 'rule:load-balancer:read';
const READ_GLOBALLY = 'rule:load-balancer:read-global';
const WRITE = 'rule:load-balancer:write';
const ADMIN_ONLY = 'rule:load-balancer:admin';
/** What belongs to nobody: every user of load balancers may look, each from within the own project. */
const READ_CATALOGUE = 'rule:load-balancer:read or rule:load-balancer:quota-admin';
const READ_QUOTA = 'rule:load-balancer:read-quota';
const WRITE_QUOTA = 'rule:load-balancer:write-quota';

const TREE_RULES = {
  get_all: READ,
  'get_all-global': READ_GLOBALLY,
  get_one: READ,
  post: WRITE,
  put: WRITE,
  delete: WRITE,
} as const;
const CATALOGUE_RULES = {
  get_all: READ_CATALOGUE,
  get_one: READ_CATALOGUE,
  post: ADMIN_ONLY,
  put: ADMIN_ONLY,
  delete: ADMIN_ONLY,
};
const PROFILE_RULES = {
  get_all: ADMIN_ONLY,
  get_one: ADMIN_ONLY,
  post: ADMIN_ONLY,
  put: ADMIN_ONLY,
  delete: ADMIN_ONLY,
};

const RULES_BY_OBJECT = {
  loadbalancer: {
    ...TREE_RULES,
    get_stats: READ,
    get_status: READ,
    put_failover: ADMIN_ONLY,
    'post:vip_sg_ids': WRITE,
    'put:vip_sg_ids': WRITE,
  },
  listener: { ...TREE_RULES, get_stats: READ },
  pool: TREE_RULES,
  // Designate and other services look up the members of any pool with their service role.
  member: { ...TREE_RULES, get_all: `${READ} or role:service` },
  healthmonitor: TREE_RULES,
  l7policy: TREE_RULES,
  l7rule: TREE_RULES,
  quota: {
    get_all: READ_QUOTA,
    'get_all-global': 'rule:load-balancer:read-quota-global',
    get_one: READ_QUOTA,
    put: WRITE_QUOTA,
    delete: WRITE_QUOTA,
    get_defaults: READ_QUOTA,
  },
  amphora: {
    get_all: ADMIN_ONLY,
    get_one: ADMIN_ONLY,
    get_stats: ADMIN_ONLY,
    put_config: ADMIN_ONLY,
    put_failover: ADMIN_ONLY,
    delete: ADMIN_ONLY,
  },
  provider: { get_all: READ_CATALOGUE },
  'provider-flavor': { get_all: ADMIN_ONLY },
  'provider-availability-zone': { get_all: ADMIN_ONLY },
  flavor: CATALOGUE_RULES,
  'flavor-profile': PROFILE_RULES,
  'availability-zone': CATALOGUE_RULES,
  'availability-zone-profile': PROFILE_RULES,
} as const;

/** The operator API: its rules are this service's own and have its name in front in policy files. */
const OPERATOR_RULES = {
  'slipstream:service-engine-group': PROFILE_RULES,
  'slipstream:service-engine': {
    get_all: ADMIN_ONLY,
    get_one: ADMIN_ONLY,
    delete: ADMIN_ONLY,
    enable: ADMIN_ONLY,
    disable: ADMIN_ONLY,
    migrate: ADMIN_ONLY,
    switchover: ADMIN_ONLY,
    reboot: ADMIN_ONLY,
  },
  'slipstream:placement': { get_all: ADMIN_ONLY, get_one: ADMIN_ONLY },
  'slipstream:placement-plan': { get_one: ADMIN_ONLY },
  'slipstream:loadbalancer': {
    scaleout: ADMIN_ONLY,
    scalein: ADMIN_ONLY,
    migrate: ADMIN_ONLY,
    switchover: ADMIN_ONLY,
    flavor: ADMIN_ONLY,
  },
  'slipstream:capture': { get_all: ADMIN_ONLY, get_one: ADMIN_ONLY, post: ADMIN_ONLY, delete: ADMIN_ONLY },
  'slipstream:trace': { get_one: ADMIN_ONLY },
  'slipstream:event': { get_all: ADMIN_ONLY, get_one: ADMIN_ONLY },
} as const;

const ALL_RULES = { ...RULES_BY_OBJECT, ...OPERATOR_RULES };

type Objects = typeof ALL_RULES;
/** `<object>:<action>`. */
export type RuleName = { [O in keyof Objects]: `${O}:${keyof Objects[O] & string}` }[keyof Objects];

/** What stands before the names of Octavia's rules in policy files, and in what Horizon asks. */
const RULE_PREFIX = 'os_load-balancer_api:';

/** A rule as policy files call it. */
export function nameInPolicyFiles(rule: string): string {
  return rule.startsWith('slipstream:') ? rule : RULE_PREFIX + rule;
}

/** Every rule of the API by its name. */
export const RULES: Readonly<Record<RuleName, string>> = Object.fromEntries(
  Object.entries(ALL_RULES).flatMap(([object, rules]) =>
    Object.entries(rules).map(([action, check]) => [`${object}:${action}`, check]),
  ),
) as Record<RuleName, string>;
