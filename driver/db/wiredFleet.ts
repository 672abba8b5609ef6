import { type GroupProperties, readGroupProperties } from '../domain/group';
import { groupBy } from '../domain/groupBy';
import { readService } from '../domain/placementDemand';
import { fromBit, fromJson, toNumber } from './codecs';
import type { Db } from './connect';
import { groupNamedIn } from './groups';
import type { Json, LoadBalancerRow, ServiceEngineRow, SeVnicRow, VipWiringRow } from './rows';

/** All load balancers and engines with what is wired for them: read in a few statements, whatever their number. */
export interface WiredFleet {
  readonly loadBalancers: ReadonlyMap<string, WiredLoadBalancer>;
  readonly engines: ReadonlyMap<string, WiredEngine>;
  readonly bgpServiceIds: ReadonlySet<string>;
  readonly groupIds: ReadonlySet<string>;
  /** By floating IP: where the audit last saw it lead. */
  readonly seenFloatingIps: ReadonlyMap<string, SeenFloatingIp>;
}

/** A unit of reconciliation, as far as somebody may be at work on it. */
export interface UnitState {
  readonly id: string;
  /** Nobody has it in hand, and nothing is to be done about it. */
  readonly isQuiet: boolean;
  /** Raised by everybody who takes it in hand. */
  readonly epoch: number;
}

export interface WiredLoadBalancer extends UnitState {
  readonly projectId: string;
  readonly mode: 'aap' | 'bgp';
  readonly pairMode: 'active-active' | 'active-standby';
  /** No traffic is to be led to its engines. */
  readonly isOffNetwork: boolean;
  readonly floatingIpId: string | null;
  readonly vips: readonly WiredVip[];
  readonly wiring: readonly WiredAddress[];
}

export interface WiredVip {
  readonly address: string;
  readonly portId: string | null;
  readonly networkId: string | null;
  /** The port is ours. */
  readonly isOwned: boolean;
}

export interface WiredAddress {
  readonly engineId: string;
  readonly portId: string;
  readonly address: string;
  readonly mode: string;
}

export interface WiredEngine extends UnitState {
  readonly name: string;
  readonly groupId: string;
  readonly serverId: string | null;
  readonly isLeaving: boolean;
  readonly vnics: readonly WiredVnic[];
}

export interface WiredVnic {
  readonly id: string;
  readonly portId: string;
  readonly networkId: string;
  readonly isVipSide: boolean;
  /** Plugged into a server, in a routing domain. */
  readonly isPlugged: boolean;
  readonly bgpServiceId: string | null;
  readonly hasJoined: boolean;
}

export interface SeenFloatingIp {
  readonly id: string;
  readonly loadBalancerId: string;
  readonly address: string | null;
  /** Port of an engine to that engine; the VIP's own port to null. */
  readonly ports: Readonly<Record<string, string | null>>;
}

/** Only so much of the fleet; absent: all of it. */
export interface FleetPart {
  readonly loadBalancerIds: readonly string[];
  readonly engineIds: readonly string[];
}

/** More are read as all. */
const FEW = 400;

export async function loadWiredFleet(db: Db, part?: FleetPart): Promise<WiredFleet> {
  const some = part && part.loadBalancerIds.length <= FEW && part.engineIds.length <= FEW ? part : undefined;
  const wiring: VipWiringRow[] = await db('vip_wiring')
    .modify((query) => void (some && query.whereIn('load_balancer_id', some.loadBalancerIds)))
    .select('load_balancer_id', 'service_engine_id', 'ip_address', 'port_id', 'mode');
  const engines = await loadEngines(db, some);
  const loadBalancers = await loadLoadBalancers(
    db,
    some,
    groupBy(wiring, (row) => row.load_balancer_id),
  );
  return {
    engines,
    loadBalancers,
    bgpServiceIds: new Set(await db('bgp_service').pluck('id')),
    groupIds: new Set(await db('service_engine').distinct().pluck('service_engine_group_id')),
    seenFloatingIps: await loadSeen(db, some),
  };
}

type LoadBalancerColumns = Pick<
  LoadBalancerRow,
  | 'id'
  | 'project_id'
  | 'topology'
  | 'flavor_id'
  | 'availability_zone'
  | 'generation'
  | 'settled_generation'
  | 'deleting'
  | 'lease_owner'
  | 'lease_epoch'
  | 'vip_withdrawn_at'
  | 'vip_held'
  | 'vip_mode'
  | 'floating_ip_id'
>;

async function loadLoadBalancers(
  db: Db,
  part: FleetPart | undefined,
  wiring: ReadonlyMap<string, readonly VipWiringRow[]>,
): Promise<ReadonlyMap<string, WiredLoadBalancer>> {
  const rows: LoadBalancerColumns[] = await db('load_balancer')
    .whereNot('provisioning_status', 'DELETED')
    .modify((query) => void (part && query.whereIn('id', part.loadBalancerIds)))
    .select(
      ...['id', 'project_id', 'topology', 'flavor_id', 'availability_zone', 'generation', 'settled_generation'],
      ...['deleting', 'lease_owner', 'lease_epoch', 'vip_withdrawn_at', 'vip_held', 'vip_mode', 'floating_ip_id'],
    );
  const vips = await loadVips(db, part);
  const isPair = await readPairModes(db);
  const found = rows.map((row): WiredLoadBalancer => {
    const { id, generation, settled_generation: settled, lease_owner: owner } = row;
    return {
      ...{ id, projectId: row.project_id, floatingIpId: row.floating_ip_id, vips: vips.get(id) ?? [] },
      isQuiet: !fromBit(row.deleting) && Number(generation) === Number(settled) && owner === null,
      epoch: toNumber(row.lease_epoch),
      mode: row.vip_mode === 'bgp' ? 'bgp' : 'aap',
      pairMode: isPair(row) ? 'active-standby' : 'active-active',
      isOffNetwork: row.vip_withdrawn_at !== null || (row.vip_held !== null && fromBit(row.vip_held)),
      wiring: (wiring.get(id) ?? []).flatMap(({ service_engine_id, ip_address, port_id, mode }) =>
        port_id === null ? [] : [{ engineId: service_engine_id, portId: port_id, address: ip_address, mode }],
      ),
    };
  });
  return new Map(found.map((one) => [one.id, one]));
}

interface VipColumns {
  readonly load_balancer_id: string;
  readonly ip_address: string | null;
  readonly port_id: string | null;
  readonly network_id: string | null;
  readonly octavia_owned: 0 | 1;
}

async function loadVips(db: Db, part: FleetPart | undefined): Promise<ReadonlyMap<string, WiredVip[]>> {
  const columns = ['v.load_balancer_id', 'v.ip_address', 'v.port_id', 'v.network_id'];
  const narrow = (query: { whereIn(column: string, ids: readonly string[]): unknown }) =>
    void (part && query.whereIn('v.load_balancer_id', part.loadBalancerIds));
  const first: VipColumns[] = await db('vip as v')
    .modify(narrow)
    .select(...columns, 'v.octavia_owned');
  const more: VipColumns[] = await db('additional_vip as v')
    .join('vip as o', 'o.load_balancer_id', 'v.load_balancer_id')
    .modify(narrow)
    .select(...columns, 'o.octavia_owned', 'o.network_id as own_network', 'o.port_id as own_port');
  const found = new Map<string, WiredVip[]>();
  for (const row of [...first, ...(more as (VipColumns & { own_network?: string; own_port?: string })[])]) {
    if (row.ip_address === null) continue;
    const own = row as { own_network?: string | null; own_port?: string | null };
    const vip = {
      address: row.ip_address,
      portId: row.port_id ?? own.own_port ?? null,
      networkId: row.network_id ?? own.own_network ?? null,
      isOwned: fromBit(row.octavia_owned),
    };
    found.set(row.load_balancer_id, [...(found.get(row.load_balancer_id) ?? []), vip]);
  }
  return found;
}

/** Whether one engine at a time answers for a load balancer. */
async function readPairModes(
  db: Db,
): Promise<(row: Pick<LoadBalancerRow, 'topology' | 'flavor_id' | 'availability_zone'>) => boolean> {
  const groups: { id: string; name: string; properties: Json; is_default: 0 | 1 }[] = await db(
    'service_engine_group',
  ).select('id', 'name', 'properties', 'is_default');
  const profile = async (kind: 'flavor' | 'availability_zone', key: string) => {
    const rows: { key: string; data: Json }[] = await db(`${kind} as f`)
      .join(`${kind}_profile as p`, 'p.id', `f.${kind}_profile_id`)
      .select(`f.${key} as key`, `p.${kind}_data as data`);
    return new Map(rows.map((row) => [row.key, fromJson<Readonly<Record<string, unknown>>>(row.data) ?? {}]));
  };
  const flavors = await profile('flavor', 'id');
  const zones = await profile('availability_zone', 'name');
  const read = new Map<string, GroupProperties>();
  const propertiesOf = (name: string | undefined): GroupProperties | undefined => {
    const group = groups.find((it) =>
      name === undefined ? fromBit(it.is_default) : it.name === name || it.id === name,
    );
    if (!group) return undefined;
    const properties = read.get(group.id) ?? readGroupProperties(fromJson<unknown>(group.properties));
    read.set(group.id, properties);
    return properties;
  };
  return ({ topology, flavor_id, availability_zone }) => {
    const flavor = flavors.get(flavor_id ?? '') ?? {};
    const zone = zones.get(availability_zone ?? '') ?? {};
    const group = propertiesOf(groupNamedIn(flavor) ?? groupNamedIn(zone));
    return group !== undefined && readService({ topology, flavor, zone }, group).haMode === 'active_standby';
  };
}

async function loadEngines(db: Db, part: FleetPart | undefined): Promise<ReadonlyMap<string, WiredEngine>> {
  const vnics: SeVnicRow[] = await db('se_vnic')
    .modify((query) => void (part && query.whereIn('service_engine_id', part.engineIds)))
    .whereNotNull('port_id')
    .where('deleting', 0)
    .orderBy('id');
  const ofEngine = groupBy(vnics, (row) => row.service_engine_id);
  const rows: ServiceEngineRow[] = await db('service_engine').modify(
    (query) => void (part && query.whereIn('id', part.engineIds)),
  );
  const found = rows.map((row): WiredEngine => {
    const isSettled = Number(row.generation) === Number(row.settled_generation);
    return {
      ...{ id: row.id, name: row.name, groupId: row.service_engine_group_id, serverId: row.compute_id },
      isQuiet: isSettled && row.lease_owner === null && row.status !== 'BUILDING',
      epoch: toNumber(row.lease_epoch),
      isLeaving: fromBit(row.deleting),
      vnics: (ofEngine.get(row.id) ?? []).flatMap((it) => toWiredVnic(it)),
    };
  });
  return new Map(found.map((one) => [one.id, one]));
}

function toWiredVnic(row: SeVnicRow): WiredVnic[] {
  if (row.port_id === null) return [];
  return [
    {
      ...{ id: row.id, portId: row.port_id, networkId: row.network_id },
      isVipSide: row.vip_side === null || fromBit(row.vip_side),
      isPlugged: row.domain_id !== null,
      bgpServiceId: row.bgp_service,
      hasJoined: row.bgp_joined !== null && fromBit(row.bgp_joined),
    },
  ];
}

async function loadSeen(db: Db, part: FleetPart | undefined): Promise<ReadonlyMap<string, SeenFloatingIp>> {
  const rows: { id: string; load_balancer_id: string; ip_address: string | null; port_ids: Json }[] = await db(
    'seen_floating_ip',
  ).modify((query) => void (part && query.whereIn('load_balancer_id', part.loadBalancerIds)));
  return new Map(
    rows.map(({ id, load_balancer_id: loadBalancerId, ip_address: address, port_ids }) => [
      id,
      { id, loadBalancerId, address, ports: fromJson<SeenFloatingIp['ports']>(port_ids) },
    ]),
  );
}

/** Notes where a floating IP leads; null: nowhere of ours. */
export async function noteSeenFloatingIp(db: Db, id: string, seen: Omit<SeenFloatingIp, 'id'> | null): Promise<void> {
  if (seen === null) {
    await db('seen_floating_ip').where({ id }).delete();
    return;
  }
  const { loadBalancerId, address, ports } = seen;
  await db('seen_floating_ip')
    .insert({ id, load_balancer_id: loadBalancerId, ip_address: address, port_ids: JSON.stringify(ports) })
    .onConflict('id')
    .merge();
}

/** Of these load balancers, those that are gone and whose rows are still there. */
export async function listDeletedLoadBalancers(db: Db, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const gone: string[] = [];
  for (let start = 0; start < ids.length; start += FEW) {
    const some = ids.slice(start, start + FEW);
    gone.push(...(await db('load_balancer').whereIn('id', some).where('provisioning_status', 'DELETED').pluck('id')));
  }
  return new Set(gone);
}

/** Addresses that load balancers had which are gone, with their networks: `network address`. */
export async function listFormerVips(db: Db): Promise<ReadonlySet<string>> {
  const rows: { network_id: string | null; ip_address: string | null }[] = await db('vip as v')
    .join('load_balancer as lb', 'lb.id', 'v.load_balancer_id')
    .where('lb.provisioning_status', 'DELETED')
    .select('v.network_id', 'v.ip_address');
  return new Set(rows.map(({ network_id, ip_address }) => `${network_id} ${ip_address}`));
}
