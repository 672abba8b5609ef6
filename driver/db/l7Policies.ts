import { toDbTime } from './codecs';
import type { Db } from './connect';
import { insertRows } from './insertRows';
import { type NewRow, newTreeColumns, type RowChange } from './newRows';
import type { L7PolicyRow } from './rows';

export type NewL7Policy = NewRow<L7PolicyRow>;

export async function insertL7Policies(db: Db, policies: readonly NewL7Policy[], at: Date): Promise<void> {
  const columns = newTreeColumns(at);
  await insertRows(
    db,
    'l7policy',
    policies.map((policy) => ({ ...policy, ...columns })),
  );
}

export async function findL7Policy(db: Db, id: string): Promise<L7PolicyRow | undefined> {
  return db<L7PolicyRow>('l7policy').where({ id }).first();
}

export async function countL7Policies(db: Db, listenerId: string): Promise<number> {
  const row = await db('l7policy').where({ listener_id: listenerId }).count({ count: '*' }).first();
  return Number(row?.['count'] ?? 0);
}

/** Makes room at the position: everything from there on moves down by one. */
export async function openPosition(db: Db, listenerId: string, position: number): Promise<void> {
  await db('l7policy').where({ listener_id: listenerId }).where('position', '>=', position).increment('position', 1);
}

/** Moves what lies between, so that positions stay dense; the policy's own is written by the caller. */
export async function shiftPositions(
  db: Db,
  listenerId: string,
  { from, to }: { from: number; to: number },
): Promise<void> {
  const others = db('l7policy').where({ listener_id: listenerId });
  if (to < from) await others.whereBetween('position', [to, from - 1]).increment('position', 1);
  if (to > from) await others.whereBetween('position', [from + 1, to]).decrement('position', 1);
}

/** Shows PENDING_UPDATE. */
export async function updateL7Policy(db: Db, id: string, columns: RowChange<L7PolicyRow>, at: Date): Promise<void> {
  await db('l7policy')
    .where({ id })
    .update({ ...columns, provisioning_status: 'PENDING_UPDATE', updated_at: toDbTime(at) });
}
