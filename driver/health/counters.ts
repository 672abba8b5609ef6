import type { Logger } from 'pino';
import type { Db } from '../db/connect';
import { type EngineCount, recordCounters } from '../db/statistics';
import type { ListenerCounters } from '../protocol/messages';

/** Stores counters in batches; of one listener on one engine only the newest. */
export interface CounterWriter {
  take(engineId: string, listeners: readonly ListenerCounters[]): void;
  /** Resolves when everything taken so far is stored, or lost: absolute counts come again. */
  flush(): Promise<void>;
}

export function createCounterWriter({ db, log }: { db: Db; log: Logger }): CounterWriter {
  let pending = new Map<string, EngineCount>();
  let running: Promise<void> | undefined;

  const drain = async (): Promise<void> => {
    while (pending.size > 0) {
      const counts = [...pending.values()];
      pending = new Map();
      await recordCounters(db, counts).catch((err: unknown) =>
        log.warn({ err, count: counts.length }, 'counters could not be stored; they will come again'),
      );
    }
    running = undefined;
  };
  return {
    take(engineId, listeners) {
      for (const count of listeners) pending.set(`${engineId} ${count.listenerId}`, { engineId, ...count });
      running ??= drain();
    },
    flush: () => running ?? Promise.resolve(),
  };
}
