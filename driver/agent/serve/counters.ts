import { z } from 'zod';
import type { ListenerCounters } from '../../protocol/messages';
import { COUNTED, type StatRow } from '../haproxy/stats';

/** By column of `show stat`; what is 0 is left out. */
const Sums = z.record(z.string(), z.string());
/** By series. */
const Series = z.record(z.string(), Sums);

/**
 * What is kept on disk: the sums of workers that have ended, and what was last seen of those that had not. Worker names
 * hold pid and start time, so that after a restart of the agent a worker is recognised and not added twice.
 */
export const StoredCounters = z.object({ ended: Series, workers: z.record(z.string(), Series) });
export type StoredCounters = z.infer<typeof StoredCounters>;

/** Counts by column of `show stat`. */
export type Tally = Map<string, bigint>;
/** By series: `section/FRONTEND`, `section/BACKEND` or `section/server`, as haproxy names them. */
type Tallies = Map<string, Tally>;

/**
 * Adds up what all workers of a load balancer, past and present, have counted. Totals of listeners never fall: a worker
 * counts with the most it ever said, also when it is gone.
 */
export interface Counters {
  /** Takes what the worker says now; true if anything has changed. */
  observe(worker: string, rows: readonly StatRow[]): boolean;
  /** The worker has deleted a server, which begins anew if it comes again: what it last said stays. */
  deleted(worker: string, series: string): void;
  /** The worker has ended: what it last said stays. */
  retire(worker: string): void;
  /** Workers that are not retired. */
  workers(): string[];
  totals(loadBalancerId: string): ListenerCounters[];
  /** Everything counted, by series. */
  sums(): ReadonlyMap<string, Tally>;
  /** Sessions that are open now, over all workers. */
  active(series: string): number;
  /** Forgets what ended workers counted in series that nobody will ask for. */
  prune(isWanted: (series: string) => boolean): void;
  stored(): StoredCounters;
}

interface Worker {
  readonly tallies: Tallies;
  /** What each tally was made of, to be compared. */
  readonly raw: Map<string, string>;
  active: ReadonlyMap<string, number>;
}

export function createCounters(from: StoredCounters | null): Counters {
  const ended: Tallies = readSeries(from?.ended ?? {});
  const workers = new Map(
    Object.entries(from?.workers ?? {}).map(([name, series]) => [name, newWorker(readSeries(series))]),
  );
  const fold = (series: string, tally: Tally | undefined) => {
    if (tally !== undefined) ended.set(series, sum(ended.get(series), tally));
  };
  return {
    observe(name, rows) {
      const worker = workers.get(name) ?? newWorker(new Map());
      workers.set(name, worker);
      worker.active = new Map(rows.map((row) => [seriesOf(row), row.currentSessions]));
      return rows.filter((row) => take(worker, row, fold)).length > 0;
    },
    deleted(name, series) {
      const worker = workers.get(name);
      fold(series, worker?.tallies.get(series));
      worker?.tallies.delete(series);
      worker?.raw.delete(series);
    },
    retire(name) {
      for (const [series, tally] of workers.get(name)?.tallies ?? []) fold(series, tally);
      workers.delete(name);
    },
    workers: () => [...workers.keys()],
    totals: (loadBalancerId) => totalsOf(loadBalancerId, addUp(ended, workers), (series) => activeIn(workers, series)),
    sums: () => addUp(ended, workers),
    active: (series) => activeIn(workers, series),
    prune(isWanted) {
      for (const series of [...ended.keys()]) if (!isWanted(series)) ended.delete(series);
    },
    stored: () => ({
      ended: writeSeries(ended),
      workers: Object.fromEntries([...workers].map(([name, { tallies }]) => [name, writeSeries(tallies)])),
    }),
  };
}

function newWorker(tallies: Tallies): Worker {
  return { tallies, raw: new Map(), active: new Map() };
}

function seriesOf({ proxy, server }: StatRow): string {
  return `${proxy}/${server}`;
}

function take(worker: Worker, row: StatRow, fold: (series: string, tally: Tally | undefined) => void): boolean {
  const series = seriesOf(row);
  const counts = row.counts ?? COUNTED.map((column) => plainCount(row, column));
  const raw = counts.join();
  if (worker.raw.get(series) === raw) return false;
  worker.raw.set(series, raw);
  const before = worker.tallies.get(series);
  const now = tallyOf(counts);
  const server = row.server !== 'FRONTEND' && row.server !== 'BACKEND';
  if (server && hasFallen(before, now)) {
    // Deleted and added again between two looks.
    fold(series, before);
    worker.tallies.set(series, now);
  } else worker.tallies.set(series, combine(before, now, largest));
  return true;
}

function plainCount({ totalSessions, bytesIn, bytesOut, requestErrors }: StatRow, column: string): string {
  return { stot: totalSessions, bin: bytesIn, bout: bytesOut, ereq: requestErrors }[column] ?? '0';
}

function tallyOf(counts: readonly string[]): Tally {
  const tally: Tally = new Map();
  for (const [index, count] of counts.entries()) {
    const column = COUNTED[index];
    if (column !== undefined && count !== '0') tally.set(column, BigInt(count));
  }
  return tally;
}

function hasFallen(before: Tally | undefined, now: Tally): boolean {
  return [...(before ?? [])].some(([column, count]) => (now.get(column) ?? 0n) < count);
}

function totalsOf(
  loadBalancerId: string,
  sums: ReadonlyMap<string, Tally>,
  active: (series: string) => number,
): ListenerCounters[] {
  return [...sums]
    .filter(([series]) => series.endsWith('/FRONTEND'))
    .map(([series, tally]) => ({
      loadBalancerId,
      listenerId: series.slice(0, -'/FRONTEND'.length),
      bytesIn: String(tally.get('bin') ?? 0n),
      bytesOut: String(tally.get('bout') ?? 0n),
      activeConnections: active(series),
      totalConnections: String(tally.get('stot') ?? 0n),
      requestErrors: String(tally.get('ereq') ?? 0n),
    }));
}

function addUp(ended: Tallies, workers: ReadonlyMap<string, Worker>): Tallies {
  const totals: Tallies = new Map();
  for (const tallies of [ended, ...[...workers.values()].map((worker) => worker.tallies)]) {
    for (const [series, tally] of tallies) totals.set(series, sum(totals.get(series), tally));
  }
  return totals;
}

function activeIn(workers: ReadonlyMap<string, Worker>, series: string): number {
  return [...workers.values()].reduce((total, { active }) => total + (active.get(series) ?? 0), 0);
}

function combine(one: Tally | undefined, other: Tally, how: (a: bigint, b: bigint) => bigint): Tally {
  if (one === undefined) return other;
  const result: Tally = new Map(one);
  for (const [column, count] of other) result.set(column, how(one.get(column) ?? 0n, count));
  return result;
}

function sum(one: Tally | undefined, other: Tally): Tally {
  return combine(one, other, (a, b) => a + b);
}

function largest(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function readSeries(stored: StoredCounters['ended']): Tallies {
  return new Map(
    Object.entries(stored).map(([series, sums]) => [
      series,
      new Map(Object.entries(sums).map(([column, count]) => [column, BigInt(count)])),
    ]),
  );
}

function writeSeries(tallies: Tallies): StoredCounters['ended'] {
  return Object.fromEntries(
    [...tallies].map(([series, tally]) => [
      series,
      Object.fromEntries([...tally].map(([column, count]) => [column, String(count)])),
    ]),
  );
}
