import { PolicyForbiddenError } from '../../driver/domain/errors';
import type { Identity } from '../../driver/domain/identity';
import { credentialsOf } from './language/credentials';
import { compileRules, type RuleSet } from './language/rules';
import type { Attributes } from './language/template';
import { builtInRules } from './roles';
import { nameInPolicyFiles, type RuleName } from './rules';

/** What a rule is asked about; null: an object of no project, which callers see from within their own. */
export interface PolicyTarget {
  readonly projectId: string | null;
}

/** Answers whether a caller may do something. */
export interface Policy {
  allows(identity: Identity, rule: RuleName, target: PolicyTarget): boolean;
}

export interface PolicyDeps {
  /** The rules in force; asked at each use, as they follow their files. */
  readonly rules: () => RuleSet;
  /** `[oslo_policy] enforce_scope`: only tokens of a project are served. */
  readonly enforceScope?: boolean;
}

/** The policy of the rules that are built in, for both families of roles. */
export function createPolicy(deps: PolicyDeps = builtIn()): Policy {
  const { rules, enforceScope = false } = deps;
  const known = new WeakMap<Identity, { readonly rules: RuleSet; readonly credentials: Attributes }>();

  const credentialsFor = (identity: Identity, inForce: RuleSet): Attributes => {
    const before = known.get(identity);
    if (before?.rules === inForce) return before.credentials;
    const credentials = describeCaller(identity, inForce);
    known.set(identity, { rules: inForce, credentials });
    return credentials;
  };
  return {
    allows(identity, rule, { projectId }) {
      if (enforceScope && identity.projectId === null && !identity.isAdmin) return false;
      const inForce = rules();
      const credentials = credentialsFor(identity, inForce);
      return inForce.check(nameInPolicyFiles(rule), targetOf(identity, rule, projectId), credentials);
    },
  };
}

/** @throws PolicyForbiddenError unless the policy allows it */
export function authorize(policy: Policy, identity: Identity, rule: RuleName, target: PolicyTarget): void {
  if (!policy.allows(identity, rule, target)) throw new PolicyForbiddenError();
}

function builtIn(): PolicyDeps {
  const rules = compileRules([builtInRules('either')]);
  return { rules: () => rules };
}

/**
 * A list over all projects is about no project at all; anything else that belongs to nobody is looked at from within the
 * caller's project. Without a project no owner check holds.
 */
function targetOf(identity: Identity, rule: RuleName, projectId: string | null): Attributes {
  const project = projectId ?? (rule.endsWith(':get_all-global') ? null : identity.projectId);
  return project === null ? {} : { project_id: project, tenant_id: project };
}

/** Keystone's roles imply one another; tokens list the implied ones as a rule, headers of tests do not. */
const IMPLIED: Readonly<Record<string, readonly string[]>> = { admin: ['member', 'reader'], member: ['reader'] };

/** The rule `context_is_admin` decides what `is_admin:True` means, except where noauth makes everybody an admin. */
function describeCaller(identity: Identity, rules: RuleSet): Attributes {
  const roles = [...new Set(identity.roles.flatMap((role) => [role, ...(IMPLIED[role] ?? [])]))];
  const credentials = credentialsOf({ ...identity, roles }, false);
  const isAdmin = identity.isAdmin || rules.check('context_is_admin', credentials, credentials);
  return { ...credentials, is_admin: isAdmin };
}
