/** What there is in Contrail of the wiring of VIPs, read in bulk: few calls, however many load balancers there are. */

/** Types of objects that the wiring is made of, as Contrail names them. */
export type WiringType =
  | 'virtual-machine-interface'
  | 'floating-ip'
  | 'bgp-as-a-service'
  | 'service-health-check'
  | 'interface-route-table';

export interface InventoryRequest {
  /** Looked at closely: ports of engines and of VIPs. */
  readonly portIds: readonly string[];
  /** Floating IPs that lead to one of these, besides those named. */
  readonly leadingTo: readonly string[];
  readonly floatingIpIds: readonly string[];
  /** Where VIPs are: whoever else has an address there is named. */
  readonly networkIds: readonly string[];
  /** What checks of ports are to be like; null: there are to be none. */
  readonly healthCheck: HealthCheckWish | null;
}

/** Milliseconds. */
export interface HealthCheckWish {
  readonly monitor: 'PING' | 'BFD';
  readonly interval: number;
  readonly timeout: number;
  readonly retries: number;
}

export interface InventoryObject {
  readonly type: WiringType;
  readonly id: string;
  /** It never changes. */
  readonly name: string;
  readonly displayName: string | null;
  /** What it is marked with; null: not ours. */
  readonly ownerId: string | null;
  /** Projects that may use it besides its own, or "all". */
  readonly sharedWith: readonly string[];
}

export interface InventoryPort extends InventoryObject {
  readonly networkId: string | null;
  readonly pairs: readonly { readonly address: string; readonly mode: string }[];
  /** By their names. */
  readonly healthChecks: readonly string[];
  readonly serverIds: readonly string[];
  readonly bgpServiceIds: readonly string[];
  readonly hasBgpRouter: boolean;
  readonly hasAddress: boolean;
}

export interface InventoryFloatingIp extends InventoryObject {
  readonly address: string | null;
  readonly fixedAddress: string | null;
  readonly portIds: readonly string[];
}

export interface InventoryBgpService extends InventoryObject {
  readonly localAs: number | null;
  readonly portIds: readonly string[];
  readonly routers: number;
}

export interface InventoryHealthCheck extends InventoryObject {
  readonly portIds: readonly string[];
  /** As was asked for. */
  readonly isAsWanted: boolean;
}

export interface InventoryRouteTable extends InventoryObject {
  readonly prefixes: readonly string[];
  readonly portIds: readonly string[];
}

/** Somebody's claim to an address of a network. */
export interface Claim {
  readonly by: 'address' | 'address pair';
  readonly id: string;
  readonly networkId: string;
  readonly address: string;
  /** The ports it is for. */
  readonly portIds: readonly string[];
  /** Project, as Contrail writes it; null: it does not say. */
  readonly owner: string | null;
}

export interface Inventory {
  readonly ports: readonly InventoryPort[];
  readonly floatingIps: readonly InventoryFloatingIp[];
  /** All of the cloud. */
  readonly bgpServices: readonly InventoryBgpService[];
  readonly healthChecks: readonly InventoryHealthCheck[];
  readonly routeTables: readonly InventoryRouteTable[];
  readonly claims: readonly Claim[];
  /** Of BGP: taken, how many there can be, and the AS of the control nodes; null: nobody has asked, as there is no service. */
  readonly sessions: { readonly taken: number; readonly most: number; readonly autonomousSystem: number | null };
}

/** What Contrail says of an object's history: it keeps no record of who changed it. */
export interface Provenance {
  /** UTC. */
  readonly lastModified: string | null;
  readonly creator: string | null;
  /** The project that owns it. */
  readonly owner: string | null;
}
