import type { BgpSession, ContrailView, FloatingIp, Interface, Network } from './view';

/** Where a network has a routing instance: on a compute host, or at the gateway to the outside. */
export type Place = string;
export const GATEWAY: Place = 'gw';

/** What the agents know beside the configuration. */
export interface Facts {
  readonly hosts: readonly Place[];
  /** Interfaces whose tap is there, by id. */
  readonly isPlugged: (interfaceId: string) => boolean;
  /** What link-local service health checks have found; an interface without any is healthy. */
  readonly isHealthy: (interfaceId: string) => boolean;
  /** Who has that address of an active-standby pair: the last one seen to announce it. */
  readonly activeOf: (networkId: string, prefix: string) => string | undefined;
  /** Prefixes the control-nodes have from the engine behind an interface, with the ECMP paths alone. */
  readonly announced: (interfaceId: string) => readonly string[];
}

/** One routing instance of one vRouter: a namespace of the kernel. */
export interface Instance {
  readonly place: Place;
  readonly networkId: string;
  readonly taps: readonly Tap[];
  /** By prefix: all paths. */
  readonly routes: ReadonlyMap<string, readonly Path[]>;
  /** By prefix: the paths of this host alone; what comes out of a tunnel takes them. */
  readonly localRoutes: ReadonlyMap<string, readonly Path[]>;
  /** Translation towards other networks. */
  readonly translations: readonly Translation[];
  /** Of engines on this host. */
  readonly sessions: readonly BgpSession[];
  /** Where engines of this network find the first and the second control-node. */
  readonly speakers: { readonly first: readonly string[]; readonly second: readonly string[] };
  /** Where what has no route goes. */
  readonly defaultDevice: string | null;
}

export interface Tap {
  readonly device: string;
  readonly interface: Interface;
  /** The vRouter's own on it. */
  readonly addresses: readonly string[];
  /** What the machine behind may send from; null: anything, as who has a BGP session may announce anything. */
  readonly sources: readonly string[] | null;
  /** IPv6 addresses that the vRouter answers for. */
  readonly neighbours: readonly string[];
}

export interface Path {
  readonly device: string;
  readonly weight: number;
}

/** A floating IP, and the interfaces of this host that share its flows. */
export interface Translation {
  readonly outer: string;
  readonly targets: readonly { readonly device: string; readonly inner: string }[];
}

/** A cable between the instances of two networks on one host, for floating IPs. */
export interface Leak {
  readonly place: Place;
  readonly inner: string;
  readonly outer: string;
}

export interface Plan {
  readonly instances: readonly Instance[];
  readonly leaks: readonly Leak[];
}

export const tapOf = (interfaceId: string): string => `t${interfaceId.replaceAll('-', '').slice(0, 12)}`;
export const tunnelTo = (place: Place): string => `o-${place}`;
export const leakOutward = (outer: string): string => `x${outer.replaceAll('-', '').slice(0, 12)}`;
export const leakInward = (inner: string): string => `y${inner.replaceAll('-', '').slice(0, 12)}`;
/** To the control-nodes. */
export const UNDERLAY = 'u0';
export const hostRoute = (address: string): string => `${address}/${address.includes(':') ? 128 : 32}`;
export const isV6 = (prefix: string): boolean => prefix.includes(':');

interface Claim {
  readonly place: Place;
  readonly path: Path;
}

/** Every network's routes, of all vRouters: who claims what prefix, and by what device of his host. */
export function makePlan(view: ContrailView, facts: Facts): Plan {
  const live = view.interfaces.filter((one) => one.host !== null && facts.isPlugged(one.id));
  const leaks = planLeaks(view, live);
  const outers = new Set(view.floatingIps.map(({ networkId }) => networkId));
  const instances = view.networks.flatMap((network) => {
    const places = outers.has(network.id) ? [...facts.hosts, GATEWAY] : facts.hosts;
    const claims = claimsOf(network, { view, live, facts });
    return places.map((place) => planInstance({ place, network, claims, leaks, live, view, facts }));
  });
  return { instances, leaks };
}

interface Scene {
  readonly view: ContrailView;
  readonly live: readonly Interface[];
  readonly facts: Facts;
}

function planLeaks({ floatingIps }: ContrailView, live: readonly Interface[]): Leak[] {
  const leaks = new Map<string, Leak>();
  for (const { networkId: outer, interfaceIds } of floatingIps) {
    for (const { id, host, networkId: inner } of live) {
      if (!interfaceIds.includes(id) || host === null || inner === outer) continue;
      leaks.set(`${host} ${inner} ${outer}`, { place: host, inner, outer });
    }
  }
  return [...leaks.values()];
}

/** Prefixes of an interface that lead to it now. */
function prefixesOf(one: Interface, facts: Facts): string[] {
  if (!facts.isHealthy(one.id)) return [];
  const pairs = one.prefixes.filter(
    ({ prefix, isStandby }) => !isStandby || facts.activeOf(one.networkId, prefix) === one.id,
  );
  const all = [...one.addresses.map(hostRoute), ...pairs.map(({ prefix }) => prefix), ...facts.announced(one.id)];
  return [...new Set(all)];
}

function claimsOf(network: Network, { view, live, facts }: Scene): Map<string, Claim[]> {
  const claims = new Map<string, Claim[]>();
  const claim = (prefix: string, place: Place, device: string) => {
    const of = claims.get(prefix) ?? [];
    const same = of.find((one) => one.place === place && one.path.device === device);
    const others = of.filter((one) => one !== same);
    claims.set(prefix, [...others, { place, path: { device, weight: (same?.path.weight ?? 0) + 1 } }]);
  };
  for (const one of live.filter(({ networkId }) => networkId === network.id)) {
    for (const prefix of prefixesOf(one, facts)) claim(prefix, one.host ?? '', tapOf(one.id));
  }
  for (const fip of view.floatingIps.filter(({ networkId }) => networkId === network.id)) {
    for (const one of carriersOf(fip, live, facts)) {
      claim(
        hostRoute(fip.address),
        one.host ?? '',
        one.networkId === network.id ? tapOf(one.id) : leakInward(one.networkId),
      );
    }
  }
  return claims;
}

/** The route of a floating IP follows that of its fixed address. */
function carriersOf({ interfaceIds, fixedAddress }: FloatingIp, live: readonly Interface[], facts: Facts): Interface[] {
  return live.filter((one) => {
    if (!interfaceIds.includes(one.id)) return false;
    const prefixes = prefixesOf(one, facts);
    return fixedAddress === null ? prefixes.length > 0 : prefixes.includes(hostRoute(fixedAddress));
  });
}

interface InstanceInput extends Scene {
  readonly place: Place;
  readonly network: Network;
  readonly claims: ReadonlyMap<string, readonly Claim[]>;
  readonly leaks: readonly Leak[];
}

function planInstance(input: InstanceInput): Instance {
  const { place, network, claims, leaks } = input;
  const routes = new Map<string, Path[]>();
  const localRoutes = new Map<string, Path[]>();
  for (const [prefix, of] of claims) {
    const local = of.filter((one) => one.place === place).map(({ path }) => path);
    const remote = [...new Set(of.map((one) => one.place))].filter((one) => one !== place);
    routes.set(prefix, [...local, ...remote.sort().map((one) => ({ device: tunnelTo(one), weight: 1 }))]);
    if (local.length > 0) localRoutes.set(prefix, local);
  }
  const out = leaks.find((leak) => leak.place === place && leak.inner === network.id);
  const isOuter = input.view.floatingIps.some(({ networkId }) => networkId === network.id);
  const outward = out ? leakOutward(out.outer) : null;
  const isHere = new Set(input.live.filter(({ host }) => host === place).map(({ id }) => id));
  return {
    place,
    networkId: network.id,
    taps: planTaps(input),
    sessions: input.view.sessions.filter((one) => one.networkId === network.id && isHere.has(one.interfaceId)),
    speakers: {
      first: network.subnets.flatMap(({ gateway }) => gateway ?? []),
      second: network.subnets.flatMap(({ dns }) => dns ?? []),
    },
    routes,
    localRoutes,
    translations: planTranslations(input),
    defaultDevice: isOuter && place !== GATEWAY ? tunnelTo(GATEWAY) : outward,
  };
}

function planTaps({ place, network, live, claims, view }: InstanceInput): Tap[] {
  const own = live.filter(({ host, networkId }) => host === place && networkId === network.id);
  const addresses = network.subnets.flatMap(({ gateway, dns }) => [gateway, dns].filter((one) => one !== null));
  const known = [...claims.keys()].filter((prefix) => prefix.endsWith('/128')).map((prefix) => prefix.slice(0, -4));
  return own.map((one) => {
    const device = tapOf(one.id);
    const announced = [...claims].filter(([, of]) => of.some(({ path }) => path.device === device));
    const sources = [...one.addresses.map(hostRoute), ...one.prefixes.map(({ prefix }) => prefix)];
    const all = [...new Set([...sources, ...announced.map(([prefix]) => prefix)])];
    const hasSession = view.sessions.some(({ interfaceId }) => interfaceId === one.id);
    return {
      device,
      interface: one,
      addresses: [...new Set(addresses)],
      sources: hasSession ? null : sources,
      neighbours: known.filter((address) => !all.includes(hostRoute(address))),
    };
  });
}

function planTranslations({ place, network, view, live, facts }: InstanceInput): Translation[] {
  return view.floatingIps.flatMap((fip) => {
    const here = carriersOf(fip, live, facts).filter(
      ({ host, networkId }) => host === place && networkId === network.id,
    );
    if (here.length === 0) return [];
    const isOfFamily = (address: string) => isV6(address) === isV6(fip.address);
    const targets = here.flatMap(({ id, addresses }) => {
      const inner = fip.fixedAddress ?? addresses.find(isOfFamily);
      return inner !== undefined && isOfFamily(inner) ? [{ device: tapOf(id), inner }] : [];
    });
    return targets.length > 0 ? [{ outer: fip.address, targets }] : [];
  });
}
