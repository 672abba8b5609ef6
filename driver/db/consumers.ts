import { randomUUID } from 'node:crypto';
import type { Happening } from '../domain/settlement';
import { fromBit, toBit } from './codecs';
import { type Db, dbNow, inTransaction, prepared } from './connect';
import { type EventContext, recordEvents } from './events';
import type { CertificateConsumerRow } from './rows';

/** That an object makes use of a certificate. */
export interface CertificateUse {
  readonly loadBalancerId: string;
  readonly resource: 'listeners' | 'pools';
  readonly resourceId: string;
  /** The key manager's. */
  readonly containerRef: string;
}

/** What the key manager was told about that. */
export interface ConsumerRecord extends CertificateUse {
  readonly id: string;
  /** Of the object, as the key manager has it. */
  readonly url: string;
  /** False: nobody knows whether it has heard. */
  readonly registered: boolean;
}

export async function listConsumers(db: Db, loadBalancerId: string): Promise<ConsumerRecord[]> {
  const sql = 'select * from certificate_consumer where load_balancer_id = ? order by created_at, id';
  const rows = await prepared<CertificateConsumerRow>(db, sql, [loadBalancerId]);
  return rows.map((row) => ({
    id: row.id,
    loadBalancerId: row.load_balancer_id,
    resource: row.resource === 'pools' ? 'pools' : 'listeners',
    resourceId: row.resource_id,
    containerRef: row.container_ref,
    url: row.url,
    registered: fromBit(row.registered),
  }));
}

/** To be written before the key manager is told. */
export async function recordConsumer(db: Db, use: CertificateUse, url: string): Promise<ConsumerRecord> {
  const id = randomUUID();
  await db('certificate_consumer').insert({
    id,
    load_balancer_id: use.loadBalancerId,
    resource: use.resource,
    resource_id: use.resourceId,
    container_ref: use.containerRef,
    url,
    registered: toBit(false),
    failing: toBit(false),
    created_at: dbNow(db),
  });
  return { ...use, id, url, registered: false };
}

export async function markRegistered(db: Db, id: string): Promise<void> {
  await db('certificate_consumer')
    .where({ id })
    .update({ registered: toBit(true), failing: toBit(false) });
}

/** Notes that the key manager could not be told. True for the first of a row of failures, for which alone the event is recorded. */
export async function markFailing(
  db: Db,
  id: string,
  { happening, context }: { readonly happening: Happening; readonly context: EventContext },
): Promise<boolean> {
  return inTransaction(db, async (trx) => {
    const first = await trx('certificate_consumer')
      .where({ id, failing: toBit(false) })
      .update({ failing: toBit(true) });
    if (first === 1) await recordEvents(trx, [happening], context);
    return first === 1;
  });
}

/** To be done after the key manager has forgotten. */
export async function forgetConsumer(db: Db, id: string): Promise<void> {
  await db('certificate_consumer').where({ id }).delete();
}
