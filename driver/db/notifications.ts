import { randomUUID } from 'node:crypto';
import { eventOf, NOTIFICATIONS } from '../domain/notifications';
import type { Settlement } from '../domain/settlement';
import type { LoadBalancerTree } from '../domain/tree';
import { type Db, dbNow, nowPlus } from './connect';
import { insertOutbox } from './outbox';
import { readProviderLoadBalancer } from './read/providerObjects';
import type { EventRow } from './rows';

/**
 * Puts what is to be told of the end of a run into the outbox, in the transaction that ends it and before anything of it
 * is written: a load balancer that goes is told as it was.
 */
export async function queueNotification(trx: Db, tree: LoadBalancerTree, settlement: Settlement): Promise<void> {
  const event = eventOf(tree, settlement);
  const payload = event && (await readProviderLoadBalancer(trx, tree.id));
  if (!payload) return;
  // `id` besides Octavia's own key: the sample in its manual has that one.
  const args = { ...payload, id: tree.id };
  const message = { id: randomUUID(), topic: NOTIFICATIONS, method: event, args, loadBalancerId: tree.id };
  await insertOutbox(trx, [message]);
}

/** An event of ours, as it is told. */
export type EventNotice = Omit<EventRow, 'notified_at'>;

/** The oldest events that nobody was told of yet, of the last `maxAge` seconds. */
export async function listUntoldEvents(db: Db, maxAge: number, limit: number): Promise<readonly EventNotice[]> {
  const rows: EventRow[] = await db('event')
    .whereNull('notified_at')
    .where('at', '>', nowPlus(db, -maxAge))
    .orderBy(['at', 'id'])
    .limit(limit)
    .select('*');
  return rows.map(({ notified_at: _, ...event }) => event);
}

/** The broker has them. */
export async function markTold(db: Db, ids: readonly string[]): Promise<void> {
  if (ids.length > 0)
    await db('event')
      .whereIn('id', ids)
      .update({ notified_at: dbNow(db) });
}
