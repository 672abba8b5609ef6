import type { Logger } from 'pino';
import type { ComputeDriver } from '../clouds/compute/port';
import type { Db } from '../db/connect';
import { findEngine } from '../db/engines';
import { recordEvents } from '../db/events';

export interface LeftoverDeps {
  readonly db: Db;
  readonly compute: ComputeDriver;
  readonly log: Logger;
  /** Milliseconds a server without a row is left alone. */
  readonly grace: number;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
}

/** A job that deletes servers that bear our tag and have no row, once they have been seen so for the grace period. */
export function createLeftoverSearch(deps: LeftoverDeps): () => Promise<void> {
  let seen = new Map<string, number>();
  return async () => {
    const still = new Map<string, number>();
    for (const server of await deps.compute.listServers()) {
      if (await findEngine(deps.db, server.engineId)) continue;
      const since = seen.get(server.id) ?? deps.now();
      if (deps.now() - since < deps.grace) {
        still.set(server.id, since);
        continue;
      }
      await deps.compute.deleteServer(server.id);
      deps.log.warn({ server: server.id, engine: server.engineId }, 'a server without an engine is deleted');
      const message = `server ${server.name} (${server.id}) belongs to no engine; it is deleted`;
      await recordEvents(deps.db, [{ name: 'SERVER_LEFT_OVER', severity: 'warning', message }], {
        engineId: server.engineId,
      });
    }
    seen = still;
  };
}
