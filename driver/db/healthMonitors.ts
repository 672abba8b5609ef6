import { toDbTime } from './codecs';
import type { Db } from './connect';
import { insertRows } from './insertRows';
import { type NewRow, newTreeColumns, type RowChange } from './newRows';
import type { HealthMonitorRow } from './rows';

export type NewHealthMonitor = NewRow<HealthMonitorRow>;

export async function insertHealthMonitors(db: Db, monitors: readonly NewHealthMonitor[], at: Date): Promise<void> {
  const columns = newTreeColumns(at);
  await insertRows(
    db,
    'health_monitor',
    monitors.map((monitor) => ({ ...monitor, ...columns })),
  );
}

export async function findHealthMonitor(db: Db, id: string): Promise<HealthMonitorRow | undefined> {
  return db<HealthMonitorRow>('health_monitor').where({ id }).first();
}

/** Whether the pool has a monitor, also one that is on its way out. */
export async function hasMonitor(db: Db, poolId: string): Promise<boolean> {
  return (await db('health_monitor').where({ pool_id: poolId }).first('id')) !== undefined;
}

/** Shows PENDING_UPDATE. */
export async function updateHealthMonitor(
  db: Db,
  id: string,
  columns: RowChange<HealthMonitorRow>,
  at: Date,
): Promise<void> {
  await db('health_monitor')
    .where({ id })
    .update({ ...columns, provisioning_status: 'PENDING_UPDATE', updated_at: toDbTime(at) });
}
