import type { Vnic, VnicFacts } from '../domain/vnic';
import { fromBit, fromJson, toBit, toJson } from './codecs';
import { type Db, dbNow, prepared } from './connect';
import type { Json, SeVnicRow } from './rows';

/** Engines' vNICs: the row says that one is wanted; the engine's unit makes the port and notes it here. */

export type { Vnic } from '../domain/vnic';

export async function listVnics(db: Db, engineId: string): Promise<readonly Vnic[]> {
  const rows = await prepared<SeVnicRow>(
    db,
    'select * from se_vnic where service_engine_id = ? order by created_at, id',
    [engineId],
  );
  return rows.map(toVnic);
}

/** What a load balancer needs of an engine. */
export interface VnicNeed {
  /** Id of the row, if one has to be made. */
  readonly id: string;
  readonly engineId: string;
  readonly networkId: string;
  readonly subnetId: string | null;
  /** The VIP network. Absent: the engine's vNICs are not plugged in, and belong to no domain. */
  readonly domainId?: string;
  /** Absent: `subnetId`. */
  readonly subnetIds?: readonly string[];
  /** Absent: it is. */
  readonly vipSide?: boolean;
  /** Who needs it, until `releaseVnics`. */
  readonly loadBalancerId?: string;
}

/**
 * States that the engine needs a vNIC in the network, and makes the engine work if it has none yet, or none in one of the
 * subnets. Gives the vNIC; its `portId` is null until the engine's unit has met the need. In a transaction of the caller.
 */
export async function needVnic(trx: Db, need: VnicNeed): Promise<Vnic> {
  await lockEngine(trx, need.engineId);
  const row: SeVnicRow | undefined = await trx('se_vnic')
    .where({
      service_engine_id: need.engineId,
      network_id: need.networkId,
      domain_id: need.domainId ?? null,
      deleting: 0,
    })
    .first('*');
  const wanted = need.subnetIds ?? (need.subnetId === null ? [] : [need.subnetId]);
  const vnic = row ? await widen(trx, toVnic(row), wanted, need) : await insertVnic(trx, need, wanted);
  if (need.loadBalancerId !== undefined) await noteUse(trx, vnic.id, need.loadBalancerId);
  return vnic;
}

/** Writing the engine's row first makes concurrent callers wait for each other. */
async function lockEngine(trx: Db, engineId: string): Promise<void> {
  await trx('service_engine')
    .where({ id: engineId })
    .update({ generation: trx.raw('generation') });
}

async function makeWork(trx: Db, engineId: string): Promise<void> {
  await trx('service_engine')
    .where({ id: engineId })
    .update({ generation: trx.raw('generation + 1'), retry_at: null });
}

async function insertVnic(trx: Db, need: VnicNeed, subnetIds: readonly string[]): Promise<Vnic> {
  const row: SeVnicRow = {
    id: need.id,
    service_engine_id: need.engineId,
    network_id: need.networkId,
    subnet_id: subnetIds[0] ?? null,
    subnet_ids: toJson(subnetIds),
    domain_id: need.domainId ?? null,
    vip_side: toBit(need.vipSide ?? true),
    port_id: null,
    mac_address: null,
    ip_address: null,
    facts: null,
    bgp_service: null,
    bgp_joined: null,
    bgp_trouble: null,
    wiring_owner: null,
    wiring_until: null,
    deleting: 0,
    created_at: '',
  };
  await trx('se_vnic').insert({ ...row, created_at: dbNow(trx) });
  await makeWork(trx, need.engineId);
  return toVnic(row);
}

/** One vNIC serves all that is in its network: each may ask for another subnet of it, and some have VIPs there. */
async function widen(trx: Db, vnic: Vnic, wanted: readonly string[], { vipSide = true }: VnicNeed): Promise<Vnic> {
  const missing = wanted.filter((id) => !vnic.subnetIds.includes(id));
  // Without a domain there is one address, as there always was.
  const grows = missing.length > 0 && vnic.domainId !== null;
  const turns = vipSide && !vnic.vipSide;
  if (!grows && !turns) return vnic;
  const subnetIds = grows ? [...vnic.subnetIds, ...missing] : vnic.subnetIds;
  const change = { subnet_ids: toJson(subnetIds), subnet_id: subnetIds[0] ?? null };
  await trx('se_vnic')
    .where({ id: vnic.id })
    .update({ ...change, vip_side: toBit(vipSide || vnic.vipSide) });
  await makeWork(trx, vnic.engineId);
  return { ...vnic, subnetIds, vipSide: vipSide || vnic.vipSide };
}

async function noteUse(trx: Db, vnicId: string, loadBalancerId: string): Promise<void> {
  const use = { se_vnic_id: vnicId, load_balancer_id: loadBalancerId };
  if (await trx('vnic_use').where(use).first('se_vnic_id')) return;
  await trx('vnic_use').insert(use);
}

/** What a load balancer has stated that it needs of an engine. */
export async function listVnicsUsed(db: Db, loadBalancerId: string, engineId: string): Promise<readonly Vnic[]> {
  const rows = await prepared<SeVnicRow>(
    db,
    `select v.* from vnic_use u join se_vnic v on v.id = u.se_vnic_id
      where u.load_balancer_id = ? and v.service_engine_id = ? order by v.created_at, v.id`,
    [loadBalancerId, engineId],
  );
  return rows.map(toVnic);
}

/** A vNIC that a load balancer has stated it needs. */
export interface VnicUse {
  readonly vnicId: string;
  readonly engineId: string;
  readonly networkId: string;
  readonly domainId: string | null;
  /** It is to go, whoever needs it. */
  readonly deleting: boolean;
}

/** Everything that a load balancer has stated it needs, on all engines. */
export async function listVnicUses(db: Db, loadBalancerId: string): Promise<readonly VnicUse[]> {
  const rows = await prepared<Pick<SeVnicRow, 'id' | 'service_engine_id' | 'network_id' | 'domain_id' | 'deleting'>>(
    db,
    `select v.id, v.service_engine_id, v.network_id, v.domain_id, v.deleting from vnic_use u join se_vnic v on v.id = u.se_vnic_id
      where u.load_balancer_id = ?`,
    [loadBalancerId],
  );
  return rows.map((row) => ({
    vnicId: row.id,
    engineId: row.service_engine_id,
    networkId: row.network_id,
    domainId: row.domain_id,
    deleting: fromBit(row.deleting),
  }));
}

/**
 * The load balancer needs these no more, and its engines have confirmed that they do without. Those that nobody else
 * needs are to be unplugged. Gives the engines that have something to do. In a transaction of the caller.
 */
export async function releaseVnics(
  trx: Db,
  loadBalancerId: string,
  uses: readonly VnicUse[],
): Promise<readonly string[]> {
  const engineIds = new Set<string>();
  // In one order everywhere, so that two who release on the same engines do not wait for each other in a circle.
  for (const { vnicId, engineId } of [...uses].sort((a, b) => (a.engineId < b.engineId ? -1 : 1))) {
    await lockEngine(trx, engineId);
    await trx('vnic_use').where({ se_vnic_id: vnicId, load_balancer_id: loadBalancerId }).delete();
    const unused = await trx('se_vnic')
      .where({ id: vnicId, deleting: 0 })
      .whereNotExists(trx('vnic_use').where({ se_vnic_id: vnicId }).select('se_vnic_id'))
      .update({ deleting: 1 });
    if (unused === 0 && !(await leavesBgp(trx, vnicId))) continue;
    await makeWork(trx, engineId);
    engineIds.add(engineId);
  }
  return [...engineIds];
}

/** Whether the vNIC is in a service of BGP that nobody on it needs any more. */
async function leavesBgp(trx: Db, vnicId: string): Promise<boolean> {
  const joined = await trx('se_vnic').where({ id: vnicId }).whereNotNull('bgp_service').first('id');
  if (joined === undefined) return false;
  const announced = await trx('vnic_use as u')
    .join('load_balancer as lb', 'lb.id', 'u.load_balancer_id')
    .where({ 'u.se_vnic_id': vnicId, 'lb.vip_mode': 'bgp' })
    .first('lb.id');
  return announced === undefined;
}

/** What the network service says of a vNIC's port. */
export interface VnicPort {
  readonly portId: string;
  readonly macAddress: string;
  readonly ipAddress: string | null;
}

export async function recordVnicPort(db: Db, vnicId: string, port: VnicPort): Promise<void> {
  await db('se_vnic')
    .where({ id: vnicId })
    .update({ port_id: port.portId, mac_address: port.macAddress, ip_address: port.ipAddress });
}

/** Notes what the network service says of a vNIC's place. */
export async function recordVnicFacts(db: Db, id: string, facts: VnicFacts): Promise<void> {
  await db('se_vnic')
    .where({ id })
    .update({ facts: toJson(facts) });
}

/** Forgets a vNIC whose port is gone. */
export async function removeVnic(db: Db, vnicId: string): Promise<void> {
  await db('se_vnic').where({ id: vnicId, deleting: 1 }).delete();
}

/** Whether engines of the group have vNICs, or are to have them: all its engines, or those of one project. */
export async function hasVnics(
  db: Db,
  groupId: string,
  { ownerProjectId }: { readonly ownerProjectId?: string | null } = {},
): Promise<boolean> {
  const where = {
    service_engine_group_id: groupId,
    ...(ownerProjectId !== undefined && { owner_project_id: ownerProjectId }),
  };
  const engines = db('service_engine').where(where).select('id');
  return (await db('se_vnic').whereIn('service_engine_id', engines).first('id')) !== undefined;
}

/** A row as the domain sees it. */
export function toVnic(row: SeVnicRow): Vnic {
  return {
    id: row.id,
    engineId: row.service_engine_id,
    domainId: row.domain_id,
    networkId: row.network_id,
    subnetId: row.subnet_id,
    subnetIds: subnetIdsOf(row),
    vipSide: row.vip_side === null || fromBit(row.vip_side),
    portId: row.port_id,
    macAddress: row.mac_address,
    ipAddress: row.ip_address,
    facts: row.facts === null ? null : readFacts(row.facts),
    deleting: fromBit(row.deleting),
  };
}

/** What is missing was not known yet when it was written: it is learnt again. */
function readFacts(stored: Json): VnicFacts {
  const nothing: VnicFacts = {
    subnetIds: [],
    mtu: 1500,
    addresses: [],
    gateways: [],
    hostRoutes: [],
    staticRoutes: [],
  };
  return { ...nothing, ...fromJson<Partial<VnicFacts>>(stored) };
}

function subnetIdsOf(row: SeVnicRow): readonly string[] {
  if (row.subnet_ids !== null) return fromJson<string[]>(row.subnet_ids);
  return row.subnet_id === null ? [] : [row.subnet_id];
}
