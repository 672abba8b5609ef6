/** Where the far ends of a subnet's sessions are, as the network says: never guessed. */
export interface BgpPlace {
  readonly subnetId: string;
  readonly gateway: string | null;
  /** Stands for the second control node. */
  readonly dnsServer: string | null;
}

/** The service of BGP that the engines of a group have in a VIP network. */
export interface BgpService {
  readonly id: string;
  readonly groupId: string;
  readonly networkId: string;
  /** Of the engines. */
  readonly localAs: number;
  /** Of the control nodes. */
  readonly remoteAs: number;
  readonly places: readonly BgpPlace[];
  readonly timers: BgpTimers;
  /** Sealed; null: the sessions have none. */
  readonly md5Secret: string | null;
}

/** Timers of sessions: seconds, and milliseconds for BFD. */
export interface BgpTimers {
  readonly keepalive: number;
  readonly hold: number;
  readonly connectRetry: number;
  readonly bfd: BfdTimers | null;
}

export interface BfdTimers {
  readonly interval: number;
  readonly multiplier: number;
}

/** What the sealed secret of a group's sessions is bound to. */
export function bgpSecretContext(groupId: string): string {
  return `bgp-md5 ${groupId}`;
}
