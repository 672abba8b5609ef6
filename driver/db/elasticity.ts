import { type ElasticityState, NOTHING_SEEN } from '../domain/elasticityView';
import { groupBy } from '../domain/groupBy';
import { vnicKey } from '../domain/placement';
import { fromBit, fromDbTime, fromJson, toJson } from './codecs';
import { type Db, dbNow, nowPlus, nowSql, prepared } from './connect';
import type { Bit, Json, Time } from './rows';

/** What looks at the load of a group read and leave. Times are milliseconds by the database's clock. */

/** What a look has counted of a load balancer on an engine, for the next one to tell how much it has grown. */
export type Seen = Readonly<Record<string, readonly [bytes: number, connections: number]>>;

export interface ElasticityMemory {
  readonly state: ElasticityState;
  readonly seen: Seen;
  /** When the look before was; undefined at the first. */
  readonly lookedAt: number | undefined;
  readonly now: number;
}

const NO_MEMORY = { state: NOTHING_SEEN, seen: {} } as const;

export async function readElasticity(db: Db, groupId: string): Promise<ElasticityMemory> {
  const [row] = await prepared<{ state: Json | null; looked_at: Time | null; db_now: Time }>(
    db,
    `select y.state, y.looked_at, ${nowSql(db)} as db_now from service_engine_group g
      left join group_elasticity y on y.service_engine_group_id = g.id where g.id = ?`,
    [groupId],
  );
  const now = row ? fromDbTime(row.db_now).getTime() : Date.now();
  if (!row || row.state === null || row.looked_at === null) return { ...NO_MEMORY, lookedAt: undefined, now };
  const stored = fromJson<Partial<Pick<ElasticityMemory, 'state' | 'seen'>>>(row.state);
  return {
    state: { ...NOTHING_SEEN, ...stored.state },
    seen: stored.seen ?? {},
    lookedAt: fromDbTime(row.looked_at).getTime(),
    now,
  };
}

/** Takes the turn of a look that is due. False: it is not, or another process has it. */
export async function takeLook(db: Db, groupId: string, interval: number): Promise<boolean> {
  const taken = await db('group_elasticity')
    .where({ service_engine_group_id: groupId })
    .where('looked_at', '<=', nowPlus(db, -interval))
    .update({ looked_at: dbNow(db) });
  if (taken === 1) return true;
  const known = await db('group_elasticity').where({ service_engine_group_id: groupId }).first('looked_at');
  if (known) return false;
  const row = { service_engine_group_id: groupId, state: toJson(NO_MEMORY), looked_at: dbNow(db) };
  // Of two that come at the same time both look: the first look changes nothing that the other would mind.
  await db('group_elasticity').insert(row).onConflict('service_engine_group_id').ignore();
  return true;
}

export async function keepElasticity(
  db: Db,
  groupId: string,
  memory: Pick<ElasticityMemory, 'state' | 'seen'>,
): Promise<void> {
  await db('group_elasticity')
    .where({ service_engine_group_id: groupId })
    .update({ state: toJson(memory) });
}

/** A load balancer on one of the engines that are looked at. */
export interface LoadedBalancer {
  readonly id: string;
  readonly projectId: string;
  readonly topology: string;
  readonly flavorId: string | null;
  readonly availabilityZone: string | null;
  readonly scaleAdjustment: number;
  readonly settled: boolean;
  readonly engineIds: readonly string[];
  readonly vnics: readonly string[];
}

interface BalancerRow {
  id: string;
  project_id: string;
  topology: string;
  flavor_id: string | null;
  availability_zone: string | null;
  scale_adjustment: number | null;
  settled: number;
  engine_id: string;
  leaving: number;
}

/** Those on the engines, with all engines that they are on and are to stay on. */
export async function listLoaded(db: Db, engineIds: readonly string[]): Promise<readonly LoadedBalancer[]> {
  if (engineIds.length === 0) return [];
  const marks = engineIds.map(() => '?').join(', ');
  const rows = await prepared<BalancerRow>(
    db,
    `select lb.id, lb.project_id, lb.topology, lb.flavor_id, lb.availability_zone, lb.scale_adjustment,
      (case when lb.provisioning_status = 'ACTIVE' and lb.generation = lb.settled_generation then 1 else 0 end) as settled,
      p.service_engine_id as engine_id,
      (case when p.deleting = 1 or p.stale = 1 or p.request is not null or p.drain_until is not null then 1 else 0 end) as leaving
      from load_balancer lb join placement p on p.load_balancer_id = lb.id
      where lb.deleting = 0
        and lb.id in (select q.load_balancer_id from placement q where q.service_engine_id in (${marks}))
      order by lb.id, p.service_engine_id`,
    [...engineIds],
  );
  const vnics = await vnicsOf(db, [...new Set(rows.map(({ id }) => id))]);
  const byId = groupBy(rows, ({ id }) => id);
  return [...byId.values()].flatMap((all) => {
    const [first] = all;
    return first ? [toLoaded(first, all, vnics.get(first.id) ?? [])] : [];
  });
}

function toLoaded(row: BalancerRow, all: readonly BalancerRow[], vnics: readonly string[]): LoadedBalancer {
  return {
    id: row.id,
    projectId: row.project_id,
    topology: row.topology,
    flavorId: row.flavor_id,
    availabilityZone: row.availability_zone,
    scaleAdjustment: row.scale_adjustment ?? 0,
    settled: Number(row.settled) === 1 && all.every(({ leaving }) => Number(leaving) === 0),
    engineIds: all.filter(({ leaving }) => Number(leaving) === 0).map((it) => it.engine_id),
    vnics,
  };
}

async function vnicsOf(db: Db, loadBalancerIds: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
  const rows: { load_balancer_id: string; domain_id: string | null; network_id: string }[] = await db('vnic_use as u')
    .join('se_vnic as v', 'v.id', 'u.se_vnic_id')
    .whereIn('u.load_balancer_id', [...loadBalancerIds])
    .distinct('u.load_balancer_id', 'v.domain_id', 'v.network_id');
  const keys = groupBy(rows, (row) => row.load_balancer_id);
  return new Map([...keys].map(([id, all]) => [id, all.map((it) => vnicKey(it.domain_id, it.network_id))]));
}

/** What an engine has counted of a load balancer. */
export interface CountedTraffic {
  readonly loadBalancerId: string;
  readonly engineId: string;
  readonly bytes: number;
  readonly opened: number;
  readonly open: number;
}

export async function listTraffic(db: Db, loadBalancerIds: readonly string[]): Promise<readonly CountedTraffic[]> {
  if (loadBalancerIds.length === 0) return [];
  const rows: { load_balancer_id: string; amphora_id: string; bytes: unknown; opened: unknown; open: unknown }[] =
    await db('listener_statistics')
      .whereIn('load_balancer_id', [...loadBalancerIds])
      .groupBy('load_balancer_id', 'amphora_id')
      .select(
        'load_balancer_id',
        'amphora_id',
        db.raw('sum(bytes_in) + sum(bytes_out) as bytes'),
        db.raw('sum(total_connections) as opened'),
        db.raw('sum(active_connections) as open'),
      );
  return rows.map((row) => ({
    loadBalancerId: row.load_balancer_id,
    engineId: row.amphora_id,
    bytes: Number(row.bytes),
    opened: Number(row.opened),
    open: Number(row.open),
  }));
}

/** Marks engines that others are preferred to, and unmarks those that are not any more. Writes only what changes. */
export async function markAvoided(db: Db, groupId: string, engineIds: readonly string[]): Promise<void> {
  const before: { id: string; avoided: Bit | null }[] = await db('service_engine')
    .where({ service_engine_group_id: groupId })
    .where((it) => it.where('avoided', 1).orWhereIn('id', [...engineIds]))
    .select('id', 'avoided');
  const marked = before.filter(({ avoided }) => avoided !== null && fromBit(avoided)).map(({ id }) => id);
  const add = engineIds.filter((id) => !marked.includes(id));
  const drop = marked.filter((id) => !engineIds.includes(id));
  if (add.length > 0) await db('service_engine').whereIn('id', add).update({ avoided: 1 });
  if (drop.length > 0) await db('service_engine').whereIn('id', drop).update({ avoided: null });
}
