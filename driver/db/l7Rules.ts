import { toDbTime } from './codecs';
import type { Db } from './connect';
import { insertRows } from './insertRows';
import { type NewRow, newTreeColumns, type RowChange } from './newRows';
import type { L7RuleRow } from './rows';

export type NewL7Rule = NewRow<L7RuleRow>;

export async function insertL7Rules(db: Db, rules: readonly NewL7Rule[], at: Date): Promise<void> {
  const columns = newTreeColumns(at);
  await insertRows(
    db,
    'l7rule',
    rules.map((rule) => ({ ...rule, ...columns })),
  );
}

export async function findL7Rule(db: Db, policyId: string, id: string): Promise<L7RuleRow | undefined> {
  return db<L7RuleRow>('l7rule').where({ id, l7policy_id: policyId }).first();
}

export async function countL7Rules(db: Db, policyId: string): Promise<number> {
  const row = await db('l7rule').where({ l7policy_id: policyId }).count({ count: '*' }).first();
  return Number(row?.['count'] ?? 0);
}

/** Shows PENDING_UPDATE. */
export async function updateL7Rule(db: Db, id: string, columns: RowChange<L7RuleRow>, at: Date): Promise<void> {
  await db('l7rule')
    .where({ id })
    .update({ ...columns, provisioning_status: 'PENDING_UPDATE', updated_at: toDbTime(at) });
}
