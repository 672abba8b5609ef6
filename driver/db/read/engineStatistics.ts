import { toNumber } from '../codecs';
import { type Db, prepared } from '../connect';
import type { BigCount } from '../rows';

/** What one listener has counted on one engine. */
export interface ListenerOnEngine {
  readonly listenerId: string;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly activeConnections: number;
  readonly totalConnections: number;
  readonly requestErrors: number;
}

/** The counters of a load balancer's listeners on one engine. */
export async function readEngineStatistics(
  db: Db,
  engineId: string,
  loadBalancerId: string,
): Promise<ListenerOnEngine[]> {
  const sql = `select listener_id, bytes_in, bytes_out, active_connections, total_connections, request_errors
    from listener_statistics where amphora_id = ? and load_balancer_id = ? order by listener_id`;
  const rows = await prepared<Record<string, BigCount>>(db, sql, [engineId, loadBalancerId]);
  return rows.map((row) => ({
    listenerId: String(row['listener_id']),
    bytesIn: toNumber(row['bytes_in'] ?? 0),
    bytesOut: toNumber(row['bytes_out'] ?? 0),
    activeConnections: toNumber(row['active_connections'] ?? 0),
    totalConnections: toNumber(row['total_connections'] ?? 0),
    requestErrors: toNumber(row['request_errors'] ?? 0),
  }));
}
