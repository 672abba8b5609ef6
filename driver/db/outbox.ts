import { NOTIFICATIONS } from '../domain/notifications';
import { toJson } from './codecs';
import { type Db, nowPlus, nowSql } from './connect';
import { insertRows } from './insertRows';
import type { OutboxRow } from './rows';

/** A message that is to be published once the transaction that writes it has committed. */
export interface OutboxMessage {
  readonly id: string;
  readonly topic: string;
  readonly method: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly loadBalancerId: string | null;
}

/** As of now by the database's clock, which the relay goes by too: that of this host may be wrong. */
export async function insertOutbox(db: Db, messages: readonly OutboxMessage[]): Promise<void> {
  const rows: Omit<OutboxRow, 'created_at'>[] = messages.map((message) => ({
    id: message.id,
    topic: message.topic,
    method: message.method,
    args: toJson(message.args),
    load_balancer_id: message.loadBalancerId,
  }));
  await insertRows(db, 'outbox', rows, { created_at: nowSql(db) });
}

/** After the bus has them. */
export async function deleteOutbox(db: Db, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await db('outbox').whereIn('id', ids).delete();
}

/** What a process that died left behind: the oldest casts and hints that are at least `minAge` seconds old. */
export async function listLeftoverOutbox(db: Db, minAge: number, limit: number): Promise<OutboxMessage[]> {
  const rows = await db<OutboxRow>('outbox')
    .whereNot('topic', NOTIFICATIONS)
    .where('created_at', '<', nowPlus(db, -minAge))
    .orderBy(['created_at', 'id'])
    .limit(limit);
  return rows.map(toMessage);
}

/** The oldest notifications; nobody but the one who asks sends them. */
export async function listNotifications(db: Db, limit: number): Promise<OutboxMessage[]> {
  const rows = await db<OutboxRow>('outbox').where('topic', NOTIFICATIONS).orderBy(['created_at', 'id']).limit(limit);
  return rows.map(toMessage);
}

function toMessage(row: OutboxRow): OutboxMessage {
  return {
    id: row.id,
    topic: row.topic,
    method: row.method,
    args: JSON.parse(row.args) as Record<string, unknown>,
    loadBalancerId: row.load_balancer_id,
  };
}
