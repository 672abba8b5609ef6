import { PolicyForbiddenError } from '../../driver/domain/errors';
import type { Identity } from '../../driver/domain/identity';
import { type Grant, RULES, type RuleName } from './rules';

/** What a rule is asked about; null: an object of no project. */
export interface PolicyTarget {
  readonly projectId: string | null;
}

/** Answers whether a caller may do something. An operator's policy file will be another maker of these. */
export interface Policy {
  allows(identity: Identity, rule: RuleName, target: PolicyTarget): boolean;
}

/** The policy of a table of rules. */
export function createPolicy(rules: Readonly<Record<RuleName, Grant>> = RULES): Policy {
  return {
    allows: (identity, rule, target) => identity.isAdmin || grants(rules[rule], identity, target),
  };
}

/** @throws PolicyForbiddenError unless the policy allows it */
export function authorize(policy: Policy, identity: Identity, rule: RuleName, target: PolicyTarget): void {
  if (!policy.allows(identity, rule, target)) throw new PolicyForbiddenError();
}

/** Keystone's roles imply one another; tokens list the implied ones as a rule, headers of tests do not. */
const IMPLIED: Readonly<Record<string, readonly string[]>> = { admin: ['member', 'reader'], member: ['reader'] };

function grants(grant: Grant, identity: Identity, target: PolicyTarget): boolean {
  const roles = identity.roles.flatMap((role) => [role, ...(IMPLIED[role] ?? [])]);
  if (roles.some((role) => grant.any.includes(role))) return true;
  // A reader of the whole system reads everything that any global reader may.
  if (
    identity.systemScope === 'all' &&
    roles.includes('reader') &&
    grant.any.includes('load-balancer_global_observer')
  ) {
    return true;
  }
  const own = identity.projectId !== null && identity.projectId === target.projectId;
  return own && roles.some((role) => grant.own.includes(role));
}
