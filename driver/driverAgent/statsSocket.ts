import { z } from 'zod';
import type { Db } from '../db/connect';
import { findOwner } from '../db/providerOwners';
import { type ListenerCount, replaceCounters } from '../db/statistics';
import { failureText, OK, type Reply, STATUS_FAILED } from './replies';
import { notExternal } from './statusSocket';

export interface StatsDeps {
  readonly db: Db;
  readonly externalProviders: ReadonlySet<string>;
}

/** Counters are 64 bits wide in the database. */
const Count = z.int().min(0);

const Request = z.object({
  listeners: z
    .array(
      z.object({
        id: z.string().min(1).max(64),
        active_connections: Count,
        bytes_in: Count,
        bytes_out: Count,
        request_errors: Count,
        total_connections: Count,
      }),
    )
    .default([]),
});
type Stats = z.infer<typeof Request>['listeners'][number];

/** Takes absolute counters of listeners, which replace what was there. Those of listeners that are gone are passed over. */
export async function takeStatistics(deps: StatsDeps, request: unknown): Promise<Reply> {
  const parsed = Request.safeParse(request);
  if (!parsed.success) return failed(failureText(parsed.error));
  try {
    const counts: ListenerCount[] = [];
    for (const stats of parsed.data.listeners) {
      const owner = await findOwner(deps.db, 'listeners', stats.id);
      if (!owner) continue;
      if (!deps.externalProviders.has(owner.provider)) {
        return failed(notExternal({ kind: 'listeners', id: stats.id }, owner));
      }
      counts.push(countOf(stats, owner.loadBalancerId));
    }
    await replaceCounters(deps.db, counts);
    return OK;
  } catch (error) {
    return failed(error instanceof Error ? error.message : String(error));
  }
}

function failed(reason: string): Reply {
  return { status_code: STATUS_FAILED, fault_string: reason, stats_object: 'listeners' };
}

function countOf(stats: Stats, loadBalancerId: string): ListenerCount {
  return {
    listenerId: stats.id,
    loadBalancerId,
    activeConnections: stats.active_connections,
    bytesIn: String(stats.bytes_in),
    bytesOut: String(stats.bytes_out),
    requestErrors: String(stats.request_errors),
    totalConnections: String(stats.total_connections),
  };
}
