import type { BgpService } from '../domain/bgp';
import type { VnicFacts } from '../domain/vnic';
import { findBgpServiceById } from './bgpServices';
import { fromBit, fromJson, toApiTime } from './codecs';
import type { Db } from './connect';
import type { EngineStatus, EventRow, ServiceEngineRow, SeVnicRow } from './rows';

/** Rows for whoever follows a load balancer's way. */

export async function readPlacedEngines(db: Db, loadBalancerId: string) {
  const rows: Pick<
    ServiceEngineRow,
    'id' | 'name' | 'host' | 'compute_id' | 'management_address' | 'connected_to' | 'last_heartbeat' | 'status'
  >[] = await db('service_engine as e')
    .join('placement as p', 'p.service_engine_id', 'e.id')
    .where('p.load_balancer_id', loadBalancerId)
    .orderBy('e.name')
    .select(
      ...['e.id', 'e.name', 'e.status', 'e.host', 'e.compute_id', 'e.management_address', 'e.connected_to'],
      'e.last_heartbeat',
    );
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    status: row.status as EngineStatus,
    host: row.host,
    computeId: row.compute_id,
    managementAddress: row.management_address,
    connected: row.connected_to !== null,
    lastHeartbeat: row.last_heartbeat === null ? null : toApiTime(row.last_heartbeat),
  }));
}

/** The vNICs that a load balancer uses on engines, and those it shares a domain with. */
export async function readVnicsOf(db: Db, engineIds: readonly string[], domainId: string | null) {
  const rows: SeVnicRow[] =
    engineIds.length === 0
      ? []
      : await db('se_vnic')
          .whereIn('service_engine_id', engineIds)
          .where({ domain_id: domainId })
          .orderBy(['created_at', 'id'])
          .select('*');
  return rows.map((row) => {
    const facts = row.facts === null ? null : fromJson<VnicFacts>(row.facts);
    return {
      id: row.id,
      engineId: row.service_engine_id,
      networkId: row.network_id,
      portId: row.port_id,
      macAddress: row.mac_address,
      addresses: facts?.addresses ?? [],
      mtu: facts?.mtu ?? null,
      gateways: facts?.gateways ?? [],
      vipSide: row.vip_side === null || fromBit(row.vip_side),
      deleting: fromBit(row.deleting),
      bgpServiceId: row.bgp_service,
      bgpJoined: row.bgp_joined !== null && fromBit(row.bgp_joined),
      bgpTrouble: row.bgp_trouble,
    };
  });
}

export async function readBgpServices(db: Db, ids: readonly string[]): Promise<readonly BgpService[]> {
  const found = await Promise.all([...new Set(ids)].map((id) => findBgpServiceById(db, id)));
  return found.flatMap((it) => it ?? []);
}

/** Engines of a group, or such that are no more, that have never called home. @param since a time of the database */
export async function readGhosts(db: Db, groupId: string | null, since: string) {
  const rows: Pick<EventRow, 'at' | 'message'>[] = await db('event as v')
    .leftJoin('service_engine as e', 'e.id', 'v.service_engine_id')
    .where('v.name', 'ENGINE_GHOST')
    .where('v.at', '>=', since)
    .where((it) => it.whereNull('e.id').orWhere('e.service_engine_group_id', groupId))
    .orderBy('v.at', 'desc')
    .limit(10)
    .select('v.at', 'v.message');
  return rows.map(({ at, message }) => ({ at: toApiTime(at), message }));
}

/** The latest of a load balancer and of its engines. */
export async function readLatestEvents(
  db: Db,
  about: { readonly loadBalancerId: string; readonly engineIds: readonly string[] },
  most: number,
) {
  const rows: Pick<EventRow, 'at' | 'name' | 'severity' | 'message'>[] = await db('event')
    .where((it) =>
      it
        .where({ load_balancer_id: about.loadBalancerId })
        .orWhere((other) => other.whereNull('load_balancer_id').whereIn('service_engine_id', about.engineIds)),
    )
    .orderBy('at', 'desc')
    .limit(most)
    .select('at', 'name', 'severity', 'message');
  return rows.map(({ at, name, severity, message }) => ({ at: toApiTime(at), name, severity, message }));
}
