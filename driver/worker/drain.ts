import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { type Bus, HINTS_TOPIC, type Subscription } from '../bus/port';
import type { Db } from '../db/connect';
import { releaseLeasesOf } from '../db/leases';
import type { KeyedQueue } from '../reconcile/keyedQueue';
import { hintOf } from './units';

export interface DrainDeps {
  readonly db: Db;
  readonly bus: Bus;
  readonly log: Logger;
  readonly subscriptions: readonly Subscription[];
  readonly queue: KeyedQueue;
  /** Holder of this worker's leases. */
  readonly owner: string;
  /** Seconds for the runs under way. */
  readonly seconds: number;
}

/**
 * Ends a worker's work: nothing more is taken, what waits goes to other workers, what runs may finish for a while. Runs
 * that do not finish lose their leases, so that others need not wait for those to expire; whatever such a run still does
 * is void.
 */
export async function drain({ db, bus, log, subscriptions, queue, owner, seconds }: DrainDeps): Promise<void> {
  await Promise.all(subscriptions.map((it) => it.close()));
  const waiting = queue.waiting();
  const ended = queue.close().then(() => true);
  await handBack(bus, waiting).catch((err: unknown) => {
    log.warn({ err, units: waiting.length }, 'nobody was told of units that wait: the sweep finds them');
  });
  const late = sleep(seconds * 1000, false, { ref: false });
  if (await Promise.race([ended, late])) return;
  log.warn({ seconds }, 'runs do not come to their end: others may take them over');
  await releaseLeasesOf(db, owner);
}

async function handBack(bus: Bus, keys: readonly string[]): Promise<void> {
  await Promise.all(keys.map((key) => bus.publish(HINTS_TOPIC, hintOf(key))));
}
