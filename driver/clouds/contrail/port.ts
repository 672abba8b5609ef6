import type { BgpPlace } from '../../domain/bgp';
import type { HealthCheckWish, Inventory, InventoryRequest, Provenance, WiringType } from '../../domain/inventory';
import type { Survey, SurveyRequest } from '../../domain/survey';

export type { BgpPlace } from '../../domain/bgp';

/**
 * What Slipstream needs of Contrail's configuration API to wire VIPs: nothing that Neutron does as well. Ports are known by
 * the ids Neutron gives them. What the API refuses is a PassedThroughError with its status and text; no answer at all is an
 * UnavailableError.
 */

/** How a pair is served: `active-active` by all ports that have it, `active-standby` by the one that was seen last. */
export type PairMode = 'active-active' | 'active-standby';

/** An address that an engine may answer for on a port. */
export interface HostPair {
  readonly address: string;
  readonly mode: PairMode;
}

/** A port of an engine, as far as it is wired here. */
export interface Interface {
  readonly id: string;
  readonly name: string;
  /** Fully qualified name of its project. */
  readonly project: readonly string[];
  readonly networkId: string | null;
  /** Pairs of single addresses without a MAC of their own; others are somebody else's. */
  readonly pairs: readonly HostPair[];
  /** By their names. */
  readonly healthChecks: readonly string[];
  readonly routeTableIds: readonly string[];
  /** Services of BGP that name the port, whose sessions it may have. */
  readonly bgpServiceIds: readonly string[];
  /** It has the router that a session needs. */
  readonly hasBgpRouter: boolean;
}

/** What is to be different about the pairs of a port. */
export interface PairChange {
  readonly portId: string;
  readonly put: readonly HostPair[];
  /** Addresses. */
  readonly remove: readonly string[];
}

export interface HealthCheck {
  readonly monitor: 'PING' | 'BFD';
  /** Milliseconds. */
  readonly interval: number;
  readonly timeout: number;
  /** Checks in a row that fail. */
  readonly retries: number;
}

export interface FloatingIp {
  readonly id: string;
  /** Null where it was not asked for. */
  readonly address: string | null;
  /** What it leads to. */
  readonly fixedAddress: string | null;
  readonly portIds: readonly string[];
  /** The load balancer it was allocated for; null: it is a user's. */
  readonly ownerId: string | null;
}

export interface FloatingIpRequest {
  /** Chosen by the caller, who knows it again by that. */
  readonly id: string;
  readonly networkId: string;
  /** Null: any of the network's. */
  readonly subnetId: string | null;
  /** Keystone's id of the project whose it is. */
  readonly projectId: string;
  readonly fixedAddress: string;
  readonly portIds: readonly string[];
  /** The load balancer. */
  readonly ownerId: string;
}

/** A service of BGP: the ports of it may each have a session with the control nodes. */
export interface BgpServiceRequest {
  readonly id: string;
  readonly name: string;
  /** Fully qualified name. */
  readonly project: readonly string[];
  /** Of the engines. */
  readonly localAs: number;
  /** Seconds. */
  readonly holdTime: number;
  /** RFC 2385; readable by every admin there. Null: none. */
  readonly md5Secret: string | null;
  /** A check by BFD of the sessions: its name and what it does. Null: none. */
  readonly bfd: HealthCheck | null;
  /** Of the service engine group. */
  readonly ownerId: string;
}

/** As the API has it. */
export interface BgpServiceView {
  readonly id: string;
  readonly localAs: number | null;
  readonly portIds: readonly string[];
  readonly routers: number;
  readonly ownerId: string | null;
}

/** What of the whole cloud matters to sessions. */
export interface BgpGlobals {
  /** Of the control nodes. */
  readonly autonomousSystem: number;
  readonly fourByteAs: boolean;
  /** Sessions there can be, in all of the cloud. */
  readonly sessions: number;
}

/** A table of prefixes whose next hop each port is that it is linked to. */
export interface RouteTable {
  readonly id: string;
  readonly prefixes: readonly string[];
  readonly portIds: readonly string[];
}

export interface ContrailDriver {
  /** Those that are there. */
  listInterfaces(portIds: readonly string[]): Promise<readonly Interface[]>;
  /**
   * Changes pairs of ports and keeps all others on them. Whole lists are written, which cannot be made conditional: the
   * caller sees to it that nobody else of this installation changes one of the ports meanwhile. What was written is read
   * back. Gives the ports that are not there.
   */
  changePairs(changes: readonly PairChange[]): Promise<readonly string[]>;

  /** Makes the check if need be, in the ports' project, and sets it on them. One of that name is kept as wanted. */
  setHealthCheck(name: string, check: HealthCheck, ports: readonly Interface[]): Promise<void>;
  clearHealthCheck(name: string, ports: readonly Interface[]): Promise<void>;
  /** Takes the checks of that name away that no port has. */
  removeHealthChecks(name: string): Promise<void>;

  /** Of all that lead to one of the ports. */
  listFloatingIps(portIds: readonly string[]): Promise<readonly FloatingIp[]>;
  findFloatingIp(id: string): Promise<FloatingIp | undefined>;
  /** @throws PassedThroughError with 400 for a network that has none to give */
  createFloatingIp(request: FloatingIpRequest): Promise<FloatingIp>;
  /** False: one of them is not there. */
  linkFloatingIp(id: string, portId: string): Promise<boolean>;
  unlinkFloatingIp(id: string, portId: string): Promise<void>;
  setFixedAddress(id: string, address: string): Promise<void>;
  deleteFloatingIp(id: string): Promise<void>;

  bgpGlobals(): Promise<BgpGlobals>;
  bgpPlaces(networkId: string): Promise<readonly BgpPlace[]>;
  /** Sessions that are taken, in all of the cloud. */
  countBgpSessions(): Promise<number>;
  /** Makes it, or takes the one that is there under its name. Gives its id. */
  ensureBgpService(request: BgpServiceRequest): Promise<string>;
  findBgpService(id: string): Promise<BgpServiceView | undefined>;
  /** False: one of them is not there. */
  joinBgpService(id: string, portId: string): Promise<boolean>;
  leaveBgpService(id: string, portId: string): Promise<void>;
  /** With its check, if it has one. */
  deleteBgpService(id: string): Promise<void>;

  findRouteTable(id: string): Promise<RouteTable | undefined>;
  putRouteTable(table: RouteTable & { readonly project: readonly string[]; readonly ownerId: string }): Promise<void>;
  linkRouteTable(id: string, portId: string): Promise<boolean>;
  unlinkRouteTable(id: string, portId: string): Promise<void>;
  deleteRouteTable(id: string): Promise<void>;

  /** All that the wiring of VIPs is made of: about ten reads, and one more for every thousand ports. */
  inventory(asked: InventoryRequest): Promise<Inventory>;
  /** Undefined: it is not there. */
  provenance(type: WiringType, id: string): Promise<Provenance | undefined>;
  /** Shows it under that name again; the name it is known by never changes. */
  rename(type: WiringType, id: string, name: string): Promise<void>;
  /** Leaves it to its own project alone. */
  unshare(type: WiringType, id: string): Promise<void>;
  correctHealthCheck(id: string, wish: HealthCheckWish): Promise<void>;
  /** Deletes it, and first takes it off the ports that have it. */
  discard(type: WiringType, id: string): Promise<void>;

  /** All that leads traffic for VIPs, for somebody who looks into trouble. Many reads. */
  survey(asked: SurveyRequest): Promise<Survey>;
}
