import { toDbTime } from './codecs';
import type { Db } from './connect';
import { insertRows } from './insertRows';
import { type NewRow, newTreeColumns, type RowChange } from './newRows';
import type { PoolRow, SessionPersistenceRow } from './rows';

export interface NewPool {
  readonly row: NewRow<PoolRow>;
  readonly persistence: SessionPersistenceRow | null;
}

/** A pool with its persistence, as an update sees it. */
export interface StoredPool {
  readonly row: PoolRow;
  readonly persistence: SessionPersistenceRow | undefined;
}

export async function insertPools(db: Db, pools: readonly NewPool[], at: Date): Promise<void> {
  const columns = newTreeColumns(at);
  await insertRows(
    db,
    'pool',
    pools.map(({ row }) => ({ ...row, ...columns })),
  );
  await insertRows(
    db,
    'session_persistence',
    pools.flatMap(({ persistence }) => persistence ?? []),
  );
}

export async function findPool(db: Db, id: string): Promise<PoolRow | undefined> {
  return db<PoolRow>('pool').where({ id }).first();
}

export async function findStoredPool(db: Db, id: string): Promise<StoredPool | undefined> {
  const row = await findPool(db, id);
  if (!row) return undefined;
  const persistence = await db<SessionPersistenceRow>('session_persistence').where({ pool_id: id }).first();
  return { row, persistence };
}

/** What an update writes; persistence: replaced if given, removed by null. */
export interface PoolChange {
  readonly columns: RowChange<PoolRow>;
  readonly persistence?: SessionPersistenceRow | null;
}

/** Shows PENDING_UPDATE. */
export async function updatePool(db: Db, id: string, change: PoolChange, at: Date): Promise<void> {
  const columns = { ...change.columns, provisioning_status: 'PENDING_UPDATE', updated_at: toDbTime(at) };
  await db('pool').where({ id }).update(columns);
  if (change.persistence === undefined) return;
  await db('session_persistence').where({ pool_id: id }).delete();
  if (change.persistence) await db('session_persistence').insert(change.persistence);
}

/** One of the L7 policies that redirect to the pool. */
export async function findPolicyRedirectingTo(db: Db, poolId: string): Promise<string | undefined> {
  const row = await db('l7policy').where({ redirect_pool_id: poolId, deleting: 0 }).orderBy('id').first('id');
  return row?.id;
}
