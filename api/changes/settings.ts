import type { QuotaKind } from '../../driver/db/rows';
import type { TenancyMode } from '../../driver/domain/group';

/** The part of the configuration that changes follow. Seconds unless said. */
export interface ChangeSettings {
  /** How long a write waits for a pending load balancer before it answers 409; 0: not at all. */
  readonly immutableWait: number;
  /** When a PENDING status ends in ERROR. */
  readonly pendingDeadline: number;
  /** Provider names this service answers under. */
  readonly providers: readonly string[];
  readonly defaultProvider: string;
  readonly allowTlsTerminatedListeners: boolean;
  readonly allowPrometheusListeners: boolean;
  readonly allowPingHealthMonitors: boolean;
  readonly defaultListenerCiphers: string | null;
  readonly defaultPoolCiphers: string | null;
  readonly prohibitedCiphers: readonly string[];
  readonly defaultListenerTlsVersions: readonly string[];
  readonly defaultPoolTlsVersions: readonly string[];
  readonly minimumTlsVersion: string | null;
  readonly defaultListenerAlpnProtocols: readonly string[];
  readonly defaultPoolAlpnProtocols: readonly string[];
  readonly udpConnectMinInterval: number;
  readonly allowVipNetworkId: boolean;
  readonly allowVipSubnetId: boolean;
  readonly allowVipPortId: boolean;
  /** Null: every network. */
  readonly validVipNetworks: readonly string[] | null;
  readonly deniedVipNetworks: readonly string[];
  /** Whether users may name networks, subnets and ports of other projects. */
  readonly allowInvisibleResources: boolean;
  /** Addresses no member may have. */
  readonly reservedIps: readonly string[];
  /** Milliseconds. */
  readonly timeoutClientData: number;
  /** Milliseconds. */
  readonly timeoutMemberConnect: number;
  /** Milliseconds. */
  readonly timeoutMemberData: number;
  /** Milliseconds. */
  readonly timeoutTcpInspect: number;
  readonly sctp: boolean;
  /** What everything of this installation bears in the clouds. */
  readonly ownerTag: string;
  /** SINGLE or ACTIVE_STANDBY, where the flavor does not say. */
  readonly defaultTopology: string;
  /** Engines are processes of one host: zones, compute flavors and images are of no account. */
  readonly enginesAreAlike: boolean;
  /** Where engines live. */
  readonly tenancyMode: TenancyMode;
  /** Limits of projects that have none of their own; -1: none. */
  readonly defaultQuotas: Readonly<Record<QuotaKind, number>>;
}
