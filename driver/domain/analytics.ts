/** What Contrail's analytics and its schema transformer say: for diagnosis alone. Analytics hears of changes late. */

/** A port, as the agent of its host has reported it. */
export interface PortRecord {
  readonly portId: string;
  /** Null: it does not say. */
  readonly active: boolean | null;
  readonly address: string;
  readonly macAddress: string;
  /** Nova's server it is plugged into. */
  readonly serverId: string;
  readonly floatingIps: readonly string[];
  /** Null: it has none. */
  readonly healthCheckActive: boolean | null;
  readonly healthChecks: readonly { readonly name: string; readonly active: boolean; readonly running: boolean }[];
}

/** A session of BGP, as a control-node has reported it. */
export interface PeerRecord {
  readonly controlNode: string;
  readonly router: string;
  readonly state: string;
  readonly lastState: string;
  readonly address: string;
  readonly peerAs: number | null;
  readonly flaps: number;
  /** ISO 8601; null: never. */
  readonly lastFlap: string | null;
  /** Routes it has told the control-node of; null: it does not say. */
  readonly paths: number | null;
}

/** Both throw when there is no answer in time, or none that makes sense. */
export interface Analytics {
  /** Undefined: no agent has reported it. */
  port(wanted: { readonly id: string; readonly fqName: string }): Promise<PortRecord | undefined>;
  /** Of the sessions of these routers. */
  peers(routers: readonly string[]): Promise<readonly PeerRecord[]>;
}

/** A schema transformer: several run, and one of them works. */
export interface Transformer {
  readonly address: string;
  /** Whether it knows a service of BGP. @throws when there is no answer in time, or none that makes sense */
  knowsBgpService(id: string): Promise<boolean>;
}
