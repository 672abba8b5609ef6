import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Db } from '../db/connect';
import type { ServiceEngineRow } from '../db/rows';

/** Milliseconds. */
const PATIENCE = 15_000;
const LOOK_EVERY = 50;

/** Waits until the site's engine has called, so that the first load balancer need not; after a while goes on without. */
export async function waitForEngine(db: Db, log: Logger): Promise<void> {
  const until = performance.now() + PATIENCE;
  while (performance.now() < until) {
    const ready = await db<ServiceEngineRow>('service_engine')
      .where({ status: 'READY' })
      .whereNotNull('connected_to')
      .first('id');
    if (ready) return;
    await sleep(LOOK_EVERY);
  }
  log.warn('the engine has not called yet: load balancers wait for it');
}
