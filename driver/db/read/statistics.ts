import { toNumber } from '../codecs';
import { type Db, prepared } from '../connect';
import type { BigCount } from '../rows';

const COUNTS = ['bytes_in', 'bytes_out', 'active_connections', 'total_connections', 'request_errors'] as const;
export type Statistics = Record<(typeof COUNTS)[number], number>;

/** Summed over all engines, those that have left included; zeros where nothing was reported. */
export async function readStatistics(
  db: Db,
  column: 'listener_id' | 'load_balancer_id',
  id: string,
): Promise<Statistics> {
  const sums = COUNTS.map((count) => `coalesce(sum(${count}), 0) as ${count}`).join(', ');
  const sql = `select ${sums} from listener_statistics where ${column} = ?`;
  const [row] = await prepared<Record<string, BigCount>>(db, sql, [id]);
  return Object.fromEntries(COUNTS.map((count) => [count, toNumber(row?.[count] ?? 0)])) as Statistics;
}
