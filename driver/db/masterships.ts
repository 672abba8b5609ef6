import type { Grant } from '../domain/mastership';
import { fromBit, toBit, toNumber } from './codecs';
import { type Db, dbNow, prepared } from './connect';
import type { EngineConnection } from './engineConnections';
import type { Bit, PlacementRow } from './rows';

/** Who of a pair is the master: what is granted, and what engines say. */

/** Writes a grant: the engine's placement is the primary, others wait, and both are to be told. In a transaction under the lease. */
export async function writeGrant(
  trx: Db,
  loadBalancerId: string,
  { engineId, term }: Pick<Grant, 'engineId' | 'term'>,
): Promise<void> {
  await trx('load_balancer').where({ id: loadBalancerId }).update({ master_term: term });
  const all = trx('placement').where({ load_balancer_id: loadBalancerId, deleting: 0 });
  await all.clone().update({
    role: trx.raw("case when service_engine_id = ? then 'primary' else 'standby' end", [engineId]),
    request: trx.raw("case when request is null or request = 'switchover' then 'configure' else request end"),
    updated_at: dbNow(trx),
  });
}

/** It is no pair any more: all that serve answer. */
export async function forgetMastership(trx: Db, loadBalancerId: string): Promise<void> {
  await trx('load_balancer').where({ id: loadBalancerId }).update({ master_term: null });
  await trx('placement')
    .where({ load_balancer_id: loadBalancerId, deleting: 0 })
    .update({
      role: trx.raw("case when role = 'standby' then 'secondary' else role end"),
      request: trx.raw("coalesce(request, 'configure')"),
      claimed_term: null,
      claimed_master: null,
      updated_at: dbNow(trx),
    });
}

export interface EngineClaim {
  readonly loadBalancerId: string;
  readonly term: number;
  readonly master: boolean;
}

/** What the engine says of itself. Gives the load balancers of which that is news. */
export async function recordClaims(
  trx: Db,
  { engineId }: Pick<EngineConnection, 'engineId'>,
  claims: readonly EngineClaim[],
): Promise<readonly string[]> {
  const changed: string[] = [];
  for (const { loadBalancerId, term, master } of claims) {
    const where = { service_engine_id: engineId, load_balancer_id: loadBalancerId, deleting: 0 };
    const row: Pick<PlacementRow, 'claimed_term' | 'claimed_master'> | undefined = await trx('placement')
      .where(where)
      .first('claimed_term', 'claimed_master');
    if (!row) continue;
    const same =
      row.claimed_term !== null && toNumber(row.claimed_term) === term && fromBit(row.claimed_master ?? 0) === master;
    if (same) continue;
    await trx('placement')
      .where(where)
      .update({ claimed_term: term, claimed_master: toBit(master) });
    changed.push(loadBalancerId);
  }
  return changed;
}

/** Whether the engines are heard by others on a network of data; absent: nobody says. */
export async function listHeard(db: Db, engineIds: readonly string[]): Promise<ReadonlyMap<string, boolean>> {
  const rows: { service_engine_id: string; heard: number | string }[] = await db('engine_hearing as h')
    .join('service_engine as o', 'o.id', 'h.observer_id')
    .whereIn('h.service_engine_id', engineIds)
    .whereNotNull('o.connected_to')
    .whereRaw('h.observer_id <> h.service_engine_id')
    .groupBy('h.service_engine_id')
    .select('h.service_engine_id', db.raw('max(h.heard) as heard'));
  return new Map(rows.map((row) => [row.service_engine_id, Number(row.heard) === 1]));
}

/** Whether the gateway of its pairs answers an engine; absent: it does not say. */
export async function listGateways(db: Db, engineIds: readonly string[]): Promise<ReadonlyMap<string, boolean>> {
  const rows: { observer_id: string; heard: Bit }[] = await db('engine_hearing')
    .whereIn('observer_id', engineIds)
    .whereRaw('observer_id = service_engine_id')
    .select('observer_id', 'heard');
  return new Map(rows.map((row) => [row.observer_id, fromBit(row.heard)]));
}

/** Load balancers of pairs, and those on silent engines, that are on these engines. */
export async function listConcerned(db: Db, engineIds: readonly string[]): Promise<readonly string[]> {
  const ids: string[] = await db('placement as p')
    .join('load_balancer as lb', 'lb.id', 'p.load_balancer_id')
    .whereIn('p.service_engine_id', engineIds)
    .where((it) => it.where('p.stale', 1).orWhereNotNull('lb.master_term'))
    .pluck('lb.id');
  return [...new Set(ids)];
}

export async function listTags(db: Db, resourceId: string): Promise<readonly string[]> {
  const rows = await prepared<{ tag: string }>(db, 'select tag from tags where resource_id = ?', [resourceId]);
  return rows.map(({ tag }) => tag);
}
