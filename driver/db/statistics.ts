import { toBigInt } from './codecs';
import { type Db, inTransaction } from './connect';
import type { ListenerStatisticsRow } from './rows';

/** Counters of listeners: absolute for each (listener, engine); what is shown is their sum over the engines. */

/** What one engine counted for one listener. Decimal strings count since the load balancer first came to the engine. */
export interface EngineCount {
  readonly engineId: string;
  readonly listenerId: string;
  readonly bytesIn: string;
  readonly bytesOut: string;
  readonly activeConnections: number;
  readonly totalConnections: string;
  readonly requestErrors: string;
}

const BATCH = 200;

/**
 * Stores counts, at most one for each listener and engine. A count below the stored one (an engine that lost its own)
 * leaves that in place: no total ever falls. Listeners that are not placed on the engine are passed over.
 */
export async function recordCounters(db: Db, counts: readonly EngineCount[]): Promise<void> {
  for (let start = 0; start < counts.length; start += BATCH) {
    const batch = counts.slice(start, start + BATCH);
    await inTransaction(db, (trx) => recordBatch(trx, batch));
  }
}

/** Counters that a provider driver of somebody else keeps by itself. */
export type ListenerCount = Omit<EngineCount, 'engineId'> & { readonly loadBalancerId: string };

/** Puts counts in the place of those stored before, whatever they were; in Octavia's manner under the listener's own id. */
export async function replaceCounters(db: Db, counts: readonly ListenerCount[]): Promise<void> {
  if (counts.length === 0) return;
  const rows: ListenerStatisticsRow[] = counts.map(({ listenerId, loadBalancerId, ...count }) => ({
    ...statisticsRow({ ...count, listenerId, engineId: listenerId }, loadBalancerId, undefined),
  }));
  await inTransaction(db, async (trx) => {
    await trx('listener_statistics').insert(rows).onConflict(['listener_id', 'amphora_id']).merge();
  });
}

async function recordBatch(trx: Db, counts: readonly EngineCount[]): Promise<void> {
  const listenerIds = [...new Set(counts.map(({ listenerId }) => listenerId))];
  const engineIds = [...new Set(counts.map(({ engineId }) => engineId))];
  const placed: Placed[] = await trx('listener as l')
    .join('placement as p', 'p.load_balancer_id', 'l.load_balancer_id')
    .whereIn('l.id', listenerIds)
    .whereIn('p.service_engine_id', engineIds)
    .select('l.id as listener_id', 'l.load_balancer_id', 'p.service_engine_id as amphora_id');
  const stored: ListenerStatisticsRow[] = await trx('listener_statistics')
    .whereIn('listener_id', listenerIds)
    .whereIn('amphora_id', engineIds)
    .select('*');
  const loadBalancerIds = new Map(placed.map((row) => [keyOf(row), row.load_balancer_id]));
  const before = new Map(stored.map((row) => [keyOf(row), row]));
  const rows = counts.flatMap((count) => {
    const key = keyOf({ listener_id: count.listenerId, amphora_id: count.engineId });
    const loadBalancerId = loadBalancerIds.get(key);
    return loadBalancerId === undefined ? [] : [statisticsRow(count, loadBalancerId, before.get(key))];
  });
  if (rows.length === 0) return;
  await trx('listener_statistics').insert(rows).onConflict(['listener_id', 'amphora_id']).merge();
}

type Placed = Pick<ListenerStatisticsRow, 'listener_id' | 'amphora_id' | 'load_balancer_id'>;

function keyOf(row: Pick<ListenerStatisticsRow, 'listener_id' | 'amphora_id'>): string {
  return `${row.amphora_id} ${row.listener_id}`;
}

function statisticsRow(
  count: EngineCount,
  loadBalancerId: string,
  before: ListenerStatisticsRow | undefined,
): ListenerStatisticsRow {
  return {
    listener_id: count.listenerId,
    amphora_id: count.engineId,
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
