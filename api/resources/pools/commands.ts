import { markListenersOf, markPendingDelete } from '../../../driver/db/changes';
import type { Db } from '../../../driver/db/connect';
import { attachDefaultPool, findListener } from '../../../driver/db/listeners';
import {
  findPolicyRedirectingTo,
  findPool,
  findStoredPool,
  insertPools,
  updatePool as writePool,
} from '../../../driver/db/pools';
import { poolDict } from '../../../driver/db/providerDicts';
import { checkQuota } from '../../../driver/db/quotas';
import type { ListenerRow } from '../../../driver/db/rows';
import { insertTags, replaceTags, tagRows } from '../../../driver/db/tags';
import { ConflictError, ValidationError } from '../../../driver/domain/errors';
import type { PoolCreate, PoolUpdate } from '../../changes/bodies';
import { claimForChild, refuseDeleting } from '../../changes/busy';
import { POOL_RENAMES, rename, updatesOf } from '../../changes/casts';
import { checkCertificates, referencesOfPool } from '../../changes/certificates';
import { NO_ANSWER, runChange } from '../../changes/change';
import type { Answer, Caller, CommandDeps } from '../../changes/deps';
import { found, foundParent } from '../../changes/found';
import { checkCarried } from '../../changes/provider';
import { readTags } from '../../changes/tags';
import { checkPoolProtocol, refuseChildren } from '../listeners/rules';
import { applyPoolChange, buildPool, changePool } from './build';
import { checkPoolCreate, checkPoolUpdate, refuseNestedObjects } from './rules';

/** @throws ServiceError */
export async function createPool<T>(
  deps: CommandDeps,
  caller: Caller,
  { body }: { body: PoolCreate },
  answer: Answer<T>,
): Promise<T> {
  const { settings } = deps;
  refuseNestedObjects(body);
  const tags = readTags(body.tags);
  checkPoolCreate(body, settings);
  const loadBalancerId = await findParent(deps.db, body);
  await checkCertificates(deps, caller, [referencesOfPool(body)]);

  const work = async (trx: Db, at: Date) => {
    const projectId = await foundParent(trx, loadBalancerId);
    const quota = { projectId, add: { pool: 1 } };
    await checkQuota(trx, quota, settings.defaultQuotas);
    await claimForChild(trx, { loadBalancerId, intent: 'update', deadline: settings.pendingDeadline, at });
    const pool = buildPool(body, { id: deps.newId(), projectId, loadBalancerId }, settings);
    if (body.listener_id) await checkListener(trx, { ...body, loadBalancerId, listenerId: body.listener_id });
    checkCarried([body.protocol], settings);
    await insertPools(trx, [pool], at);
    await insertTags(trx, tagRows(pool.row.id, tags));
    if (body.listener_id) await attachDefaultPool(trx, body.listener_id, pool.row.id, at);
    const args = { pool: rename({ ...poolDict(pool), listener_id: body.listener_id ?? null }, POOL_RENAMES) };
    return { id: pool.row.id, quota, cast: { method: 'create_pool', args } };
  };
  return runChange(deps, caller, { change: { loadBalancerId, work }, answer });
}

/** The load balancer given, else the listener's. */
async function findParent(db: Db, body: PoolCreate): Promise<string> {
  if (body.loadbalancer_id) return body.loadbalancer_id;
  if (!body.listener_id) throw new ValidationError('Must provide at least one of: loadbalancer_id, listener_id');
  return found(await findListener(db, body.listener_id), 'Listener', body.listener_id).load_balancer_id;
}

/** @throws ServiceError where the listener cannot take the pool as its default */
async function checkListener(
  db: Db,
  { listenerId, loadBalancerId, protocol }: { listenerId: string; loadBalancerId: string; protocol: string | null },
): Promise<void> {
  const listener: ListenerRow = found(await findListener(db, listenerId), 'Listener', listenerId);
  if (listener.load_balancer_id !== loadBalancerId) found(undefined, 'Listener', listenerId);
  refuseDeleting('Listener', listener);
  refuseChildren(listener.protocol);
  checkPoolProtocol(listener.protocol, protocol ?? '');
  if (listener.default_pool_id) throw new ConflictError('This listener already has a default pool');
}

/** @throws ServiceError */
export async function updatePool<T>(
  deps: CommandDeps,
  caller: Caller,
  { id, body }: { id: string; body: PoolUpdate },
  answer: Answer<T>,
): Promise<T> {
  const { settings } = deps;
  const tags = body.tags === undefined ? undefined : readTags(body.tags);
  const before = found(await findPool(deps.db, id), 'Pool', id);
  const { load_balancer_id: loadBalancerId } = before;
  await checkCertificates(deps, caller, [referencesOfPool(body, before)]);

  const work = async (trx: Db, at: Date) => {
    await claimForChild(trx, { loadBalancerId, intent: 'update', deadline: settings.pendingDeadline, at });
    const stored = found(await findStoredPool(trx, id), 'Pool', id);
    refuseDeleting('Pool', stored.row);
    checkPoolUpdate(body, stored.row, settings);
    const change = changePool(body, stored, settings);
    await writePool(trx, id, change, at);
    await markListenersOf(trx, { loadBalancerId, poolIds: [id] }, at);
    if (tags) await replaceTags(trx, id, tags);
    const after = poolDict(applyPoolChange(stored, change));
    const original = poolDict({ row: stored.row, persistence: stored.persistence ?? null });
    const args = { original_pool: original, pool_updates: updatesOf(after, body, POOL_RENAMES) };
    return { id, cast: { method: 'update_pool', args } };
  };
  return runChange(deps, caller, { change: { loadBalancerId, work }, answer });
}

/** @throws ServiceError; ConflictError while an L7 policy redirects to the pool */
export async function deletePool(deps: CommandDeps, caller: Caller, { id }: { id: string }): Promise<void> {
  const { load_balancer_id: loadBalancerId } = found(await findPool(deps.db, id), 'Pool', id);
  const work = async (trx: Db, at: Date) => {
    const deadline = deps.settings.pendingDeadline;
    await claimForChild(trx, { loadBalancerId, intent: 'update', deadline, at });
    const policyId = await findPolicyRedirectingTo(trx, id);
    if (policyId) throw new ConflictError(`Pool ${id} is in use by L7 policy ${policyId}`);
    const stored = found(await findStoredPool(trx, id), 'Pool', id);
    await markListenersOf(trx, { loadBalancerId, poolIds: [id] }, at);
    await markPendingDelete(trx, 'pool', [id], at);
    const pool = poolDict({ row: stored.row, persistence: stored.persistence ?? null });
    return { id, cast: { method: 'delete_pool', args: { pool } } };
  };
  await runChange(deps, caller, { change: { loadBalancerId, work }, answer: NO_ANSWER });
}
