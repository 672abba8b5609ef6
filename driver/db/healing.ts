import { type BreakerState, readBreaker, resumeBreaker } from '../domain/breaker';
import type { HealingEngine, HealingPlacement } from '../domain/healing';
import type { KnownReach } from '../domain/reach';
import { fromBit, fromDbTime, fromJson, toJson } from './codecs';
import { type Db, dbNow, nowSql, prepared } from './connect';
import { listReach } from './engineReach';
import type { Bit, EngineStatus, Json, Time } from './rows';

/** What healing looks at, and what it writes. Times are the database's, as milliseconds since 1970. */

export interface HealingRows {
  readonly now: number;
  readonly engines: readonly EngineInTrouble[];
  readonly placements: readonly HealingPlacement[];
  readonly breaker: BreakerState;
  readonly reach: readonly KnownReach[];
}

/** An engine as its rows say; of its server only the compute service knows. */
export type EngineInTrouble = Omit<HealingEngine, 'server'> & { readonly computeId: string | null };

/** Groups in which anything is, or was lately, wrong. */
export async function listGroupsInTrouble(db: Db): Promise<readonly string[]> {
  const rows = await prepared<{ id: string }>(
    db,
    `select g.id from service_engine_group g where g.breaker is not null or exists (select 1 from service_engine e
      where e.service_engine_group_id = g.id and (e.status = 'DOWN' or e.isolated_since is not null or ${CUT})) order by g.id`,
  );
  return rows.map(({ id }) => id);
}

/** Something is wrong for it in a network of VIPs, or was lately. */
const CUT = `exists (select 1 from engine_reach r where r.service_engine_id = e.id
  and (r.state = 'trouble' or r.cut_since is not null))`;

interface EngineRow {
  id: string;
  name: string;
  status: EngineStatus;
  deleting: Bit;
  compute_id: string | null;
  silent_since: Time | null;
  isolated_since: Time | null;
  listeners: number | string;
  hearing: number | string;
  wired: number | string;
  db_now: Time;
}

/** Undefined for a group that is gone. */
export async function readHealing(db: Db, groupId: string): Promise<HealingRows | undefined> {
  const [group] = await prepared<{ breaker: Json | null; db_now: Time }>(
    db,
    `select breaker, ${nowSql(db)} as db_now from service_engine_group where id = ?`,
    [groupId],
  );
  if (!group) return undefined;
  const from = `from engine_hearing h join service_engine o on o.id = h.observer_id
    where h.service_engine_id = e.id and o.connected_to is not null`;
  const engines = await prepared<EngineRow>(
    db,
    `select e.id, e.name, e.status, e.deleting, e.compute_id, e.silent_since, e.isolated_since,
      (case when e.status = 'DOWN' then (select count(*) ${from}) else 0 end) as listeners,
      (case when e.status = 'DOWN' then (select count(*) ${from} and h.heard = 1) else 0 end) as hearing,
      (case when e.status = 'DOWN' then (select count(*) from vip_wiring w where w.service_engine_id = e.id)
        else 0 end) as wired, ${nowSql(db)} as db_now
      from service_engine e where e.service_engine_group_id = ? and not ${REBOOTING} order by e.id`,
    [groupId],
  );
  const placements = await prepared<{
    id: string;
    load_balancer_id: string;
    service_engine_id: string;
    leaving: Bit;
    may_serve: Bit;
    network_id: string | null;
  }>(
    db,
    `select p.id, p.load_balancer_id, p.service_engine_id,
      (case when p.deleting = 1 or p.request in (${LEAVING}) or p.drain_until is not null then 1 else 0 end) as leaving,
      (case when p.confirmed_generation >= 0 or l.master_term is not null then 1 else 0 end) as may_serve,
      v.network_id
      from placement p join service_engine e on e.id = p.service_engine_id join load_balancer l on l.id = p.load_balancer_id
      left join vip v on v.load_balancer_id = p.load_balancer_id
      where e.service_engine_group_id = ? and (e.status = 'DOWN' or ${CUT}) and not ${REBOOTING} order by p.id`,
    [groupId],
  );
  return {
    now: fromDbTime(group.db_now).getTime(),
    breaker: readBreaker(group.breaker === null ? null : fromJson<unknown>(group.breaker)),
    engines: engines.map(toEngine),
    placements: placements.map((row) => ({
      id: row.id,
      loadBalancerId: row.load_balancer_id,
      engineId: row.service_engine_id,
      leaving: fromBit(row.leaving),
      mayServe: fromBit(row.may_serve),
      networkId: row.network_id,
    })),
    reach: await listReach(db, groupId),
  };
}

/** It is silent because it was asked to be, and comes back. */
const REBOOTING = `exists (select 1 from engine_reboot r where r.service_engine_id = e.id and r.step <> 'draining')`;

const LEAVING = "'failover', 'delete', 'scalein', 'migrate', 'heal'";

function toEngine(row: EngineRow): EngineInTrouble {
  const listeners = Number(row.listeners);
  return {
    id: row.id,
    name: row.name,
    status: row.status,
    deleting: fromBit(row.deleting),
    computeId: row.compute_id,
    silentSince: row.silent_since === null ? null : fromDbTime(row.silent_since).getTime(),
    heard: listeners === 0 ? null : Number(row.hearing) > 0,
    wired: Number(row.wired) > 0,
    knownIsolated: row.isolated_since !== null,
  };
}

/** Keeps a group's breaker, unless another process has changed it meanwhile. */
export async function writeBreaker(
  db: Db,
  groupId: string,
  { from, to }: { readonly from: BreakerState; readonly to: BreakerState },
): Promise<boolean> {
  const [row] = await prepared<{ breaker: Json | null }>(db, 'select breaker from service_engine_group where id = ?', [
    groupId,
  ]);
  if (!row) return false;
  const present = readBreaker(row.breaker === null ? null : fromJson<unknown>(row.breaker));
  if (present.state !== from.state || present.since !== from.since) return false;
  const text = to.state === 'closed' && to.forgiven === 0 ? null : toJson(to);
  const where = row.breaker === null ? { id: groupId, breaker: null } : { id: groupId, breaker: toText(row.breaker) };
  return (await db('service_engine_group').where(where).update({ breaker: text })) === 1;
}

function toText(stored: Json): string {
  return typeof stored === 'string' ? stored : toJson(stored);
}

/** Closes a group's breaker: what was lost until now is healed. False: it was closed. */
export async function resumeHealing(trx: Db, groupId: string): Promise<boolean> {
  const rows = await readHealing(trx, groupId);
  if (!rows || rows.breaker.state === 'closed') return false;
  const resumed = toJson(resumeBreaker(rows.now));
  return (await trx('service_engine_group').where({ id: groupId }).update({ breaker: resumed })) === 1;
}

/** Asks a placement to leave an engine that is lost, or cut from its network. False: it leaves already, or is gone. */
export async function askToHeal(trx: Db, placementId: string): Promise<boolean> {
  const asked = await trx('placement')
    .where({ id: placementId, deleting: 0 })
    .where((it) => it.whereNull('request').orWhere('request', 'configure'))
    .whereExists(
      trx('service_engine as e')
        .where('e.id', trx.ref('placement.service_engine_id'))
        .where((it) =>
          it
            .where('e.status', 'DOWN')
            .orWhereExists(
              trx('engine_reach as r')
                .join('vip as v', 'v.network_id', 'r.domain_id')
                .where('r.service_engine_id', trx.ref('e.id'))
                .where('v.load_balancer_id', trx.ref('placement.load_balancer_id'))
                .whereNotNull('r.cut_since')
                .select('r.domain_id'),
            ),
        )
        .select('e.id'),
    )
    .update({ request: 'heal', updated_at: dbNow(trx) });
  return asked === 1;
}

/** Notes that an engine is isolated from the controllers, or is not any more. False: that was known. */
export async function noteIsolated(trx: Db, engineId: string, isolated: boolean): Promise<boolean> {
  const query = trx('service_engine').where({ id: engineId });
  const changed = isolated
    ? await query
        .whereNull('isolated_since')
        .where({ status: 'DOWN' })
        .update({ isolated_since: dbNow(trx) })
    : await query.whereNotNull('isolated_since').update({ isolated_since: null });
  return changed === 1;
}

/** Wants a dead engine gone on which nothing is placed. False: it lives, or something is. */
export async function retireDeadEngine(trx: Db, engineId: string): Promise<boolean> {
  const retired = await trx('service_engine')
    .where({ id: engineId, deleting: 0, status: 'DOWN' })
    .whereNotExists(trx('placement').where('placement.service_engine_id', engineId).select('id'))
    .update({ deleting: 1, generation: trx.raw('generation + 1'), retry_at: null, updated_at: dbNow(trx) });
  return retired === 1;
}

/** Load balancers that are still to leave a lost engine and that nobody has in hand. */
export async function listUnhealed(db: Db, limit: number): Promise<readonly string[]> {
  return db('load_balancer')
    .whereIn('id', db('placement').where({ request: 'heal' }).select('load_balancer_id'))
    .where((due) => due.whereNull('retry_at').orWhere('retry_at', '<=', dbNow(db)))
    .where((free) => free.whereNull('lease_until').orWhere('lease_until', '<=', dbNow(db)))
    .orderBy('id')
    .limit(limit)
    .pluck('id');
}

/** What an engine says of its neighbours on a network of data. Gives those of which that is news. */
export async function recordHearing(
  trx: Db,
  observerId: string,
  heard: readonly { readonly engineId: string; readonly heard: boolean }[],
): Promise<readonly string[]> {
  const known: { service_engine_id: string; heard: Bit }[] = await trx('engine_hearing')
    .where({ observer_id: observerId })
    .select('service_engine_id', 'heard');
  const present: string[] = await trx('service_engine')
    .whereIn(
      'id',
      heard.map(({ engineId }) => engineId),
    )
    .pluck('id');
  const changed: string[] = [];
  for (const one of heard.filter(({ engineId }) => present.includes(engineId))) {
    const before = known.find(({ service_engine_id: id }) => id === one.engineId);
    if (before && fromBit(before.heard) === one.heard) continue;
    const key = { observer_id: observerId, service_engine_id: one.engineId };
    const row = { heard: one.heard ? 1 : 0, since: dbNow(trx) };
    if (before) await trx('engine_hearing').where(key).update(row);
    else await trx('engine_hearing').insert({ ...key, ...row });
    changed.push(one.engineId);
  }
  const gone = known.filter(({ service_engine_id: id }) => !heard.some(({ engineId }) => engineId === id));
  for (const { service_engine_id: id } of gone) {
    await trx('engine_hearing').where({ observer_id: observerId, service_engine_id: id }).delete();
  }
  return changed;
}
