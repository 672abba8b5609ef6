import { z } from 'zod';
import type { ListenerCounters } from '../../protocol/messages';
import type { StatRow } from '../haproxy/stats';

const Sums = z.object({ bytesIn: z.string(), bytesOut: z.string(), connections: z.string(), errors: z.string() });

/**
 * What is kept on disk: per listener the sum of workers that have ended, and what was last seen of those that had not.
 * Worker names hold pid and start time, so that after a restart of the agent a worker is recognised and not added twice.
 */
export const StoredCounters = z.object({
  ended: z.record(z.string(), Sums),
  workers: z.record(z.string(), z.record(z.string(), Sums)),
});
export type StoredCounters = z.infer<typeof StoredCounters>;

interface Tally {
  bytesIn: bigint;
  bytesOut: bigint;
  connections: bigint;
  errors: bigint;
}
type ByListener = Map<string, Tally>;

/**
 * Adds up what all workers of a load balancer, past and present, have counted. Totals never fall: a worker counts with
 * the most it ever said, also when it is gone.
 */
export interface Counters {
  /** Takes what the worker says now. */
  observe(worker: string, rows: readonly StatRow[]): void;
  /** The worker has ended: what it last said stays. */
  retire(worker: string): void;
  /** Workers that are not retired. */
  workers(): string[];
  totals(loadBalancerId: string): ListenerCounters[];
  stored(): StoredCounters;
}

export function createCounters(from: StoredCounters | null): Counters {
  const ended: ByListener = from === null ? new Map() : readSums(from.ended);
  const workers = new Map(Object.entries(from?.workers ?? {}).map(([name, sums]) => [name, readSums(sums)]));
  const active = new Map<string, Map<string, number>>();
  return {
    observe(worker, rows) {
      const seen = workers.get(worker) ?? new Map<string, Tally>();
      workers.set(worker, seen);
      const sessions = new Map<string, number>();
      for (const row of rows.filter(({ server }) => server === 'FRONTEND')) {
        seen.set(row.proxy, most(seen.get(row.proxy), tallyOf(row)));
        sessions.set(row.proxy, row.currentSessions);
      }
      active.set(worker, sessions);
    },
    retire(worker) {
      for (const [listener, tally] of workers.get(worker) ?? []) ended.set(listener, sum(ended.get(listener), tally));
      workers.delete(worker);
      active.delete(worker);
    },
    workers: () => [...workers.keys()],
    totals: (loadBalancerId) => totalsOf(loadBalancerId, [ended, ...workers.values()], [...active.values()]),
    stored: () => ({
      ended: writeSums(ended),
      workers: Object.fromEntries([...workers].map(([name, sums]) => [name, writeSums(sums)])),
    }),
  };
}

function totalsOf(
  loadBalancerId: string,
  parts: readonly ByListener[],
  active: readonly ReadonlyMap<string, number>[],
): ListenerCounters[] {
  const totals: ByListener = new Map();
  for (const part of parts) {
    for (const [listener, tally] of part) totals.set(listener, sum(totals.get(listener), tally));
  }
  return [...totals].map(([listenerId, tally]) => ({
    loadBalancerId,
    listenerId,
    bytesIn: String(tally.bytesIn),
    bytesOut: String(tally.bytesOut),
    activeConnections: active.reduce((total, sessions) => total + (sessions.get(listenerId) ?? 0), 0),
    totalConnections: String(tally.connections),
    requestErrors: String(tally.errors),
  }));
}

function tallyOf(row: StatRow): Tally {
  return {
    bytesIn: BigInt(row.bytesIn),
    bytesOut: BigInt(row.bytesOut),
    connections: BigInt(row.totalSessions),
    errors: BigInt(row.requestErrors),
  };
}

function combine(one: Tally | undefined, other: Tally, how: (a: bigint, b: bigint) => bigint): Tally {
  if (one === undefined) return other;
  return {
    bytesIn: how(one.bytesIn, other.bytesIn),
    bytesOut: how(one.bytesOut, other.bytesOut),
    connections: how(one.connections, other.connections),
    errors: how(one.errors, other.errors),
  };
}

function sum(one: Tally | undefined, other: Tally): Tally {
  return combine(one, other, (a, b) => a + b);
}

function most(one: Tally | undefined, other: Tally): Tally {
  return combine(one, other, largest);
}

function readSums(sums: StoredCounters['ended']): ByListener {
  return new Map(
    Object.entries(sums).map(([listener, { bytesIn, bytesOut, connections, errors }]) => [
      listener,
      {
        bytesIn: BigInt(bytesIn),
        bytesOut: BigInt(bytesOut),
        connections: BigInt(connections),
        errors: BigInt(errors),
      },
    ]),
  );
}

function writeSums(sums: ByListener): StoredCounters['ended'] {
  return Object.fromEntries(
    [...sums].map(([listener, tally]) => [
      listener,
      {
        bytesIn: String(tally.bytesIn),
        bytesOut: String(tally.bytesOut),
        connections: String(tally.connections),
        errors: String(tally.errors),
      },
    ]),
  );
}

/** Math.max takes no bigint. */
function largest(one: bigint, other: bigint): bigint {
  if (one > other) return one;
  return other;
}
