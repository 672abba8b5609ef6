import { markPendingDelete } from '../../../driver/db/changes';
import type { Db } from '../../../driver/db/connect';
import {
  findHealthMonitor,
  hasMonitor,
  insertHealthMonitors,
  updateHealthMonitor as writeHealthMonitor,
} from '../../../driver/db/healthMonitors';
import { findPool } from '../../../driver/db/pools';
import { healthMonitorDict } from '../../../driver/db/providerDicts';
import { checkQuota } from '../../../driver/db/quotas';
import { insertTags, replaceTags, tagRows } from '../../../driver/db/tags';
import { ConflictError, InvalidOptionError } from '../../../driver/domain/errors';
import type { HealthMonitorCreate, HealthMonitorUpdate } from '../../changes/bodies';
import { refuseDeleting } from '../../changes/busy';
import { MONITOR_RENAMES, updatesOf } from '../../changes/casts';
import { NO_ANSWER, runChange } from '../../changes/change';
import type { Answer, Caller, CommandDeps } from '../../changes/deps';
import { found } from '../../changes/found';
import { claimPool } from '../../changes/poolChange';
import { checkCarried } from '../../changes/provider';
import { readTags } from '../../changes/tags';
import { buildHealthMonitor, changeHealthMonitor } from './build';
import { checkHealthMonitorCreate, checkHealthMonitorUpdate } from './rules';

/** @throws ServiceError */
export async function createHealthMonitor<T>(
  deps: CommandDeps,
  caller: Caller,
  { body }: { body: HealthMonitorCreate },
  answer: Answer<T>,
): Promise<T> {
  const { settings } = deps;
  const tags = readTags(body.tags);
  const { pool_id: poolId } = body;
  if (!poolId) throw new InvalidOptionError('None', 'pool_id');
  const parent = found(await findPool(deps.db, poolId), 'Pool', poolId);
  checkHealthMonitorCreate(body, parent.protocol, settings);

  const work = async (trx: Db, at: Date) => {
    const quota = { projectId: parent.project_id, add: { health_monitor: 1 } };
    await checkQuota(trx, quota, settings.defaultQuotas);
    await claimPool(deps, trx, { poolId, at });
    if (await hasMonitor(trx, poolId)) throw new ConflictError('This pool already has a health monitor');
    checkCarried([body.type], settings);
    const monitor = buildHealthMonitor(body, { id: deps.newId(), projectId: parent.project_id, poolId });
    await insertHealthMonitors(trx, [monitor], at);
    await insertTags(trx, tagRows(monitor.id, tags));
    const args = { health_monitor: healthMonitorDict(monitor) };
    return { id: monitor.id, quota, cast: { method: 'create_health_monitor', args } };
  };
  return runChange(deps, caller, { change: { loadBalancerId: parent.load_balancer_id, work }, answer });
}

/** @throws NotFoundError */
async function findParent(db: Db, id: string) {
  const monitor = found(await findHealthMonitor(db, id), 'Health Monitor', id);
  return found(await findPool(db, monitor.pool_id), 'Health Monitor', id);
}

/** @throws ServiceError */
export async function updateHealthMonitor<T>(
  deps: CommandDeps,
  caller: Caller,
  { id, body }: { id: string; body: HealthMonitorUpdate },
  answer: Answer<T>,
): Promise<T> {
  const tags = body.tags === undefined ? undefined : readTags(body.tags);
  const pool = await findParent(deps.db, id);

  const work = async (trx: Db, at: Date) => {
    await claimPool(deps, trx, { poolId: pool.id, at });
    const stored = found(await findHealthMonitor(trx, id), 'Health Monitor', id);
    refuseDeleting('Health Monitor', stored);
    checkHealthMonitorUpdate(body, stored, deps.settings);
    const columns = changeHealthMonitor(body, stored);
    await writeHealthMonitor(trx, id, columns, at);
    if (tags) await replaceTags(trx, id, tags);
    const after = healthMonitorDict({ ...stored, ...columns });
    const args = {
      original_health_monitor: healthMonitorDict(stored),
      health_monitor_updates: updatesOf(after, body, MONITOR_RENAMES),
    };
    return { id, cast: { method: 'update_health_monitor', args } };
  };
  return runChange(deps, caller, { change: { loadBalancerId: pool.load_balancer_id, work }, answer });
}

/** @throws ServiceError */
export async function deleteHealthMonitor(deps: CommandDeps, caller: Caller, { id }: { id: string }): Promise<void> {
  const pool = await findParent(deps.db, id);
  const work = async (trx: Db, at: Date) => {
    await claimPool(deps, trx, { poolId: pool.id, at });
    const stored = found(await findHealthMonitor(trx, id), 'Health Monitor', id);
    await markPendingDelete(trx, 'health_monitor', [id], at);
    return { id, cast: { method: 'delete_health_monitor', args: { health_monitor: healthMonitorDict(stored) } } };
  };
  await runChange(deps, caller, { change: { loadBalancerId: pool.load_balancer_id, work }, answer: NO_ANSWER });
}
