import { fromBit, fromJson, toBit, toJson } from './codecs';
import { type Db, dbNow } from './connect';
import type { BgpSessionRow } from './rows';

/** A session of an engine's BGP speaker. */
export interface BgpSession {
  readonly engineId: string;
  /** The VIP network. */
  readonly domainId: string;
  readonly peerAddress: string;
  readonly established: boolean;
  /** Why it is not; null: it is, or nobody knows yet. */
  readonly reason: string | null;
  /** The domain's prefixes that its peers are told of. */
  readonly announced: readonly string[];
}

/** All that is known of an engine's sessions. */
export async function listBgpSessions(db: Db, engineId: string): Promise<readonly BgpSession[]> {
  const rows: BgpSessionRow[] = await db('bgp_session')
    .where({ service_engine_id: engineId })
    .orderBy(['domain_id', 'peer_address'])
    .select('*');
  return rows.map((row) => ({
    engineId: row.service_engine_id,
    domainId: row.domain_id,
    peerAddress: row.peer_address,
    established: fromBit(row.established),
    reason: row.reason,
    announced: fromJson<string[]>(row.announced),
  }));
}

/** @param changed whether it has come up or gone down: that counts from now */
export async function saveBgpSession(trx: Db, session: BgpSession, changed: boolean): Promise<void> {
  const key = {
    service_engine_id: session.engineId,
    domain_id: session.domainId,
    peer_address: session.peerAddress,
  };
  const values = {
    established: toBit(session.established),
    reason: session.reason,
    announced: toJson(session.announced),
  };
  const updated: number = await trx('bgp_session')
    .where(key)
    .update({ ...values, ...(changed && { since: dbNow(trx) }) });
  if (updated === 0) await trx('bgp_session').insert({ ...key, ...values, since: dbNow(trx) });
}

/** Forgets those that there are not to be any more. */
export async function forgetBgpSession(
  trx: Db,
  { engineId, domainId, peerAddress }: Pick<BgpSession, 'engineId' | 'domainId' | 'peerAddress'>,
): Promise<void> {
  await trx('bgp_session')
    .where({ service_engine_id: engineId, domain_id: domainId, peer_address: peerAddress })
    .delete();
}
