import { toBigInt } from './codecs';
import { type Db, inTransaction } from './connect';
import type { ListenerStatisticsRow } from './rows';

/** Counters of listeners: absolute for each (listener, engine); what is shown is their sum over the engines. */

/** Decimal strings count since the load balancer first came to the engine. */
export interface ListenerCount {
  readonly listenerId: string;
  readonly bytesIn: string;
  readonly bytesOut: string;
  readonly activeConnections: number;
  readonly totalConnections: string;
  readonly requestErrors: string;
}

const BATCH = 200;

/**
 * Stores what an engine counted. A count below the stored one (an engine that lost its own) leaves that in place: no total
 * ever falls. Listeners that are not placed on the engine are passed over.
 */
export async function recordCounters(db: Db, engineId: string, counts: readonly ListenerCount[]): Promise<void> {
  for (let start = 0; start < counts.length; start += BATCH) {
    const batch = new Map(counts.slice(start, start + BATCH).map((count) => [count.listenerId, count]));
    await inTransaction(db, (trx) => recordBatch(trx, engineId, batch));
  }
}

async function recordBatch(trx: Db, engineId: string, counts: ReadonlyMap<string, ListenerCount>): Promise<void> {
  const ids = [...counts.keys()];
  const listeners: { id: string; load_balancer_id: string }[] = await trx('listener as l')
    .join('placement as p', 'p.load_balancer_id', 'l.load_balancer_id')
    .where('p.service_engine_id', engineId)
    .whereIn('l.id', ids)
    .select('l.id', 'l.load_balancer_id');
  const stored: ListenerStatisticsRow[] = await trx('listener_statistics')
    .where({ amphora_id: engineId })
    .whereIn('listener_id', ids)
    .select('*');
  const before = new Map(stored.map((row) => [row.listener_id, row]));
  const rows = listeners.flatMap(({ id, load_balancer_id }) => {
    const count = counts.get(id);
    return count ? [statisticsRow(count, { engineId, loadBalancerId: load_balancer_id, before: before.get(id) })] : [];
  });
  if (rows.length === 0) return;
  await trx('listener_statistics').insert(rows).onConflict(['listener_id', 'amphora_id']).merge();
}

interface CountContext {
  readonly engineId: string;
  readonly loadBalancerId: string;
  readonly before: ListenerStatisticsRow | undefined;
}

function statisticsRow(
  count: ListenerCount,
  { engineId, loadBalancerId, before }: CountContext,
): ListenerStatisticsRow {
  return {
    listener_id: count.listenerId,
    amphora_id: engineId,
    load_balancer_id: loadBalancerId,
    bytes_in: larger(count.bytesIn, before?.bytes_in),
    bytes_out: larger(count.bytesOut, before?.bytes_out),
    active_connections: count.activeConnections,
    total_connections: larger(count.totalConnections, before?.total_connections),
    request_errors: larger(count.requestErrors, before?.request_errors),
  };
}

function larger(count: string, stored: string | number | undefined): string {
  const now = BigInt(count);
  const before = toBigInt(stored ?? 0);
  return (now > before ? now : before).toString();
}
