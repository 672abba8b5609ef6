import type { Db } from '../../../driver/db/connect';
import { type HealthManagerParts, runHealthManager } from '../../../driver/health/main';

/** A health-manager that ends from one moment to the next, and another one in its place. */
export interface KillableManager {
  readonly port: number;
  /** From now on nothing of it reaches the database; its port is closed. Whoever is connected must be cut off before. */
  kill(): Promise<void>;
  /** Starts another one on the same port, which does not know of the first. */
  start(): Promise<void>;
  close(): Promise<void>;
}

export async function startKillableManager(parts: HealthManagerParts): Promise<KillableManager> {
  let running = await run(parts);
  const port = Number(new URL(running.url ?? '').port);
  const bind = { ...parts.config.health_manager, bind_port: port };
  // As operators have it: it waits a while for the engines before it judges any.
  const again = { ...parts, config: { ...parts.config, health_manager: bind }, settings: {} };
  return {
    port,
    async kill() {
      running.sever();
      // What it would still write on its way out it cannot.
      await running.close().catch(() => undefined);
    },
    async start() {
      running = await run(again);
    },
    close: () => running.close().catch(() => undefined),
  };
}

async function run(parts: HealthManagerParts) {
  let isSevered = false;
  const check = (): void => {
    if (isSevered) throw new Error('the process was killed');
  };
  const db: Db = new Proxy(parts.db, {
    apply(target, self, words) {
      check();
      return Reflect.apply(target, self, words);
    },
    get(target, name) {
      check();
      return Reflect.get(target, name);
    },
  });
  const { url, close } = await runHealthManager({ ...parts, db });
  return {
    url,
    close,
    sever() {
      isSevered = true;
    },
  };
}
