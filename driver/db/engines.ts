import type { Engine, EngineStatus } from '../domain/engine';
import { fromBit, fromDbTime, toNumber } from './codecs';
import { type Db, dbNow, nowSql } from './connect';
import { renewToken } from './engineCertificates';
import type { ServiceEngineRow, Time } from './rows';

/**
 * The rows of service engines, less their slots, which go with placements. `updated_at` is when the status or the server
 * last changed: how long an engine has been building is told by it.
 */

/** What a new engine's row says. Its unit of reconciliation then makes the server. */
export interface NewEngine {
  readonly id: string;
  readonly groupId: string;
  readonly name: string;
  readonly slots: number;
  readonly availabilityZone?: string | null;
  readonly computeFlavor?: string | null;
  readonly imageTag?: string | null;
  /** What its server is made of where `imageTag` says nothing; absent or null: as the configuration says. */
  readonly groupImageTag?: string | null;
  /** Of the rolling upgrade during which it is made. */
  readonly upgradeMark?: string | null;
  /** The project it is to live in; absent or null: that of this service. */
  readonly ownerProjectId?: string | null;
}

export async function insertEngine(db: Db, engine: NewEngine): Promise<void> {
  await db('service_engine').insert({
    id: engine.id,
    service_engine_group_id: engine.groupId,
    name: engine.name,
    status: 'BUILDING',
    deleting: 0,
    compute_id: null,
    management_address: null,
    host: null,
    availability_zone: engine.availabilityZone ?? null,
    token_hash: null,
    token_expires_at: null,
    token_used_at: null,
    connected_to: null,
    connection_epoch: 0,
    last_heartbeat: null,
    slots: engine.slots,
    slots_used: 0,
    generation: 1,
    settled_generation: 0,
    retry_at: null,
    attempts: 0,
    lease_owner: null,
    lease_epoch: 0,
    lease_until: null,
    created_at: dbNow(db),
    updated_at: dbNow(db),
    project_id: null,
    per_app: null,
    compute_flavor: engine.computeFlavor ?? null,
    image_tag: engine.imageTag ?? null,
    server_launched_at: null,
    group_image_tag: engine.groupImageTag ?? null,
    upgrade_mark: engine.upgradeMark ?? null,
    avoided: null,
    owner_project_id: engine.ownerProjectId ?? null,
  });
}

export async function findEngine(db: Db, id: string): Promise<Engine | undefined> {
  const row: (ServiceEngineRow & { db_now: Time }) | undefined = await db('service_engine')
    .where({ id })
    .first('*', db.raw(`${nowSql(db)} as db_now`));
  return row && toEngine(row);
}

export async function listEngines(db: Db, groupId: string): Promise<readonly Engine[]> {
  const rows: (ServiceEngineRow & { db_now: Time })[] = await db('service_engine')
    .where({ service_engine_group_id: groupId })
    .orderBy(['created_at', 'id'])
    .select('*', db.raw(`${nowSql(db)} as db_now`));
  return rows.map(toEngine);
}

/** Whether the group has an engine in a project (null: that of this service), in whatever state. */
export async function hasEngines(db: Db, groupId: string, ownerProjectId: string | null): Promise<boolean> {
  const where = { service_engine_group_id: groupId, owner_project_id: ownerProjectId };
  return (await db('service_engine').where(where).first('id')) !== undefined;
}

/** Whether any engine lives in a project of its users. */
export async function hasTenantEngines(db: Db): Promise<boolean> {
  return (await db('service_engine').whereNotNull('owner_project_id').first('id')) !== undefined;
}

/** Load balancers that are, or were and are still to be taken off, on the engine. */
export async function loadBalancersOn(db: Db, engineId: string): Promise<readonly string[]> {
  return db('placement').where({ service_engine_id: engineId }).pluck('load_balancer_id');
}

/** What is known of a server before it is made. */
export interface ServerToCome {
  /** Of the token it will be given. */
  readonly tokenHash: string;
  /** Null while the compute service has still to choose it. */
  readonly managementAddress: string | null;
}

/** Before a server is made. What an earlier attempt was given is void. */
export async function startBuilding(db: Db, engineId: string, server: ServerToCome): Promise<void> {
  await renewToken(db, engineId, server.tokenHash);
  await db('service_engine')
    .where({ id: engineId })
    .update({
      management_address: server.managementAddress,
      server_launched_at: null,
      status: 'BUILDING',
      updated_at: dbNow(db),
    });
}

/** An engine that is being built has its whole time from now on: the cloud could not be asked about it. */
export async function restartBuildTime(db: Db, engineId: string): Promise<void> {
  await db('service_engine')
    .where({ id: engineId, status: 'BUILDING' })
    .update({ updated_at: dbNow(db) });
}

/** What the compute service says of an engine's server. */
export interface ServerFacts {
  readonly computeId: string | null;
  readonly managementAddress: string | null;
  readonly host: string | null;
  /** Absent: it does not say. */
  readonly launchedAt?: string | null;
}

export async function recordServer(db: Db, engineId: string, server: ServerFacts): Promise<void> {
  await db('service_engine')
    .where({ id: engineId })
    .update({
      compute_id: server.computeId,
      management_address: server.managementAddress,
      host: server.host,
      server_launched_at: server.launchedAt ?? null,
    });
}

/** Changes the status if it still is the given one. */
export async function moveEngine(
  db: Db,
  engineId: string,
  { from, to }: { from: EngineStatus; to: EngineStatus },
): Promise<boolean> {
  const moved = await db('service_engine')
    .where({ id: engineId, status: from })
    .update({ status: to, updated_at: dbNow(db) });
  return moved === 1;
}

/** Wants the engine gone. */
export async function retireEngine(db: Db, engineId: string): Promise<void> {
  await db('service_engine')
    .where({ id: engineId, deleting: 0 })
    .update({ deleting: 1, generation: db.raw('generation + 1'), retry_at: null, updated_at: dbNow(db) });
}

/** Removes the row of an engine whose server and ports are gone, with what was placed on and wired to it. Gives those load balancers. */
export async function removeEngine(trx: Db, engineId: string): Promise<readonly string[]> {
  const loadBalancerIds = await loadBalancersOn(trx, engineId);
  await trx('placement').where({ service_engine_id: engineId }).delete();
  await trx('vip_wiring').where({ service_engine_id: engineId }).delete();
  await trx('se_vnic').where({ service_engine_id: engineId }).delete();
  await trx('service_engine').where({ id: engineId }).delete();
  return loadBalancerIds;
}

/** Load balancers on the engine that are work, or on an engine that is to go. */
export async function listUnsettledOn(db: Db, engineId: string): Promise<readonly string[]> {
  return db('placement as p')
    .join('load_balancer as lb', 'lb.id', 'p.load_balancer_id')
    .join('service_engine as e', 'e.id', 'p.service_engine_id')
    .where('p.service_engine_id', engineId)
    .where((it) => it.whereRaw('lb.generation <> lb.settled_generation').orWhere('e.deleting', 1))
    .pluck('lb.id');
}

/** Load balancers that are work and have no engine they could be served by at present: at most `limit`, oldest first. */
export async function listWaitingLoadBalancers(db: Db, limit: number): Promise<readonly string[]> {
  return db('load_balancer as lb')
    .whereRaw('lb.generation <> lb.settled_generation')
    .whereNot('lb.provisioning_status', 'DELETED')
    .whereNotExists(
      db('placement as p')
        .whereRaw('p.load_balancer_id = lb.id')
        .where({ 'p.stale': 0, 'p.deleting': 0 })
        .select('p.id'),
    )
    .orderBy(['lb.created_at', 'lb.id'])
    .limit(limit)
    .pluck('lb.id');
}

function toEngine(row: ServiceEngineRow & { db_now: Time }): Engine {
  const since = fromDbTime(row.updated_at ?? row.created_at).getTime();
  return {
    id: row.id,
    groupId: row.service_engine_group_id,
    name: row.name,
    status: row.status,
    deleting: fromBit(row.deleting),
    computeId: row.compute_id,
    managementAddress: row.management_address,
    host: row.host,
    tokenHash: row.token_hash,
    connectedTo: row.connected_to,
    connectionEpoch: toNumber(row.connection_epoch),
    slots: row.slots,
    slotsUsed: row.slots_used,
    generation: toNumber(row.generation),
    settledGeneration: toNumber(row.settled_generation),
    attempts: row.attempts,
    leaseEpoch: toNumber(row.lease_epoch),
    unchangedFor: (fromDbTime(row.db_now).getTime() - since) / 1000,
    availabilityZone: row.availability_zone,
    computeFlavor: row.compute_flavor,
    imageTag: row.image_tag,
    groupImageTag: row.group_image_tag,
    upgradeMark: row.upgrade_mark,
    serverLaunchedAt: row.server_launched_at,
    ownerProjectId: row.owner_project_id,
    projectId: row.slots_used > 0 ? row.project_id : null,
    perApp: row.slots_used > 0 && row.per_app !== null && fromBit(row.per_app),
  };
}
