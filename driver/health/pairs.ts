import { inTransaction } from '../db/connect';
import { recordHearing } from '../db/healing';
import { listConcerned, recordClaims } from '../db/masterships';
import { healGroups } from '../fleet/heal';
import type { MastershipClaims, Neighbours } from '../protocol/messages';
import { hintLoadBalancer } from './acks';
import type { EngineLink } from './connections';
import type { Parts } from './parts';

/** What engines say of one another, and what follows from it at once. */

export async function noteNeighbours(parts: Parts, link: EngineLink, heard: Neighbours['heard']): Promise<void> {
  const { db, bus, log, settings } = parts;
  const changed = await inTransaction(db, (trx) => recordHearing(trx, link.engineId, heard));
  if (changed.length === 0) return;
  const silent: string[] = await db('service_engine')
    .whereIn('id', [...changed])
    .where({ status: 'DOWN' })
    .pluck('id');
  if (silent.length > 0) await healGroups({ db, bus, log, settings: settings.healing });
  for (const id of await listConcerned(db, changed)) await hintLoadBalancer(bus, id);
}

export async function noteClaims(parts: Parts, link: EngineLink, claims: MastershipClaims['claims']): Promise<void> {
  const { db, bus } = parts;
  const changed = await inTransaction(db, (trx) => recordClaims(trx, link, claims));
  for (const id of changed) await hintLoadBalancer(bus, id);
}
