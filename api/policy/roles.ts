import type { RuleSources } from './language/rules';
import { nameInPolicyFiles, RULES } from './rules';

/**
 * Who the callers are that the rules of the API speak of, by role model. The names are Octavia's, so that policy files
 * written for it work here.
 */

/** What callers of all models may do. */
const ACCESS: RuleSources = {
  'load-balancer:owner': 'project_id:%(project_id)s',
  'project-member': 'role:member and project_id:%(project_id)s',
  'project-reader': 'role:reader and project_id:%(project_id)s',
  'load-balancer:read':
    'rule:load-balancer:observer_and_owner or rule:load-balancer:global_observer or ' +
    'rule:load-balancer:member_and_owner or rule:load-balancer:admin',
  'load-balancer:read-global': 'rule:load-balancer:global_observer or rule:load-balancer:admin',
  'load-balancer:write': 'rule:load-balancer:member_and_owner or rule:load-balancer:admin',
  'load-balancer:read-quota':
    'rule:load-balancer:observer_and_owner or rule:load-balancer:global_observer or ' +
    'rule:load-balancer:member_and_owner or rule:load-balancer:quota-admin or rule:load-balancer:admin',
  'load-balancer:read-quota-global':
    'rule:load-balancer:global_observer or rule:load-balancer:quota-admin or rule:load-balancer:admin',
  'load-balancer:write-quota': 'rule:load-balancer:quota-admin or rule:load-balancer:admin',
};

/** Keystone's reader, member and admin alone: Octavia's new defaults. */
const KEYSTONE_ROLES = {
  context_is_admin: 'role:admin',
  'load-balancer:admin': 'is_admin:True or role:admin',
  'load-balancer:global_observer': 'role:admin',
  'load-balancer:member_and_owner': 'rule:project-member',
  'load-balancer:observer_and_owner': 'rule:project-reader',
  'load-balancer:quota-admin': 'role:admin',
} as const;

/** The `load-balancer_` roles alone: Octavia's older defaults. */
const ADVANCED_ROLES: Readonly<Record<keyof typeof KEYSTONE_ROLES, string>> = {
  context_is_admin: 'role:admin or role:load-balancer_admin',
  'load-balancer:admin': 'is_admin:True or role:admin or role:load-balancer_admin',
  'load-balancer:global_observer': 'role:load-balancer_global_observer',
  'load-balancer:member_and_owner': 'role:load-balancer_member and rule:load-balancer:owner',
  'load-balancer:observer_and_owner': 'role:load-balancer_observer and rule:load-balancer:owner',
  'load-balancer:quota-admin': 'role:load-balancer_quota_admin',
};

/** Either family grants, as in Octavia before the old defaults are switched off; and who reads the system reads all. */
const EITHER_ROLES: Readonly<Record<keyof typeof KEYSTONE_ROLES, string>> = {
  context_is_admin: either('context_is_admin'),
  'load-balancer:admin': either('load-balancer:admin'),
  'load-balancer:global_observer': `${either('load-balancer:global_observer')} or (role:reader and system_scope:all)`,
  'load-balancer:member_and_owner': either('load-balancer:member_and_owner'),
  'load-balancer:observer_and_owner': either('load-balancer:observer_and_owner'),
  'load-balancer:quota-admin': either('load-balancer:quota-admin'),
};

function either(name: keyof typeof KEYSTONE_ROLES): string {
  return `(${KEYSTONE_ROLES[name]}) or (${ADVANCED_ROLES[name]})`;
}

/** Whoever has any role on a project may do everything there; admins everywhere. */
const ADMIN_OR_OWNER: RuleSources = {
  ...ADVANCED_ROLES,
  admin_or_owner: 'is_admin:True or project_id:%(project_id)s',
  'load-balancer:read': 'rule:admin_or_owner',
  'load-balancer:read-global': 'is_admin:True',
  'load-balancer:write': 'rule:admin_or_owner',
  'load-balancer:read-quota': 'rule:admin_or_owner',
  'load-balancer:read-quota-global': 'is_admin:True',
  'load-balancer:write-quota': 'is_admin:True',
};

/** What two of Octavia's policy files have in common: they differ in who counts as the system's admin and reader. */
const PERSONAS: RuleSources = {
  ...KEYSTONE_ROLES,
  project_reader: 'role:reader and project_id:%(project_id)s',
  project_member: 'role:member and project_id:%(project_id)s',
  'load-balancer:admin': 'is_admin:True or rule:system_admin or role:load-balancer_admin',
  'load-balancer:read': 'is_admin:True or rule:system_reader or rule:project_reader',
  'load-balancer:read-global': 'is_admin:True or rule:system_reader',
  'load-balancer:write': 'is_admin:True or rule:project_member',
  'load-balancer:read-quota': 'is_admin:True or rule:system_reader or rule:project_reader',
  'load-balancer:read-quota-global': 'is_admin:True or rule:system_reader',
  'load-balancer:write-quota': 'is_admin:True',
};

const MODELS = {
  /** Both families of roles side by side. */
  either: EITHER_ROLES,
  /** `enforce_new_defaults`. */
  keystone: KEYSTONE_ROLES,
  advanced: ADVANCED_ROLES,
  admin_or_owner: ADMIN_OR_OWNER,
  keystone_default_roles: { ...PERSONAS, system_admin: 'role:admin', system_reader: 'role:admin' },
  keystone_default_roles_scoped: {
    ...PERSONAS,
    context_is_admin: 'role:admin and system_scope:all',
    system_admin: 'role:admin and system_scope:all',
    system_reader: 'role:reader and system_scope:all',
  },
} satisfies Readonly<Record<string, RuleSources>>;

export type RoleModel = keyof typeof MODELS;

/** All rules there are without a policy file. */
export function builtInRules(model: RoleModel): RuleSources {
  const ofApi = Object.entries(RULES).map(([name, check]) => [nameInPolicyFiles(name), check]);
  return { ...ACCESS, ...MODELS[model], ...Object.fromEntries(ofApi) };
}
