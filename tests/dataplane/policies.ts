import type { Schemas } from '../../api/openapi/schemas';
import type { Served, Stage } from './stage';

export type RuleGiven = Partial<Schemas['L7RuleCreate']>;

/** A policy on the listener and its rules, one POST each; waits until they are ACTIVE. */
export async function addPolicy(
  stage: Stage,
  { listenerId, loadBalancer }: Pick<Served, 'listenerId' | 'loadBalancer'>,
  { rules, ...fields }: Partial<Omit<Schemas['L7PolicyCreate'], 'rules'>> & { readonly rules: readonly RuleGiven[] },
): Promise<{ readonly policy: string; readonly rules: readonly string[] }> {
  const { id: policy } = await stage.create('l7policies', 'l7policy', { listener_id: listenerId, ...fields });
  const ids: string[] = [];
  for (const rule of rules) ids.push((await stage.create(`l7policies/${policy}/rules`, 'rule', rule)).id);
  await stage.active(loadBalancer);
  return { policy, rules: ids };
}

/** A rule for paths that start so. */
export function startsWith(value: string): RuleGiven {
  return { type: 'PATH', compare_type: 'STARTS_WITH', value };
}
