/** An engine's networks: routing domains, the vNICs in them, and which of these a load balancer needs. Pure. */

/** A way to addresses, as the network service or an operator has it. */
export interface Route {
  /** A CIDR. */
  readonly destination: string;
  readonly nextHop: string;
}

/** What the network service says of a vNIC's place, beside its port's MAC address. */
export interface VnicFacts {
  /** The subnets it has addresses in. */
  readonly subnetIds: readonly string[];
  /** Bytes. */
  readonly mtu: number;
  /** With prefix length: `10.0.0.5/24`. */
  readonly addresses: readonly string[];
  /** Of the subnets it has addresses in. */
  readonly gateways: readonly string[];
  /** Of those subnets. */
  readonly hostRoutes: readonly Route[];
  /** Of the configuration, as far as their next hops are in those subnets. */
  readonly staticRoutes: readonly Route[];
}

/** A vNIC of an engine: the row says that one is wanted; the engine's unit makes its port and plugs it in. */
export interface Vnic {
  readonly id: string;
  readonly engineId: string;
  /** The VIP network it serves: the routing domain. Null where vNICs are not plugged in. */
  readonly domainId: string | null;
  readonly networkId: string;
  /** The first of `subnetIds`. */
  readonly subnetId: string | null;
  /** Subnets it has to have an address in; none: the network service chooses. */
  readonly subnetIds: readonly string[];
  /** VIPs are answered for on it, and the default route leaves by it. */
  readonly vipSide: boolean;
  readonly portId: string | null;
  readonly macAddress: string | null;
  readonly ipAddress: string | null;
  /** Null until the network service was asked. */
  readonly facts: VnicFacts | null;
  readonly deleting: boolean;
}

/** Of a domain's vNICs the lowest is the first: the VIP network's own, then others with VIPs, then those to members. */
export function vnicRank({ networkId, domainId, vipSide }: Pick<Vnic, 'networkId' | 'domainId' | 'vipSide'>): number {
  return networkId === domainId ? 0 : vipSide ? 1 : 2;
}

/** Whether its place is known, with an address in every subnet that is wanted of it. */
export function isComplete({ facts, subnetIds }: Vnic): boolean {
  return facts !== null && subnetIds.every((id) => facts.subnetIds.includes(id));
}

/** A route of the configuration: next hops are known by the subnet they are in. */
export interface StaticRoute extends Route {
  readonly subnetId: string;
}

/** How networks are chosen; an operator's decision. */
export interface RoutingOptions {
  readonly staticRoutes: readonly StaticRoute[];
  /** Members that a static route leads to are reached by it, also where their own network could be joined. */
  readonly preferStaticRoutes: boolean;
  /** VIPs that a static route leads to are answered for in the network of its next hop. */
  readonly enableVipStaticRoutes: boolean;
}
