import { randomUUID } from 'node:crypto';
import { type Db, dbNow, prepared } from './connect';
import type { SeVnicRow, VipWiringRow } from './rows';

/**
 * What the cloud was told about a VIP on an engine. The row is written before the cloud is told and deleted after the
 * cloud has forgotten, so that whatever is there can be found again.
 */
export interface WiringRecord {
  readonly loadBalancerId: string;
  readonly engineId: string;
  readonly address: string;
  readonly portId: string | null;
  readonly mode: string;
}

export async function listWiring(db: Db, loadBalancerId: string): Promise<WiringRecord[]> {
  const rows = await prepared<VipWiringRow>(
    db,
    'select * from vip_wiring where load_balancer_id = ? order by service_engine_id, ip_address',
    [loadBalancerId],
  );
  return rows.map(toRecord);
}

/** What the cloud was told about VIPs on an engine. */
export async function listWiringOn(db: Db, engineId: string): Promise<WiringRecord[]> {
  const rows: VipWiringRow[] = await db('vip_wiring').where({ service_engine_id: engineId }).select('*');
  return rows.map(toRecord);
}

function toRecord(row: VipWiringRow): WiringRecord {
  return {
    loadBalancerId: row.load_balancer_id,
    engineId: row.service_engine_id,
    address: row.ip_address,
    portId: row.port_id,
    mode: row.mode,
  };
}

export async function recordWiring(db: Db, record: WiringRecord): Promise<void> {
  const row = {
    port_id: record.portId,
    mode: record.mode,
    state: 'wired',
    updated_at: dbNow(db),
  };
  const key = {
    load_balancer_id: record.loadBalancerId,
    service_engine_id: record.engineId,
    ip_address: record.address,
  };
  if ((await db('vip_wiring').where(key).update(row)) > 0) return;
  await db('vip_wiring').insert({ id: randomUUID(), ...key, ...row, created_at: dbNow(db) });
}

export async function forgetWiring(db: Db, record: WiringRecord): Promise<void> {
  await db('vip_wiring')
    .where({
      load_balancer_id: record.loadBalancerId,
      service_engine_id: record.engineId,
      ip_address: record.address,
    })
    .delete();
}

/** Where an engine can answer for VIPs. */
export interface EnginePort {
  readonly engineId: string;
  readonly networkId: string;
  /** Null until the engine's unit has made it. */
  readonly portId: string | null;
}

/** The vNICs of a domain (null: where there are none) of the engines a load balancer is placed on. */
export async function listEnginePorts(
  db: Db,
  loadBalancerId: string,
  { domainId }: { readonly domainId: string | null },
): Promise<readonly EnginePort[]> {
  const rows = await prepared<Pick<SeVnicRow, 'service_engine_id' | 'network_id' | 'port_id'>>(
    db,
    `select v.service_engine_id, v.network_id, v.port_id from se_vnic v
      join placement p on p.service_engine_id = v.service_engine_id
      where p.load_balancer_id = ? and coalesce(v.domain_id, '') = ? and v.deleting = 0 order by v.created_at, v.id`,
    [loadBalancerId, domainId ?? ''],
  );
  return rows.map((row) => ({ engineId: row.service_engine_id, networkId: row.network_id, portId: row.port_id }));
}

/** By port of an engine: the QoS policies of the load balancers that use its vNIC, less those that go. */
export async function listWantedPolicies(
  db: Db,
  portIds: readonly string[],
): Promise<ReadonlyMap<string, readonly (string | null)[]>> {
  const rows: { port_id: string; qos_policy_id: string | null }[] = await db('se_vnic as n')
    .join('vnic_use as u', 'u.se_vnic_id', 'n.id')
    .join('load_balancer as lb', 'lb.id', 'u.load_balancer_id')
    .join('vip as v', 'v.load_balancer_id', 'lb.id')
    .whereIn('n.port_id', portIds)
    .where('lb.deleting', 0)
    .distinct('n.port_id', 'v.qos_policy_id');
  const found = new Map<string, (string | null)[]>();
  for (const row of rows) found.set(row.port_id, [...(found.get(row.port_id) ?? []), row.qos_policy_id]);
  return found;
}

/** The VIP's port has been made again, under another id. */
export async function recordVipPort(
  db: Db,
  loadBalancerId: string,
  { from, to }: { from: string; to: string },
): Promise<void> {
  await db('vip').where({ load_balancer_id: loadBalancerId, port_id: from }).update({ port_id: to });
  await db('additional_vip').where({ load_balancer_id: loadBalancerId, port_id: from }).update({ port_id: to });
}
