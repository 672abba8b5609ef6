import type { BgpService } from '../domain/bgp';
import { type Route, type Vnic, type VnicFacts, vnicRank } from '../domain/vnic';
import type { DomainSpec, EngineSpec, HeartbeatSpec, RouteSpec, VnicSpec } from '../protocol/engineSpec';
import { buildBgp } from './bgpSpec';
import { digestOf } from './canonical';

/** Metric of routes that the network service tells of. */
const USUAL_METRIC = 100;
/** Metric of configured routes, Avi's: any other route to the same place is preferred. */
const STATIC_METRIC = 30_000;

/** A vNIC whose port is there and whose place is known. */
export type PlacedVnic = Vnic & {
  readonly domainId: string;
  readonly macAddress: string;
  readonly facts: VnicFacts;
};

/** Whether an engine can be told of the vNIC. */
export function isPlaced(vnic: Vnic): vnic is PlacedVnic {
  return vnic.domainId !== null && vnic.portId !== null && vnic.macAddress !== null && vnic.facts !== null;
}

/**
 * What an engine is told of its networks: its domains with the vNICs that have a port, less those that are to go. Pure:
 * equal vNICs give equal digests, in whatever order they come.
 */
export function buildEngineSpec(
  vnics: readonly Vnic[],
  generation: number,
  sessions: EngineSessions = new Map(),
  heartbeats: ReadonlyMap<string, HeartbeatSpec> = new Map(),
): EngineSpec {
  const placed = vnics.filter((vnic) => !vnic.deleting).filter(isPlaced);
  const ids = [...new Set(placed.map(({ domainId }) => domainId))].sort();
  const domains = ids.map((id) =>
    buildDomain(
      id,
      placed.filter(({ domainId }) => domainId === id),
      { sessions, heartbeat: heartbeats.get(id) },
    ),
  );
  return { generation, digest: digestOf(domains), domains };
}

/** By vNIC: the service of BGP it is in, with the secret of its sessions in clear. */
export type EngineSessions = ReadonlyMap<string, BgpService>;

interface DomainFacts {
  readonly sessions: EngineSessions;
  readonly heartbeat: HeartbeatSpec | undefined;
}

function buildDomain(id: string, vnics: readonly PlacedVnic[], { sessions, heartbeat }: DomainFacts): DomainSpec {
  const ordered = [...vnics].sort((a, b) => vnicRank(a) - vnicRank(b) || (a.id < b.id ? -1 : 1));
  const bgp = ordered.flatMap((vnic) => buildBgp(vnic, sessions.get(vnic.id)) ?? [])[0];
  return {
    id,
    vnics: ordered.map(vnicSpec),
    routes: distinctRoutes(ordered.flatMap(routesOf)),
    ...(bgp && { bgp }),
    ...(heartbeat && { heartbeat }),
  };
}

function vnicSpec({ id, networkId, macAddress, facts }: PlacedVnic): VnicSpec {
  return {
    id,
    networkId,
    macAddress: macAddress.toLowerCase(),
    mtu: facts.mtu,
    addresses: [...facts.addresses].sort(),
  };
}

/**
 * The default route leaves by where VIPs are: by a gateway, or by what the subnet's host routes say instead. Of a network
 * of members the default is nobody's business; only the ways to other places count.
 */
function routesOf(vnic: PlacedVnic): RouteSpec[] {
  const { facts, vipSide, id } = vnic;
  const told = facts.hostRoutes.filter(({ destination }) => !isDefault(destination));
  const defaults = vipSide ? defaultsOf(facts) : [];
  const spec = (metric: number) => (route: Route) => ({ ...route, vnicId: id, metric });
  return [...[...defaults, ...told].map(spec(USUAL_METRIC)), ...facts.staticRoutes.map(spec(STATIC_METRIC))];
}

function defaultsOf({ hostRoutes, gateways }: VnicFacts): Route[] {
  const told = hostRoutes.filter(({ destination }) => isDefault(destination));
  const byGateway = gateways.map((nextHop) => ({ destination: nextHop.includes(':') ? '::/0' : '0.0.0.0/0', nextHop }));
  return [...told, ...byGateway.filter(({ destination }) => !told.some((it) => it.destination === destination))];
}

function isDefault(destination: string): boolean {
  return destination.endsWith('/0');
}

/** The kernel keeps one route a place and metric: of several the first keeps its metric, the others stand behind it. */
function distinctRoutes(routes: readonly RouteSpec[]): RouteSpec[] {
  const taken = new Set<string>();
  const kept: RouteSpec[] = [];
  for (const route of routes) {
    if (kept.some((it) => it.destination === route.destination && it.nextHop === route.nextHop)) continue;
    let { metric } = route;
    while (taken.has(`${route.destination} ${metric}`)) metric += 1;
    taken.add(`${route.destination} ${metric}`);
    kept.push({ ...route, metric });
  }
  return kept;
}
