import { z } from 'zod';

/**
 * What an engine is told of its networks: one an engine, beside a spec for each load balancer. A domain is the routing
 * domain of one VIP network and becomes one network namespace on the engine, with the vNIC in that network, those in the
 * networks of the members, and routes of its own. Addresses, routes and MTU come from the network service: nothing is
 * asked by DHCP in it.
 */

const uuid = z.string().min(1).max(64);

export const VnicSpec = z.object({
  /** Of the row `se_vnic`. */
  id: uuid,
  networkId: uuid,
  /** Lower case, with colons: how the agent finds the interface, whenever it is plugged in. */
  macAddress: z.string().regex(/^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/),
  /** Bytes. */
  mtu: z.number().int().min(68),
  /** With prefix length: `10.0.0.5/24`. */
  addresses: z.array(z.string()),
});
export type VnicSpec = z.infer<typeof VnicSpec>;

export const RouteSpec = z.object({
  /** A CIDR; `0.0.0.0/0` and `::/0` are the default routes. */
  destination: z.string(),
  nextHop: z.string(),
  /** The vNIC it leaves by. */
  vnicId: uuid,
  /** Lower is preferred. */
  metric: z.number().int().min(0),
});
export type RouteSpec = z.infer<typeof RouteSpec>;

/** A session of a domain's BGP speaker, from the address of the domain's first vNIC. */
export const BgpPeerSpec = z.object({
  address: z.string(),
  remoteAs: z.number().int().min(1).max(4294967295),
  /** RFC 2385; null: none. A secret: never in a log. */
  md5Secret: z.string().nullable(),
  /** Asynchronous mode. */
  bfd: z.boolean(),
});
export type BgpPeerSpec = z.infer<typeof BgpPeerSpec>;

/** How the VIPs of a domain whose load balancers say so (`LoadBalancerSpec.bgp`) are announced. Times in seconds. */
export const BgpSpec = z.object({
  localAs: z.number().int().min(1).max(4294967295),
  /** An IPv4 address: that of the first vNIC, or one made from the engine's id where it has none. */
  routerId: z.string(),
  keepalive: z.number().int().min(0),
  hold: z.number().int().min(0),
  connectRetry: z.number().int().min(1),
  bfd: z.object({
    /** Milliseconds. */
    transmitInterval: z.number().int().min(10),
    receiveInterval: z.number().int().min(10),
    multiplier: z.number().int().min(1),
  }),
  /** Hops to a peer that is not on the link; null: it is. */
  multihop: z.number().int().min(1).max(255).nullable(),
  /** `64512:55`. */
  communities: z.array(z.string()),
  peers: z.array(BgpPeerSpec),
});
export type BgpSpec = z.infer<typeof BgpSpec>;

/** Another engine that this one is to hear, and to be heard by. */
export const NeighbourSpec = z.object({
  engineId: uuid,
  /** In the VIP network. */
  address: z.string(),
  /** What the two know and nobody else. A secret: never in a log. */
  key: z.string(),
});
export type NeighbourSpec = z.infer<typeof NeighbourSpec>;

/** How engines tell one another on the VIP network that they live. Milliseconds. */
export const HeartbeatSpec = z.object({
  interval: z.number().int().min(10),
  /** Silence after which a neighbour is told to be silent. */
  timeout: z.number().int().min(20),
  neighbours: z.array(NeighbourSpec),
});
export type HeartbeatSpec = z.infer<typeof HeartbeatSpec>;

export const DomainSpec = z.object({
  /** The VIP network's id. */
  id: uuid,
  /** The one in the VIP network first. */
  vnics: z.array(VnicSpec),
  routes: z.array(RouteSpec),
  /** Absent: no BGP speaker runs in it. Since version 3. */
  bgp: BgpSpec.exactOptional(),
  /** Absent: there is nobody to hear. Since version 3. */
  heartbeat: HeartbeatSpec.exactOptional(),
});
export type DomainSpec = z.infer<typeof DomainSpec>;

export const EngineSpec = z.object({
  /** `service_engine.generation` it was read at: never falls for one engine. */
  generation: z.number().int().min(0),
  /** Of the domains; equal digests need no work. */
  digest: z.string(),
  domains: z.array(DomainSpec),
});
export type EngineSpec = z.infer<typeof EngineSpec>;

/** Why a domain, or a vNIC of it, is not as wanted: an interface that has not been plugged in yet, a route that is refused. */
export const NetworkProblem = z.object({
  domainId: uuid,
  /** Null: it is about the domain as a whole. */
  vnicId: uuid.nullable(),
  reason: z.string(),
  /** Of the domain's BGP speaker alone: what is in the domain can be served. Absent: of its networks. */
  about: z.literal('bgp').exactOptional(),
});
export type NetworkProblem = z.infer<typeof NetworkProblem>;
