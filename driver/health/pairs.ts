import { inTransaction } from '../db/connect';
import { recordReach } from '../db/engineReach';
import { recordHearing } from '../db/healing';
import { listConcerned, recordClaims } from '../db/masterships';
import { healGroups } from '../fleet/heal';
import type { MastershipClaims, Neighbours } from '../protocol/messages';
import { hintLoadBalancer } from './acks';
import type { EngineLink } from './connections';
import type { Parts } from './parts';

/** What engines say of one another, and what follows from it at once. */

export function noteNeighbours(parts: Parts, link: EngineLink, said: Neighbours): Promise<void> {
  const turn = (turns.get(link) ?? Promise.resolve()).catch(() => undefined).then(() => keep(parts, link, said));
  turns.set(link, turn);
  return turn;
}

/** What an engine has said first is kept first. */
const turns = new WeakMap<EngineLink, Promise<void>>();

async function keep(parts: Parts, link: EngineLink, { heard, reach }: Neighbours): Promise<void> {
  const { db, bus, log, settings } = parts;
  const changed = await inTransaction(db, async (trx) => {
    await recordReach(trx, link.engineId, reach ?? []);
    return recordHearing(trx, link.engineId, heard);
  });
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
