import type { EngineStatus } from '../domain/engine';
import type { StatusChange, StatusKind, StatusObject, StatusPool, StatusTree } from '../domain/operatingStatus';
import type { OperatingStatus, ProvisioningStatus } from '../domain/status';
import { fromBit, toNumber } from './codecs';
import { type Db, dbNow, prepared } from './connect';
import type { Bit } from './rows';

/** What the judging of operating statuses reads and writes: many load balancers with five statements. */

/** An engine a load balancer is placed on. */
export interface StatusPlacement {
  readonly engineId: string;
  readonly engineName: string;
  readonly engineStatus: EngineStatus;
  readonly connectedTo: string | null;
}

/** A load balancer as far as its statuses go, with what its events are to say. */
export interface StatusSubject extends StatusTree {
  readonly projectId: string;
  readonly flavorId: string | null;
  /** How its VIPs are wired; null: in the usual way. */
  readonly vipMode: string | null;
  /** They are off the network because no member was usable. */
  readonly vipWithdrawn: boolean;
  /** By id; what is being taken off is not among them. */
  readonly placements: readonly StatusPlacement[];
}

interface ObjectRow {
  readonly id: string;
  readonly provisioning_status: ProvisioningStatus;
  readonly operating_status: OperatingStatus;
  readonly enabled: Bit;
  readonly deleting: Bit;
}

type RootRow = ObjectRow & {
  readonly project_id: string;
  readonly settled_generation: number;
  readonly flavor_id: string | null;
  readonly vip_mode: string | null;
  readonly vip_withdrawn: Bit;
};
type ChildRow = ObjectRow & { readonly parent_id: string };
type PoolRow = ChildRow & { readonly monitor_enabled: Bit | null; readonly monitor_deleting: Bit | null };
interface PlacementRow {
  readonly parent_id: string;
  readonly engine_id: string;
  readonly engine_name: string;
  readonly engine_status: EngineStatus;
  readonly connected_to: string | null;
}

const COLUMNS = 'provisioning_status, x.operating_status, x.enabled, x.deleting';
const ROOTS = `select x.id, x.project_id, x.settled_generation, x.flavor_id, x.vip_mode,
    (case when x.vip_withdrawn_at is null then 0 else 1 end) as vip_withdrawn, x.${COLUMNS} from load_balancer x
  where x.provisioning_status <> 'DELETED' and x.id in`;
const LISTENERS = `select x.id, x.load_balancer_id as parent_id, x.${COLUMNS} from listener x where x.load_balancer_id in`;
const POOLS = `select x.id, x.load_balancer_id as parent_id, x.${COLUMNS},
    h.enabled as monitor_enabled, h.deleting as monitor_deleting
  from pool x left join health_monitor h on h.pool_id = x.id where x.load_balancer_id in`;
const MEMBERS = `select x.id, x.pool_id as parent_id, x.${COLUMNS}
  from member x join pool p on p.id = x.pool_id where p.load_balancer_id in`;
const PLACEMENTS = `select x.load_balancer_id as parent_id, e.id as engine_id, e.name as engine_name,
    e.status as engine_status, e.connected_to
  from placement x join service_engine e on e.id = x.service_engine_id
  where x.deleting = 0 and x.load_balancer_id in`;

/** How many load balancers one statement takes: few sizes, so that few statements are prepared. */
const SIZES = [1, 10, 100] as const;
/** As many as may be asked for at a time. */
export const MAX_SUBJECTS = 100;

/** Those of the load balancers that exist. At most `MAX_SUBJECTS` ids. */
export async function loadStatusSubjects(db: Db, ids: readonly string[]): Promise<readonly StatusSubject[]> {
  const size = SIZES.find((it) => it >= ids.length);
  const last = ids.at(-1);
  if (size === undefined) throw new RangeError(`too many load balancers at a time: ${ids.length}`);
  if (last === undefined) return [];
  const asked = [...ids, ...new Array<string>(size - ids.length).fill(last)];
  const marks = `(${asked.map(() => '?').join(', ')})`;
  const roots = await prepared<RootRow>(db, `${ROOTS} ${marks}`, asked);
  if (roots.length === 0) return [];
  const listeners = await prepared<ChildRow>(db, `${LISTENERS} ${marks}`, asked);
  const pools = await prepared<PoolRow>(db, `${POOLS} ${marks}`, asked);
  const members = pools.length > 0 ? await prepared<ChildRow>(db, `${MEMBERS} ${marks}`, asked) : [];
  const placements = await prepared<PlacementRow>(db, `${PLACEMENTS} ${marks} order by e.id`, asked);
  return assembleSubjects({ roots, listeners, pools, members, placements });
}

interface SubjectRows {
  readonly roots: readonly RootRow[];
  readonly listeners: readonly ChildRow[];
  readonly pools: readonly PoolRow[];
  readonly members: readonly ChildRow[];
  readonly placements: readonly PlacementRow[];
}

function assembleSubjects(rows: SubjectRows): readonly StatusSubject[] {
  const listeners = byParent(rows.listeners);
  const pools = byParent(rows.pools);
  const members = byParent(rows.members);
  const placements = byParent(rows.placements);
  const pool = (row: PoolRow): StatusPool => ({
    ...statusObject(row),
    monitor:
      row.monitor_enabled === null || row.monitor_deleting === null
        ? null
        : { enabled: fromBit(row.monitor_enabled), deleting: fromBit(row.monitor_deleting) },
    members: (members.get(row.id) ?? []).map(statusObject),
  });
  return rows.roots.map((root) => ({
    ...statusObject(root),
    projectId: root.project_id,
    flavorId: root.flavor_id,
    vipMode: root.vip_mode,
    vipWithdrawn: fromBit(root.vip_withdrawn),
    settledGeneration: toNumber(root.settled_generation),
    listeners: (listeners.get(root.id) ?? []).map(statusObject),
    pools: (pools.get(root.id) ?? []).map(pool),
    placements: (placements.get(root.id) ?? []).map((row) => ({
      engineId: row.engine_id,
      engineName: row.engine_name,
      engineStatus: row.engine_status,
      connectedTo: row.connected_to,
    })),
  }));
}

function statusObject(row: ObjectRow): StatusObject {
  return {
    id: row.id,
    provisioningStatus: row.provisioning_status,
    operatingStatus: row.operating_status,
    enabled: fromBit(row.enabled),
    deleting: fromBit(row.deleting),
  };
}

function byParent<T extends { readonly parent_id: string }>(rows: readonly T[]): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const row of rows) {
    const group = groups.get(row.parent_id);
    if (group) group.push(row);
    else groups.set(row.parent_id, [row]);
  }
  return groups;
}

/** False: it was so already, or is gone. */
export async function noteVipWithdrawn(trx: Db, loadBalancerId: string, withdrawn: boolean): Promise<boolean> {
  const row = trx('load_balancer').where({ id: loadBalancerId });
  const count: number = withdrawn
    ? await row.whereNull('vip_withdrawn_at').update({ vip_withdrawn_at: dbNow(trx) })
    : await row.whereNotNull('vip_withdrawn_at').update({ vip_withdrawn_at: null });
  return count > 0;
}

const BATCH = 500;

/**
 * Writes changed statuses, each only where it still is what was judged. Gives the changes that were made for certain: of
 * a batch that has met somebody else's write none is given, and the next judgement finds what is left.
 */
export async function applyStatusChanges(trx: Db, changes: readonly StatusChange[]): Promise<readonly StatusChange[]> {
  const groups = new Map<string, StatusChange[]>();
  for (const change of changes) {
    const key = `${change.kind} ${change.from} ${change.to}`;
    const group = groups.get(key);
    if (group) group.push(change);
    else groups.set(key, [change]);
  }
  const made: StatusChange[] = [];
  for (const group of groups.values()) {
    for (let start = 0; start < group.length; start += BATCH) {
      const batch = group.slice(start, start + BATCH);
      const count = await applyBatch(trx, batch);
      if (count === batch.length) made.push(...batch);
    }
  }
  return made;
}

async function applyBatch(trx: Db, batch: readonly StatusChange[]): Promise<number> {
  const [first] = batch;
  if (!first) return 0;
  const table: StatusKind = first.kind;
  return trx(table)
    .whereIn(
      'id',
      batch.map(({ id }) => id),
    )
    .where({ operating_status: first.from })
    .update({ operating_status: first.to });
}
