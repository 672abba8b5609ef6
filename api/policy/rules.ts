/**
 * Octavia's policy rules as data. Two families of roles grant side by side: Keystone's reader, member and admin, and
 * the `load-balancer_*` roles. Each list names the roles that grant; `own` ones only on the caller's project.
 */
export interface Grant {
  readonly own: readonly string[];
  readonly any: readonly string[];
}

const ADMIN = ['admin', 'load-balancer_admin'];
const GLOBAL_READERS = ['admin', 'load-balancer_admin', 'load-balancer_global_observer'];
const QUOTA_ADMINS = ['admin', 'load-balancer_admin', 'load-balancer_quota_admin'];
const READERS = ['reader', 'member', 'load-balancer_observer', 'load-balancer_member'];
const WRITERS = ['member', 'load-balancer_member'];

const READ: Grant = { own: READERS, any: GLOBAL_READERS };
const WRITE: Grant = { own: WRITERS, any: ADMIN };
const READ_GLOBALLY: Grant = { own: [], any: GLOBAL_READERS };
const ADMIN_ONLY: Grant = { own: [], any: ADMIN };
/** What belongs to nobody: every user of load balancers may look. */
const READ_CATALOGUE: Grant = { own: [], any: [...READERS, ...GLOBAL_READERS, 'load-balancer_quota_admin'] };
const QUOTA_READERS = [...QUOTA_ADMINS, 'load-balancer_global_observer'];

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
  member: { ...TREE_RULES, get_all: { own: READERS, any: [...GLOBAL_READERS, 'service'] } },
  healthmonitor: TREE_RULES,
  l7policy: TREE_RULES,
  l7rule: TREE_RULES,
  quota: {
    get_all: { own: READERS, any: QUOTA_READERS },
    'get_all-global': { own: [], any: QUOTA_READERS },
    get_one: { own: READERS, any: QUOTA_READERS },
    put: { own: [], any: QUOTA_ADMINS },
    delete: { own: [], any: QUOTA_ADMINS },
    get_defaults: { own: READERS, any: QUOTA_READERS },
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

type Objects = typeof RULES_BY_OBJECT;
/** `<object>:<action>`; the rule's full name has `os_load-balancer_api:` in front. */
export type RuleName = { [O in keyof Objects]: `${O}:${keyof Objects[O] & string}` }[keyof Objects];

/** Every rule by its name. */
export const RULES: Readonly<Record<RuleName, Grant>> = Object.fromEntries(
  Object.entries(RULES_BY_OBJECT).flatMap(([object, rules]) =>
    Object.entries(rules).map(([action, grant]) => [`${object}:${action}`, grant]),
  ),
) as Record<RuleName, Grant>;
