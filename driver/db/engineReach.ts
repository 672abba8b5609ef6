import { type KnownReach, learnReach, type Reach, type ReportedReach, stateOfReach } from '../domain/reach';
import { fromBit, fromDbTime, fromJson, toBit, toJson } from './codecs';
import { type Db, dbNow, prepared } from './connect';
import type { Bit, EngineReachRow, Json, PlacementRow, Time } from './rows';

/** What engines say of the VIP networks they are in, and from which of them they are cut. */

/** Keeps what an engine says, which is of all its networks. A network from which it is cut is kept until that is over. */
export async function recordReach(trx: Db, engineId: string, reports: readonly ReportedReach[]): Promise<void> {
  const known: EngineReachRow[] = await trx('engine_reach').where({ service_engine_id: engineId }).select('*');
  for (const report of reports) {
    const before = known.find(({ domain_id: id }) => id === report.domainId);
    await keepReach(
      trx,
      { engineId, networkId: report.domainId, before },
      learnReach(report, before && { gateway: gatewayOf(before) }),
    );
  }
  for (const before of known.filter((row) => !reports.some(({ domainId }) => domainId === row.domain_id))) {
    if (before.cut_since === null) await rowOf(trx, engineId, before.domain_id).delete();
    else await keepReach(trx, { engineId, networkId: before.domain_id, before }, NOTHING);
  }
}

const NOTHING: Reach = { gateway: null, heard: [], missed: [] };

function gatewayOf({ gateway }: Pick<EngineReachRow, 'gateway'>): boolean | null {
  return gateway === null ? null : fromBit(gateway);
}

interface Place {
  readonly engineId: string;
  readonly networkId: string;
  readonly before: EngineReachRow | undefined;
}

async function keepReach(trx: Db, { engineId, networkId, before }: Place, reach: Reach): Promise<void> {
  const state = stateOfReach(reach);
  const row = {
    gateway: reach.gateway === null ? null : toBit(reach.gateway),
    ...{ heard: toJson(reach.heard), missed: toJson(reach.missed), state },
  };
  if (!before) {
    const key = { service_engine_id: engineId, domain_id: networkId };
    await trx('engine_reach').insert({ ...key, ...row, since: dbNow(trx), cut_since: null, proven: null });
    return;
  }
  if (isSame(before, reach, state)) return;
  const since = before.state === state ? {} : { since: dbNow(trx) };
  await rowOf(trx, engineId, networkId).update({ ...row, ...since });
}

/** An engine says all of its networks whenever something changes in one. */
function isSame(before: EngineReachRow, { gateway, heard, missed }: Reach, state: string): boolean {
  const known = {
    gateway: gatewayOf(before),
    heard: fromJson<unknown>(before.heard),
    missed: fromJson<unknown>(before.missed),
  };
  return before.state === state && toJson(known) === toJson({ gateway, heard, missed });
}

function rowOf(db: Db, engineId: string, networkId: string) {
  return db('engine_reach').where({ service_engine_id: engineId, domain_id: networkId });
}

interface KnownRow {
  service_engine_id: string;
  name: string;
  domain_id: string;
  gateway: Bit | null;
  heard: Json;
  missed: Json;
  state: KnownReach['state'];
  since: Time;
  cut_since: Time | null;
  proven: Bit | null;
}

/** What all that are connected say of the networks that engines of the group are in. */
export async function listReach(db: Db, groupId: string): Promise<readonly KnownReach[]> {
  const rows = await prepared<KnownRow>(
    db,
    `select r.*, e.name from engine_reach r join service_engine e on e.id = r.service_engine_id
      where e.connected_to is not null and r.domain_id in (select s.domain_id from engine_reach s
        join service_engine o on o.id = s.service_engine_id where o.service_engine_group_id = ?)
      order by r.service_engine_id, r.domain_id`,
    [groupId],
  );
  return rows.map((row) => ({
    ...{ engineId: row.service_engine_id, engineName: row.name, networkId: row.domain_id },
    gateway: gatewayOf(row),
    ...{ heard: fromJson<string[]>(row.heard), missed: fromJson<string[]>(row.missed) },
    ...{ state: row.state, since: fromDbTime(row.since).getTime() },
    mark: row.cut_since === null ? null : { proven: fromBit(row.proven ?? 0) },
  }));
}

export interface CutPlace {
  readonly engineId: string;
  readonly networkId: string;
}

/** Notes that an engine is cut from a network. False: that was known. */
export async function noteCut(
  trx: Db,
  { engineId, networkId, proven }: CutPlace & { proven: boolean },
): Promise<boolean> {
  const changed = await rowOf(trx, engineId, networkId)
    .where((it) => (proven ? it.whereNull('cut_since').orWhere('proven', 0) : it.whereNull('cut_since')))
    .update({ cut_since: trx.raw('coalesce(cut_since, ?)', [dbNow(trx)]), proven: toBit(proven) });
  return changed === 1;
}

/** Notes that an engine is not cut from a network any more: what has found no other engine stays. False: it was not. */
export async function noteCutOver(trx: Db, { engineId, networkId }: CutPlace): Promise<boolean> {
  const changed = await rowOf(trx, engineId, networkId)
    .whereNotNull('cut_since')
    .update({ cut_since: null, proven: null });
  if (changed === 0) return false;
  await rowOf(trx, engineId, networkId).where({ state: 'unknown' }).delete();
  await keepOn(trx, engineId, networkId);
  return true;
}

/** Who is back before anybody was found to take over keeps what it has: all of it, or what is served in a network. */
export async function keepOn(db: Db, engineId: string, networkId?: string): Promise<void> {
  const leaving: Pick<PlacementRow, 'id' | 'load_balancer_id' | 'updated_at'>[] = await db('placement')
    .where({ service_engine_id: engineId, request: 'heal', deleting: 0 })
    .whereNull('drain_until')
    .modify((query) => {
      if (networkId !== undefined)
        query.whereIn('load_balancer_id', db('vip').where({ network_id: networkId }).select('load_balancer_id'));
    })
    .select('id', 'load_balancer_id', 'updated_at');
  for (const { id, load_balancer_id, updated_at } of leaving) {
    const heirs = db('placement')
      .where({ load_balancer_id, deleting: 0 })
      .where('created_at', '>=', updated_at ?? '');
    if (await heirs.first('id')) continue;
    await db('placement').where({ id, request: 'heal' }).update({ request: null });
  }
}

/** An operator says that the engine is well, or it is back from where nothing was known of it. What is lost is found again. */
export async function forgetCuts(trx: Db, engineId: string): Promise<void> {
  await trx('engine_reach').where({ service_engine_id: engineId, state: 'unknown' }).delete();
  await trx('engine_reach')
    .where({ service_engine_id: engineId })
    .whereNotNull('cut_since')
    .update({ cut_since: null, proven: null });
}

/** Load balancers that have a place in a network on an engine, or had one and have left it a vNIC. */
export async function listConcernedBy(db: Db, { engineId, networkId }: CutPlace): Promise<readonly string[]> {
  const ids: string[] = await db('vnic_use as u')
    .join('se_vnic as v', 'v.id', 'u.se_vnic_id')
    .where({ 'v.service_engine_id': engineId, 'v.domain_id': networkId })
    .distinct()
    .pluck('u.load_balancer_id');
  return ids;
}

/** Of a group, the engines that are cut from all VIP networks they are in. */
export async function listCutOff(db: Db, groupId: string): Promise<readonly string[]> {
  const rows = await prepared<{ id: string }>(
    db,
    `select e.id from service_engine e where e.service_engine_group_id = ?
      and exists (select 1 from engine_reach r where r.service_engine_id = e.id and r.cut_since is not null)
      and not exists (select 1 from se_vnic v left join engine_reach r on r.service_engine_id = e.id
        and r.domain_id = v.domain_id and r.cut_since is not null
        where v.service_engine_id = e.id and v.deleting = 0 and r.domain_id is null)`,
    [groupId],
  );
  return rows.map(({ id }) => id);
}

/** Of these engines, the networks from which they are cut. */
export async function listCuts(db: Db, engineIds: readonly string[]): Promise<readonly CutPlace[]> {
  const rows: Pick<EngineReachRow, 'service_engine_id' | 'domain_id'>[] = await db('engine_reach')
    .whereIn('service_engine_id', [...engineIds])
    .whereNotNull('cut_since')
    .select('service_engine_id', 'domain_id');
  return rows.map((row) => ({ engineId: row.service_engine_id, networkId: row.domain_id }));
}
