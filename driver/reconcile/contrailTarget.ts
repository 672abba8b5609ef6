import type { ContrailDriver, FloatingIp, PairMode } from '../clouds/contrail/port';
import type { NetworkDriver } from '../clouds/network/port';
import type { ContrailSettings } from '../config/contrail';
import type { Db } from '../db/connect';
import type { EnginePort, WiringRecord } from '../db/wiring';
import type { Sealer } from '../domain/sealing';
import type { LoadBalancerTree } from '../domain/tree';
import type { VipPlace } from '../target/networkNeeds';
import type { PairWriter } from './pairWriter';

/** Contrail, for whoever wires in it. */
export interface ContrailParts {
  readonly driver: ContrailDriver;
  /** Every change of address pairs goes this way. Made once a process. */
  readonly pairs: PairWriter;
  readonly settings: ContrailSettings;
  /** What objects are marked and named with. */
  readonly ownerTag: string;
  /** Seals secrets. Absent: none can be kept. */
  readonly sealer?: Pick<Sealer, 'seal' | 'open'>;
  /** When each service of BGP was last seen to be as wanted, by this process's clock. Made once a process. */
  readonly seenServices: Map<string, number>;
  /** By load balancer: what was found to be wired as wanted, and when by this process's clock. Made once a process. */
  readonly seenWiring: Map<string, { readonly digest: string; readonly at: number }>;
  /** Milliseconds for which `seenWiring` is believed, if not as usual. */
  readonly believed?: number;
  /** How long routers are waited for, if not as usual. */
  readonly routerPatience?: RouterPatience;
}

/** Milliseconds. */
export interface RouterPatience {
  /** Until a router that has not come is asked for anew. */
  readonly wait: number;
  readonly lookAfter: number;
  /** Between leaving a service and joining it again: at once does not help. */
  readonly pause: number;
}

/** What the kinds of a load balancer's unit are computed from in Contrail. */
export interface ContrailTarget {
  readonly tree: LoadBalancerTree;
  readonly mode: 'aap' | 'bgp';
  readonly pairMode: PairMode;
  /** Ports of the engines that are to answer for the VIPs; none for a load balancer that goes. */
  readonly ports: readonly WiredPort[];
  readonly vips: readonly VipPlace[];
  /** Where a floating IP is to be allocated; null: nowhere. */
  readonly floating: FloatingWish | null;
  /** What the cloud was told before. */
  readonly recorded: readonly WiringRecord[];
  readonly notes: ContrailNotes;
}

export type WiredPort = EnginePort & { readonly portId: string };

export interface FloatingWish {
  readonly networkId: string;
  readonly subnetId: string | null;
}

/** What the kinds of one run tell each other. */
export interface ContrailNotes {
  /** Floating IPs that lead to the VIPs. */
  floatingIps: readonly FloatingIp[];
}

export interface ContrailClouds {
  readonly contrail: ContrailDriver;
  readonly network: NetworkDriver;
  readonly db: Db;
  readonly pairs: PairWriter;
}

/** Whether no traffic is to be led to the engines: no member is usable, or somebody else still answers for the VIPs. */
export function isOffNetwork({ vipWithdrawn, vipHeld }: Pick<LoadBalancerTree, 'vipWithdrawn' | 'vipHeld'>): boolean {
  return vipWithdrawn || vipHeld;
}

/** Ports that hold the VIPs' addresses. */
export function vipPortIds({ vip, additionalVips }: LoadBalancerTree): string[] {
  return [...new Set([vip, ...additionalVips].flatMap(({ portId }) => portId ?? []))];
}

/** Whether a VIP is answered for outside of its own network. */
export function isRouted({ networkId }: VipPlace, { vip }: LoadBalancerTree): boolean {
  return networkId !== vip.networkId;
}

/** The VIPs that each port answers for. */
export function servedBy(target: Pick<ContrailTarget, 'ports' | 'vips'>): { port: WiredPort; vip: VipPlace }[] {
  return target.ports.flatMap((port) =>
    target.vips.filter(({ networkId }) => networkId === port.networkId).map((vip) => ({ port, vip })),
  );
}
