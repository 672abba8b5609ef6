import type { Db } from './connect';

/** The connections of this process. */
export interface PoolUse {
  readonly used: number;
  readonly free: number;
  /** Requests that wait for one. */
  readonly waiting: number;
}

/** The part of knex's pool that is read here; knex has no types for it. */
interface Pool {
  numUsed(): number;
  numFree(): number;
  numPendingAcquires(): number;
}

export function poolUse(db: Db): PoolUse {
  const { pool } = db.client as { pool: Pool };
  return { used: pool.numUsed(), free: pool.numFree(), waiting: pool.numPendingAcquires() };
}
