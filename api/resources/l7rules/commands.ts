import { markPendingDelete, markPendingUpdate } from '../../../driver/db/changes';
import type { Db } from '../../../driver/db/connect';
import { findL7Policy } from '../../../driver/db/l7Policies';
import { countL7Rules, findL7Rule, insertL7Rules, updateL7Rule as writeL7Rule } from '../../../driver/db/l7Rules';
import { findListener } from '../../../driver/db/listeners';
import { l7RuleDict } from '../../../driver/db/providerDicts';
import { checkQuota } from '../../../driver/db/quotas';
import { insertTags, replaceTags, tagRows } from '../../../driver/db/tags';
import { ConflictError } from '../../../driver/domain/errors';
import type { L7RuleCreate, L7RuleUpdate } from '../../changes/bodies';
import { claimForChild, refuseDeleting, requireMutable } from '../../changes/busy';
import { ENABLED, updatesOf } from '../../changes/casts';
import { NO_ANSWER, runChange } from '../../changes/change';
import type { Answer, Caller, CommandDeps } from '../../changes/deps';
import { found } from '../../changes/found';
import { readTags } from '../../changes/tags';
import { buildL7Rule, changeL7Rule } from './build';
import { MAX_RULES_PER_POLICY } from './rules';

/** A policy's load balancer, and the project that owns both. */
interface Home {
  readonly policyId: string;
  readonly listenerId: string;
  readonly loadBalancerId: string;
  readonly projectId: string;
}

/** @throws NotFoundError */
async function findHome(db: Db, policyId: string): Promise<Home> {
  const policy = found(await findL7Policy(db, policyId), 'L7Policy', policyId);
  const listener = found(await findListener(db, policy.listener_id), 'L7Policy', policyId);
  const { id: listenerId, load_balancer_id: loadBalancerId } = listener;
  return { policyId, listenerId, loadBalancerId, projectId: policy.project_id };
}

/** The policy is tested first, then the load balancer; policy and listener show PENDING_UPDATE. */
async function claimPolicy({ settings }: CommandDeps, trx: Db, { home, at }: { home: Home; at: Date }): Promise<void> {
  const { policyId, listenerId, loadBalancerId } = home;
  requireMutable('L7Policy', found(await findL7Policy(trx, policyId), 'L7Policy', policyId));
  await claimForChild(trx, { loadBalancerId, intent: 'update', deadline: settings.pendingDeadline, at });
  await markPendingUpdate(trx, 'listener', [listenerId], at);
  await markPendingUpdate(trx, 'l7policy', [policyId], at);
}

/** @throws ServiceError */
export async function createL7Rule<T>(
  deps: CommandDeps,
  caller: Caller,
  { policyId, body }: { policyId: string; body: L7RuleCreate },
  answer: Answer<T>,
): Promise<T> {
  const tags = readTags(body.tags);
  const home = await findHome(deps.db, policyId);
  const rule = buildL7Rule(body, { id: deps.newId(), projectId: home.projectId, policyId });

  const work = async (trx: Db, at: Date) => {
    const quota = { projectId: home.projectId, add: { l7rule: 1 } };
    await checkQuota(trx, quota, deps.settings.defaultQuotas);
    await claimPolicy(deps, trx, { home, at });
    if ((await countL7Rules(trx, policyId)) >= MAX_RULES_PER_POLICY) {
      throw new ConflictError(`Too many rules on L7 policy ${policyId}`);
    }
    await insertL7Rules(trx, [rule], at);
    await insertTags(trx, tagRows(rule.id, tags));
    return { id: rule.id, quota, cast: { method: 'create_l7rule', args: { l7rule: l7RuleDict(rule) } } };
  };
  return runChange(deps, caller, { change: { loadBalancerId: home.loadBalancerId, work }, answer });
}

/** @throws ServiceError */
export async function updateL7Rule<T>(
  deps: CommandDeps,
  caller: Caller,
  { policyId, id, body }: { policyId: string; id: string; body: L7RuleUpdate },
  answer: Answer<T>,
): Promise<T> {
  const tags = body.tags === undefined ? undefined : readTags(body.tags);
  const home = await findHome(deps.db, policyId);
  found(await findL7Rule(deps.db, policyId, id), 'L7 Rule', id);

  const work = async (trx: Db, at: Date) => {
    await claimPolicy(deps, trx, { home, at });
    const stored = found(await findL7Rule(trx, policyId, id), 'L7 Rule', id);
    refuseDeleting('L7 Rule', stored);
    const columns = changeL7Rule(body, stored);
    await writeL7Rule(trx, id, columns, at);
    if (tags) await replaceTags(trx, id, tags);
    const after = l7RuleDict({ ...stored, ...columns });
    const args = { original_l7rule: l7RuleDict(stored), l7rule_updates: updatesOf(after, body, ENABLED) };
    return { id, cast: { method: 'update_l7rule', args } };
  };
  return runChange(deps, caller, { change: { loadBalancerId: home.loadBalancerId, work }, answer });
}

/** @throws ServiceError */
export async function deleteL7Rule(
  deps: CommandDeps,
  caller: Caller,
  { policyId, id }: { policyId: string; id: string },
): Promise<void> {
  const home = await findHome(deps.db, policyId);
  found(await findL7Rule(deps.db, policyId, id), 'L7 Rule', id);
  const work = async (trx: Db, at: Date) => {
    await claimPolicy(deps, trx, { home, at });
    const stored = found(await findL7Rule(trx, policyId, id), 'L7 Rule', id);
    await markPendingDelete(trx, 'l7rule', [id], at);
    return { id, cast: { method: 'delete_l7rule', args: { l7rule: l7RuleDict(stored) } } };
  };
  await runChange(deps, caller, { change: { loadBalancerId: home.loadBalancerId, work }, answer: NO_ANSWER });
}
