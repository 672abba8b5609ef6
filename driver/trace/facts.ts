import type { Port } from '../clouds/network/port';
import type { BgpSession } from '../db/bgpSessions';
import type { WiringRecord } from '../db/wiring';
import type { PeerRecord, PortRecord } from '../domain/analytics';
import type { BgpService } from '../domain/bgp';
import type { ControlPeer, ControlRoute, VRouterFlow, VRouterInterface, VRouterRoute } from '../domain/introspect';
import type { Survey } from '../domain/survey';
import type { LoadBalancerTree } from '../domain/tree';
import type { EngineFacts } from '../protocol/inspection';

export type { ControlPath, VRouterInterface, VRouterNextHop } from '../domain/introspect';

/**
 * All that is known of a load balancer's way, from rows to packets. Collected once, judged and shown by pure functions. What
 * could not be read is there as well, with the reason: it is a line, and no failure.
 */
export interface TraceFacts {
  readonly tree: LoadBalancerTree;
  readonly group: { readonly id: string; readonly name: string; readonly haMode: string } | null;
  /** Of the configuration: contrail, neutron, local or noop. */
  readonly networkDriver: string;
  /** `[contrail] vip_mode`, of load balancers that have not chosen. */
  readonly engines: readonly EngineRow[];
  /** Of these engines, in the load balancer's domain. */
  readonly vnics: readonly VnicRow[];
  readonly wiring: readonly WiringRecord[];
  readonly sessions: readonly BgpSession[];
  readonly bgpServices: readonly BgpService[];
  readonly events: readonly EventLine[];
  /** Engines of the group that never called home, of late, the latest first. */
  readonly ghosts: readonly Pick<EventLine, 'at' | 'message'>[];
  /** Neutron's, of VIPs and engines. */
  readonly ports: Read<readonly Port[]>;
  /** Undefined where VIPs are not wired in Contrail. */
  readonly survey: Read<Survey> | undefined;
  /** By engine. */
  readonly inspections: ReadonlyMap<string, Read<EngineFacts>>;
  readonly controlNodes: readonly ControlNodeFacts[];
  readonly vRouters: readonly VRouterFacts[];
  /** Undefined where analytics and schema transformers are not asked. */
  readonly analytics?: AnalyticsFacts | undefined;
  readonly transformer?: TransformerFacts | undefined;
  /** Of the flow that was asked for; undefined where its client's vRouter is not known. */
  readonly flow?: Read<FlowSeen> | undefined;
  /** What the configuration wants of wiring. */
  readonly wanted: WiringSettings;
}

export interface WiringSettings {
  /** Ports have a service health check. */
  readonly healthCheck: boolean;
  readonly managementNetworkIds: readonly string[];
}

/** What was read somewhere, or why it could not be. `at`: where, for whoever wants to look himself. */
export type Read<T> = { readonly at: string } & ({ readonly value: T } | { readonly problem: string });

export function contentOf<T>(read: Read<T> | undefined): T | undefined {
  return read && 'value' in read ? read.value : undefined;
}

export function problemOf(read: Read<unknown> | undefined): string | undefined {
  return read && 'problem' in read ? read.problem : undefined;
}

export interface EngineRow {
  readonly id: string;
  readonly name: string;
  readonly status: 'BUILDING' | 'READY' | 'DRAINING' | 'DELETING' | 'DOWN' | 'GHOST';
  readonly host: string | null;
  readonly computeId: string | null;
  readonly managementAddress: string | null;
  readonly connected: boolean;
  /** ISO 8601. */
  readonly lastHeartbeat: string | null;
}

export interface VnicRow {
  readonly id: string;
  readonly engineId: string;
  readonly networkId: string;
  readonly portId: string | null;
  readonly macAddress: string | null;
  readonly addresses: readonly string[];
  readonly mtu: number | null;
  readonly gateways: readonly string[];
  readonly vipSide: boolean;
  readonly deleting: boolean;
  readonly bgpServiceId: string | null;
  readonly bgpJoined: boolean;
  readonly bgpTrouble: string | null;
}

export interface EventLine {
  readonly at: string;
  readonly name: string;
  readonly severity: string;
  readonly message: string;
}

/** What a control-node says. */
export interface ControlNodeFacts {
  readonly name: string;
  readonly address: string;
  /** Of the VIPs and the floating IPs: by table and prefix. */
  readonly routes: Read<readonly ControlRoute[]>;
  /** Sessions with the engines. */
  readonly peers: Read<readonly ControlPeer[]>;
}

/** A flow, in the vRouter by which it enters. */
export interface FlowSeen {
  readonly host: string;
  /** For its destination; undefined: there is no route. */
  readonly route: VRouterRoute | undefined;
  /** Undefined: the vRouter has no such flow. */
  readonly record: VRouterFlow | undefined;
}

/** What a vRouter's agent says. */
export interface VRouterFacts {
  readonly host: string;
  readonly address: string;
  readonly interfaces: Read<readonly VRouterInterface[]>;
  readonly routes: Read<readonly VRouterRoute[]>;
}

/** What analytics says of the engines' ports and sessions. */
export interface AnalyticsFacts {
  readonly ports: Read<readonly { readonly portId: string; readonly record: PortRecord | undefined }[]>;
  readonly peers: Read<readonly PeerRecord[]>;
}

/** Whether the schema transformer knows the services of BGP that the engines are in. */
export type TransformerFacts = Read<readonly { readonly serviceId: string; readonly known: boolean }[]>;
