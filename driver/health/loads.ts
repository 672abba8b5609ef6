import type { Logger } from 'pino';
import type { Db } from '../db/connect';
import { type EngineLoadRecord, recordLoads } from '../db/engineLoads';
import type { EngineLoad } from '../protocol/messages';

/** What engines say of their load with every heartbeat, averaged, and written in batches every so often. */
export interface LoadWriter {
  take(engineId: string, load: EngineLoad): void;
  /** Its average ends; what comes later begins a new one. */
  forget(engineId: string): void;
  /** Writes what is due. */
  flush(): Promise<void>;
}

export interface LoadWriterDeps {
  readonly db: Db;
  readonly log: Logger;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** Milliseconds over which loads are averaged. */
  readonly window: number;
}

interface Averaged {
  readonly at: number;
  readonly values: readonly (number | null)[];
  /** The next is to be written. */
  due: number;
  written: readonly (number | null)[] | null;
}

/** Of the window: how often a load is written that has changed. */
const WRITES_A_WINDOW = 4;
/** Windows after which also one is written that has not. */
const LONGEST = 2;
/** Part by which a value has to change to be written before that. */
const NOTABLE = 0.05;

export function createLoadWriter({ db, log, now, window }: LoadWriterDeps): LoadWriter {
  const known = new Map<string, Averaged>();
  return {
    take(engineId, load) {
      const at = now();
      const before = known.get(engineId);
      const values = valuesOf(load);
      if (!before) {
        // What is heard first may be a spike, but it is all there is.
        known.set(engineId, { at, values, due: at + window / WRITES_A_WINDOW, written: null });
        return;
      }
      const weight = 1 - Math.exp(-(at - before.at) / window);
      known.set(engineId, { ...before, at, values: values.map((it, index) => mix(before.values[index], it, weight)) });
    },
    forget: (engineId) => void known.delete(engineId),
    async flush() {
      const at = now();
      const due = [...known].filter(([, it]) => at >= it.due && at - it.at < window && isNews(it, at, window));
      if (due.length === 0) return;
      for (const [, it] of due) {
        it.due = at + window / WRITES_A_WINDOW;
        it.written = it.values;
      }
      await recordLoads(
        db,
        due.map(([engineId, { values }]) => recordOf(engineId, values)),
      ).catch((err: unknown) => log.warn({ err, engines: due.length }, 'loads could not be written; they come again'));
    },
  };
}

function isNews({ due, values, written }: Averaged, at: number, window: number): boolean {
  if (written === null || at - due >= LONGEST * window) return true;
  return values.some((it, index) => {
    const before = written[index];
    if (it === null || before === null || before === undefined) return it !== before;
    return Math.abs(it - before) > 1 && Math.abs(it - before) > NOTABLE * Math.abs(before);
  });
}

function mix(before: number | null | undefined, now: number | null, weight: number): number | null {
  if (now === null || before === null || before === undefined) return now;
  return before + weight * (now - before);
}

function valuesOf(load: EngineLoad): readonly (number | null)[] {
  const { bytesPerSecond = null, packetsPerSecond = null, connectionsPerSecond = null } = load;
  return [
    ...[load.cpuPercent, load.memoryPercent, load.connections],
    ...[bytesPerSecond, packetsPerSecond, connectionsPerSecond],
  ];
}

function recordOf(engineId: string, values: readonly (number | null)[]): EngineLoadRecord {
  const [cpu, memory, connections, bytesPerSecond = null, packetsPerSecond = null, connectionsPerSecond = null] =
    values;
  return {
    ...{ engineId, cpuPercent: cpu ?? 0, memoryPercent: memory ?? 0, connections: connections ?? 0 },
    ...{ bytesPerSecond, packetsPerSecond, connectionsPerSecond },
  };
}
