import { markListenersOf, markPendingUpdate } from '../../driver/db/changes';
import type { Db } from '../../driver/db/connect';
import { findPool } from '../../driver/db/pools';
import type { PoolRow } from '../../driver/db/rows';
import { claimForChild, requireMutable } from './busy';
import type { CommandDeps } from './deps';
import { found } from './found';

/**
 * Claims a pool's load balancer for a change of its members or monitor: the pool is tested first, then the load balancer;
 * the pool and every listener that uses it show PENDING_UPDATE.
 * @throws BusyError, NotFoundError
 */
export async function claimPool(
  { settings }: CommandDeps,
  trx: Db,
  { poolId, at }: { poolId: string; at: Date },
): Promise<PoolRow> {
  const pool = await findMutablePool(trx, poolId);
  const loadBalancerId = pool.load_balancer_id;
  await claimForChild(trx, { loadBalancerId, intent: 'update', deadline: settings.pendingDeadline, at });
  await markListenersOf(trx, { loadBalancerId, poolIds: [poolId] }, at);
  await markPendingUpdate(trx, 'pool', [poolId], at);
  return pool;
}

/** @throws BusyError, NotFoundError */
export async function findMutablePool(db: Db, poolId: string): Promise<PoolRow> {
  const pool = found(await findPool(db, poolId), 'Pool', poolId);
  requireMutable('Pool', pool);
  return pool;
}
