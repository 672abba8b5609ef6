import ipaddr from 'ipaddr.js';
import type { LoadBalancerTree } from '../domain/tree';
import type { RoutingOptions, StaticRoute } from '../domain/vnic';

export type { RoutingOptions } from '../domain/vnic';

export const NO_ROUTING: RoutingOptions = {
  staticRoutes: [],
  preferStaticRoutes: false,
  enableVipStaticRoutes: false,
};

/** A network an engine has to be in for a load balancer. */
export interface NetworkNeed {
  readonly networkId: string;
  /** The engine has to have an address in each. */
  readonly subnetIds: readonly string[];
  readonly vipSide: boolean;
}

/** The network of a subnet; undefined for one that is not there. */
export type NetworkOfSubnet = (subnetId: string) => string | undefined;

/** Subnets whose network has to be known for `networkNeeds`, each once. */
export function subnetsToPlace(tree: LoadBalancerTree, { staticRoutes }: RoutingOptions): string[] {
  const members = tree.pools.flatMap((pool) => pool.members).flatMap(({ subnetId }) => subnetId ?? []);
  return [...new Set([...members, ...staticRoutes.map(({ subnetId }) => subnetId)])];
}

/**
 * The networks an engine has to be in to serve the load balancer: the VIP's first, then those of its members' subnets. A
 * member without a subnet is reached by the routes of the VIP's network. Pure; none when the VIP is in no network.
 */
export function networkNeeds(
  tree: LoadBalancerTree,
  networkOf: NetworkOfSubnet,
  options: RoutingOptions = NO_ROUTING,
): readonly NetworkNeed[] {
  const needs = new Map<string, { subnetIds: Set<string>; vipSide: boolean }>();
  const add = (networkId: string | undefined, subnetId: string | null, vipSide: boolean): void => {
    if (networkId === undefined) return;
    const need = needs.get(networkId) ?? { subnetIds: new Set<string>(), vipSide };
    needs.set(networkId, { ...need, vipSide: need.vipSide || vipSide });
    if (subnetId !== null) need.subnetIds.add(subnetId);
  };
  for (const place of vipPlaces(tree, networkOf, options)) add(place.networkId, place.subnetId, true);
  for (const { address, subnetId } of membersOf(tree)) {
    const route = routeTo(address, options);
    const routed = route !== undefined && (options.preferStaticRoutes || subnetId === null);
    const by = routed ? route.subnetId : subnetId;
    if (by !== null && needs.size > 0) add(networkOf(by), by, false);
  }
  return [...needs].map(([networkId, { subnetIds, vipSide }]) => ({ networkId, subnetIds: [...subnetIds], vipSide }));
}

/** The network in which a VIP is answered for, or a member is found. */
export interface VipPlace {
  readonly address: string;
  readonly networkId: string;
}

/** Where each VIP is answered for. Pure. */
export function placeVips(
  tree: LoadBalancerTree,
  networkOf: NetworkOfSubnet,
  options: RoutingOptions,
): readonly VipPlace[] {
  return vipPlaces(tree, networkOf, options).flatMap(({ address, networkId }) =>
    address === null || networkId === undefined ? [] : [{ address, networkId }],
  );
}

/** Members by the networks of their subnets. Pure. */
export function placeMembers(tree: LoadBalancerTree, networkOf: NetworkOfSubnet): readonly VipPlace[] {
  return membersOf(tree).flatMap(({ address, subnetId }) => {
    const networkId = subnetId === null ? undefined : networkOf(subnetId);
    return networkId === undefined ? [] : [{ address, networkId }];
  });
}

interface Place {
  readonly address: string | null;
  readonly networkId: string | undefined;
  readonly subnetId: string | null;
}

function vipPlaces(tree: LoadBalancerTree, networkOf: NetworkOfSubnet, options: RoutingOptions): Place[] {
  const { networkId } = tree.vip;
  if (networkId === null) return [];
  return [tree.vip, ...tree.additionalVips].map(({ ipAddress, subnetId }): Place => {
    const route = options.enableVipStaticRoutes && ipAddress !== null ? routeTo(ipAddress, options) : undefined;
    const routed = route && networkOf(route.subnetId);
    return route && routed !== undefined
      ? { address: ipAddress, networkId: routed, subnetId: route.subnetId }
      : { address: ipAddress, networkId, subnetId };
  });
}

function membersOf(tree: LoadBalancerTree): { address: string; subnetId: string | null }[] {
  const pools = tree.pools.filter(({ deleting }) => !deleting);
  return pools.flatMap(({ members }) =>
    members.filter(({ deleting }) => !deleting).map(({ address, subnetId }) => ({ address, subnetId })),
  );
}

/** The narrowest static route that leads to the address. */
function routeTo(address: string, { staticRoutes }: RoutingOptions): StaticRoute | undefined {
  if (!ipaddr.isValid(address)) return undefined;
  const parsed = ipaddr.parse(address);
  const matching = staticRoutes
    .map((route) => ({ route, range: ipaddr.parseCIDR(route.destination) }))
    .filter(({ range: [network, prefix] }) => network.kind() === parsed.kind() && parsed.match(network, prefix));
  return matching.sort((a, b) => b.range[1] - a.range[1])[0]?.route;
}
