import type { UpgradeEngine, UpgradeLoadBalancer, UpgradeState } from '../domain/upgradeView';
import { WORKING } from '../domain/upgradeView';
import { fromBit, fromDbTime, fromJson, toJson, toNumber } from './codecs';
import { type Db, dbNow, nowSql, prepared } from './connect';
import type { Bit, GroupUpgradeRow, Json, Time } from './rows';

/** Rolling upgrades of groups. */

export interface Upgrade {
  readonly id: string;
  readonly groupId: string;
  readonly imageTag: string;
  readonly previousImageTag: string | null;
  readonly previousMark: string | null;
  readonly state: UpgradeState;
  readonly version: number;
  /** That were to be replaced when it began. */
  readonly engines: number;
  readonly createdAt: Time;
  readonly updatedAt: Time | null;
}

export type NewUpgrade = Pick<
  Upgrade,
  'id' | 'groupId' | 'imageTag' | 'previousImageTag' | 'previousMark' | 'state' | 'engines'
>;

export async function insertUpgrade(trx: Db, it: NewUpgrade): Promise<void> {
  await trx('group_upgrade').insert({
    id: it.id,
    service_engine_group_id: it.groupId,
    image_tag: it.imageTag,
    previous_image_tag: it.previousImageTag,
    previous_mark: it.previousMark,
    status: it.state.status,
    state: toJson(it.state),
    version: 1,
    engines: it.engines,
    created_at: dbNow(trx),
    updated_at: null,
  });
}

/** False: somebody else has written it since it was read. */
export async function keepUpgrade(
  trx: Db,
  { id, version }: Pick<Upgrade, 'id' | 'version'>,
  state: UpgradeState,
): Promise<boolean> {
  const kept = await trx('group_upgrade')
    .where({ id, version })
    .update({ state: toJson(state), status: state.status, version: version + 1, updated_at: dbNow(trx) });
  return kept === 1;
}

/** Those that are to be carried on with. */
export async function listWorkingUpgrades(db: Db): Promise<readonly string[]> {
  return db('group_upgrade')
    .whereIn('status', [...WORKING])
    .orderBy('created_at')
    .pluck('id');
}

/** Whether engines of the group are being replaced. */
export async function isUpgrading(db: Db, groupId: string): Promise<boolean> {
  const row = await db('group_upgrade')
    .where({ service_engine_group_id: groupId })
    .whereIn('status', [...WORKING])
    .first('id');
  return row !== undefined;
}

export async function findUpgrade(db: Db, id: string): Promise<Upgrade | undefined> {
  const row: GroupUpgradeRow | undefined = await db('group_upgrade').where({ id }).first('*');
  return row && toUpgrade(row);
}

/** The newest of the group. */
export async function findUpgradeOf(db: Db, groupId: string): Promise<Upgrade | undefined> {
  const row: GroupUpgradeRow | undefined = await db('group_upgrade')
    .where({ service_engine_group_id: groupId })
    .orderBy([
      { column: 'created_at', order: 'desc' },
      { column: 'id', order: 'desc' },
    ])
    .first('*');
  return row && toUpgrade(row);
}

function toUpgrade(row: GroupUpgradeRow): Upgrade {
  return {
    id: row.id,
    groupId: row.service_engine_group_id,
    imageTag: row.image_tag,
    previousImageTag: row.previous_image_tag,
    previousMark: row.previous_mark,
    state: fromJson<UpgradeState>(row.state),
    version: toNumber(row.version),
    engines: row.engines,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

/** The group's engines as an upgrade sees them, and the time by the database's clock, milliseconds. */
export async function readUpgradeEngines(
  db: Db,
  groupId: string,
): Promise<{ readonly engines: readonly UpgradeEngine[]; readonly now: number }> {
  const rows = await prepared<{
    id: string;
    status: UpgradeEngine['status'];
    deleting: Bit;
    connected_to: string | null;
    slots_used: number;
    upgrade_mark: string | null;
    image_tag: string | null;
  }>(
    db,
    `select id, status, deleting, connected_to, slots_used, upgrade_mark, image_tag from service_engine
      where service_engine_group_id = ?`,
    [groupId],
  );
  const [clock] = await prepared<{ db_now: Time }>(db, `select ${nowSql(db)} as db_now`);
  const engines = rows.map((row) => ({
    id: row.id,
    status: row.status,
    deleting: fromBit(row.deleting),
    connected: row.connected_to !== null,
    slotsUsed: row.slots_used,
    mark: row.upgrade_mark,
    ownImage: row.image_tag !== null,
  }));
  return { engines, now: clock ? fromDbTime(clock.db_now).getTime() : Date.now() };
}

interface GuestRow {
  load_balancer_id: string;
  engine_id: string;
  leaving: number;
  confirmed: number;
  refused: Bit;
  refusals: Json | null;
  members_down: number | string;
}

/** Load balancers on the engines; those with most traffic first: a new engine is judged by them. */
export async function listGuests(db: Db, engineIds: readonly string[]): Promise<readonly UpgradeLoadBalancer[]> {
  if (engineIds.length === 0) return [];
  const marks = engineIds.map(() => '?').join(', ');
  const rows = await prepared<GuestRow>(
    db,
    `select p.load_balancer_id, p.service_engine_id as engine_id,
      (case when p.deleting = 1 or p.request is not null or p.drain_until is not null then 1 else 0 end) as leaving,
      (case when p.deleting = 0 and p.stale = 0 and p.confirmed_generation >= p.wanted_generation and p.refused = 0
        then 1 else 0 end) as confirmed, p.refused, p.refusals,
      (select count(*) from member m join pool o on o.id = m.pool_id
        where o.load_balancer_id = p.load_balancer_id and m.operating_status = 'ERROR' and m.deleting = 0) as members_down
      from placement p where p.load_balancer_id in
        (select q.load_balancer_id from placement q where q.service_engine_id in (${marks}))`,
    [...engineIds],
  );
  const traffic = await listRequests(db, [...new Set(rows.map((row) => row.load_balancer_id))]);
  const guests = new Map<string, UpgradeLoadBalancer>();
  for (const row of rows)
    guests.set(row.load_balancer_id, withPlacement(guests.get(row.load_balancer_id), row, traffic));
  return [...guests.values()].sort((a, b) => requestsOf(b) - requestsOf(a) || (a.id < b.id ? -1 : 1));
}

type Traffic = ReadonlyMap<string, UpgradeLoadBalancer['traffic']>;

function withPlacement(before: UpgradeLoadBalancer | undefined, row: GuestRow, traffic: Traffic): UpgradeLoadBalancer {
  const id = row.load_balancer_id;
  const guest = before ?? {
    ...{ id, engineIds: [], leaving: [], confirmed: [], refusals: {} },
    ...{ membersDown: Number(row.members_down), traffic: traffic.get(id) ?? {} },
  };
  const why = refusalIn(row);
  return {
    ...guest,
    engineIds: [...guest.engineIds, row.engine_id],
    leaving: Number(row.leaving) === 1 ? [...guest.leaving, row.engine_id] : guest.leaving,
    confirmed: Number(row.confirmed) === 1 ? [...guest.confirmed, row.engine_id] : guest.confirmed,
    refusals: why === undefined ? guest.refusals : { ...guest.refusals, [row.engine_id]: why },
  };
}

function refusalIn({ refused, refusals }: GuestRow): string | undefined {
  const reasons = refusals === null ? [] : fromJson<{ reason: string }[]>(refusals).map(({ reason }) => reason);
  if (!fromBit(refused) && reasons.length === 0) return undefined;
  return reasons.join('; ') || 'it refuses all of it';
}

function requestsOf({ traffic }: UpgradeLoadBalancer): number {
  return Object.values(traffic).reduce((sum, { requests }) => sum + requests, 0);
}

async function listRequests(db: Db, loadBalancerIds: readonly string[]): Promise<Traffic> {
  const rows: { load_balancer_id: string; amphora_id: string; requests: unknown; errors: unknown }[] = await db(
    'listener_statistics',
  )
    .whereIn('load_balancer_id', [...loadBalancerIds])
    .groupBy('load_balancer_id', 'amphora_id')
    .select(
      'load_balancer_id',
      'amphora_id',
      db.raw('sum(total_connections) as requests'),
      db.raw('sum(request_errors) as errors'),
    );
  const traffic = new Map<string, Record<string, { requests: number; errors: number }>>();
  for (const row of rows) {
    const counted = { requests: Number(row.requests), errors: Number(row.errors) };
    traffic.set(row.load_balancer_id, { ...traffic.get(row.load_balancer_id), [row.amphora_id]: counted });
  }
  return traffic;
}
