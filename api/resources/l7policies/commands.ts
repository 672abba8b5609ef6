import { markPendingDelete, markPendingUpdate } from '../../../driver/db/changes';
import type { Db } from '../../../driver/db/connect';
import {
  countL7Policies,
  findL7Policy,
  insertL7Policies,
  openPosition,
  shiftPositions,
  updateL7Policy as writeL7Policy,
} from '../../../driver/db/l7Policies';
import { findListener } from '../../../driver/db/listeners';
import { findPool } from '../../../driver/db/pools';
import { l7PolicyDict } from '../../../driver/db/providerDicts';
import { checkQuota } from '../../../driver/db/quotas';
import type { ListenerRow } from '../../../driver/db/rows';
import { insertTags, replaceTags, tagRows } from '../../../driver/db/tags';
import { InvalidOptionError, NotFoundError } from '../../../driver/domain/errors';
import type { L7PolicyCreate, L7PolicyUpdate } from '../../changes/bodies';
import { claimForChild, refuseDeleting } from '../../changes/busy';
import { ENABLED, updatesOf } from '../../changes/casts';
import { NO_ANSWER, runChange } from '../../changes/change';
import type { Answer, Caller, CommandDeps } from '../../changes/deps';
import { found } from '../../changes/found';
import { readTags } from '../../changes/tags';
import { checkPoolProtocol } from '../listeners/rules';
import { buildL7Policy, changeL7Policy, placeAt } from './build';
import { checkListenerProtocol, readRedirect, refuseEmptyUpdate, refuseNestedRules } from './rules';

/** @throws ServiceError */
export async function createL7Policy<T>(
  deps: CommandDeps,
  caller: Caller,
  { body }: { body: L7PolicyCreate },
  answer: Answer<T>,
): Promise<T> {
  const { settings } = deps;
  refuseNestedRules(body);
  const tags = readTags(body.tags);
  const { listener_id: listenerId } = body;
  if (!listenerId) throw new InvalidOptionError('None', 'listener_id');
  const parent = found(await findListener(deps.db, listenerId), 'Listener', listenerId);
  checkListenerProtocol(parent.protocol, settings);
  const redirect = readRedirect(body);

  const work = async (trx: Db, at: Date) => {
    const quota = { projectId: parent.project_id, add: { l7policy: 1 } };
    await checkQuota(trx, quota, settings.defaultQuotas);
    const listener = await claimListener(deps, trx, { listenerId, at });
    if (redirect.redirect_pool_id) await checkRedirectPool(trx, listener, redirect.redirect_pool_id);
    const position = placeAt(body.position, (await countL7Policies(trx, listenerId)) + 1);
    await openPosition(trx, listenerId, position);
    const parents = { id: deps.newId(), projectId: parent.project_id, listenerId, position, redirect };
    const policy = buildL7Policy(body, parents);
    await insertL7Policies(trx, [policy], at);
    await insertTags(trx, tagRows(policy.id, tags));
    return { id: policy.id, quota, cast: { method: 'create_l7policy', args: { l7policy: l7PolicyDict(policy) } } };
  };
  return runChange(deps, caller, { change: { loadBalancerId: parent.load_balancer_id, work }, answer });
}

/** Claims the load balancer; the policy's listener shows PENDING_UPDATE. */
async function claimListener(
  { settings }: CommandDeps,
  trx: Db,
  { listenerId, at }: { listenerId: string; at: Date },
): Promise<ListenerRow> {
  const listener = found(await findListener(trx, listenerId), 'Listener', listenerId);
  const { load_balancer_id: loadBalancerId } = listener;
  await claimForChild(trx, { loadBalancerId, intent: 'update', deadline: settings.pendingDeadline, at });
  refuseDeleting('Listener', listener);
  await markPendingUpdate(trx, 'listener', [listenerId], at);
  return listener;
}

/** @throws ServiceError unless the pool is on the same load balancer and fits the listener */
async function checkRedirectPool(db: Db, listener: ListenerRow, poolId: string): Promise<void> {
  const pool = await findPool(db, poolId);
  if (!pool || pool.deleting || pool.load_balancer_id !== listener.load_balancer_id) {
    throw new NotFoundError('Pool', poolId);
  }
  checkPoolProtocol(listener.protocol, pool.protocol);
}

/** @throws NotFoundError */
async function findParent(db: Db, id: string): Promise<ListenerRow> {
  const policy = found(await findL7Policy(db, id), 'L7 Policy', id);
  return found(await findListener(db, policy.listener_id), 'L7 Policy', id);
}

/** @throws ServiceError */
export async function updateL7Policy<T>(
  deps: CommandDeps,
  caller: Caller,
  { id, body }: { id: string; body: L7PolicyUpdate },
  answer: Answer<T>,
): Promise<T> {
  refuseEmptyUpdate(body);
  const tags = body.tags === undefined ? undefined : readTags(body.tags);
  const parent = await findParent(deps.db, id);

  const work = async (trx: Db, at: Date) => {
    const listener = await claimListener(deps, trx, { listenerId: parent.id, at });
    const stored = found(await findL7Policy(trx, id), 'L7 Policy', id);
    refuseDeleting('L7 Policy', stored);
    const columns = changeL7Policy(body, stored);
    const { redirect_pool_id: poolId } = columns;
    if (poolId && poolId !== stored.redirect_pool_id) await checkRedirectPool(trx, listener, poolId);
    const position = body.position ? placeAt(body.position, await countL7Policies(trx, parent.id)) : stored.position;
    await shiftPositions(trx, parent.id, { from: stored.position, to: position });
    await writeL7Policy(trx, id, { ...columns, position }, at);
    if (tags) await replaceTags(trx, id, tags);
    const after = l7PolicyDict({ ...stored, ...columns, position });
    const args = { original_l7policy: l7PolicyDict(stored), l7policy_updates: updatesOf(after, body, ENABLED) };
    return { id, cast: { method: 'update_l7policy', args } };
  };
  return runChange(deps, caller, { change: { loadBalancerId: parent.load_balancer_id, work }, answer });
}

/** Positions close up when settle has removed the policy. @throws ServiceError */
export async function deleteL7Policy(deps: CommandDeps, caller: Caller, { id }: { id: string }): Promise<void> {
  const parent = await findParent(deps.db, id);
  const work = async (trx: Db, at: Date) => {
    const listener = found(await findListener(trx, parent.id), 'Listener', parent.id);
    const { load_balancer_id: loadBalancerId } = listener;
    const deadline = deps.settings.pendingDeadline;
    await claimForChild(trx, { loadBalancerId, intent: 'update', deadline, at });
    if (!listener.deleting) await markPendingUpdate(trx, 'listener', [listener.id], at);
    const stored = found(await findL7Policy(trx, id), 'L7 Policy', id);
    await markPendingDelete(trx, 'l7policy', [id], at);
    return { id, cast: { method: 'delete_l7policy', args: { l7policy: l7PolicyDict(stored) } } };
  };
  await runChange(deps, caller, { change: { loadBalancerId: parent.load_balancer_id, work }, answer: NO_ANSWER });
}
