/** What control-nodes and vRouters say of what they really do: for diagnosis alone, and nothing is decided by it. */

export interface ControlRoute {
  readonly table: string;
  readonly prefix: string;
  readonly paths: readonly ControlPath[];
}

export interface ControlPath {
  /** `XMPP` from a vRouter, `BGP` or `BGPaaS` from elsewhere. */
  readonly protocol: string;
  readonly source: string;
  readonly nextHop: string;
  readonly label: number | null;
  readonly localPreference: number | null;
  readonly asPath: string;
  readonly sequence: string;
  /** Traffic may take it. What BGP brings is not: the path to its next hop is, and stands beside it. */
  readonly usable: boolean;
}

export interface ControlPeer {
  readonly name: string;
  readonly state: string;
  readonly peerAs: number | null;
  readonly address: string;
  readonly lastError: string | null;
}

export interface VRouterInterface {
  readonly portId: string;
  readonly device: string;
  readonly active: boolean;
  /** Null: it has no health check. */
  readonly healthCheckActive: boolean | null;
  readonly address: string;
  readonly label: number | null;
  readonly pairs: readonly string[];
  readonly floatingIps: readonly { readonly address: string; readonly fixed: string; readonly installed: boolean }[];
}

export interface VRouterRoute {
  readonly vrf: string;
  readonly prefix: string;
  readonly nextHop: VRouterNextHop;
}

export interface VRouterNextHop {
  readonly kind: string;
  readonly index: number | null;
  readonly label: number | null;
  /** Local interface, or the far end of a tunnel. */
  readonly target: string;
  /** Of a composite: what flows are spread over. */
  readonly members: readonly VRouterNextHop[];
}

/** A flow that came in by an interface, as the table of its vRouter has it. */
export interface VRouterFlow {
  /** Which of its route's composite next hop it takes, from 0; null: there is no choice. */
  readonly index: number | null;
}

export interface FlowKey {
  readonly source: string;
  readonly sourcePort: number;
  readonly destination: string;
  readonly destinationPort: number;
  readonly protocol: 'tcp' | 'udp';
}

/** Their introspect pages. All throw when there is no answer in time, or none that makes sense. */
export interface Introspector {
  /** @param address of the control-node; `host:port` where it is not the usual port */
  controlRoute(address: string, route: { readonly instance: string; readonly prefix: string }): Promise<ControlRoute>;
  /** Sessions whose name holds the text. */
  controlPeers(address: string, name: string): Promise<readonly ControlPeer[]>;
  /** @param address of the compute host */
  vRouterInterface(address: string, portId: string): Promise<VRouterInterface | undefined>;
  vRouterRoute(
    address: string,
    route: { readonly instance: string; readonly prefix: string },
  ): Promise<VRouterRoute | undefined>;
  /** @param portId by which it came in; undefined where the table does not have that flow */
  vRouterFlow(address: string, portId: string, key: FlowKey): Promise<VRouterFlow | undefined>;
}
