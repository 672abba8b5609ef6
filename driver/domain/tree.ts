import type { OperatingStatus, ProvisioningStatus } from './status';

/**
 * A load balancer with everything under it, as the database has it: the input of every decision about it. What is
 * wanted gone is still here, with `deleting` set. Times in milliseconds unless said.
 */

/** What every object of the tree has. */
export interface TreeObject {
  readonly id: string;
  readonly projectId: string;
  readonly provisioningStatus: ProvisioningStatus;
  readonly operatingStatus: OperatingStatus;
  readonly enabled: boolean;
  readonly deleting: boolean;
}

export interface Vip {
  readonly ipAddress: string | null;
  readonly portId: string | null;
  readonly subnetId: string | null;
  readonly networkId: string | null;
  readonly qosPolicyId: string | null;
  /** Whether the port is ours to make again when it is lost, and to delete with the load balancer. */
  readonly octaviaOwned: boolean;
  readonly securityGroupIds: readonly string[];
}

export interface AdditionalVip {
  readonly ipAddress: string | null;
  readonly portId: string | null;
  readonly subnetId: string;
  readonly networkId: string | null;
}

export interface L7Rule extends TreeObject {
  readonly type: string;
  readonly compareType: string;
  readonly key: string | null;
  readonly value: string;
  readonly invert: boolean;
}

export interface L7Policy extends TreeObject {
  readonly action: string;
  readonly redirectPoolId: string | null;
  readonly redirectUrl: string | null;
  readonly redirectPrefix: string | null;
  readonly redirectHttpCode: number | null;
  /** Dense from 1. */
  readonly position: number;
  readonly rules: readonly L7Rule[];
}

/** What a listener asks of the TLS it terminates, beside its certificates. References are the key manager's. */
export interface ListenerTls {
  readonly clientCaRef: string | null;
  /** NONE, OPTIONAL or MANDATORY. */
  readonly clientAuthentication: string;
  readonly clientCrlRef: string | null;
  /** OpenSSL's cipher list. */
  readonly ciphers: string | null;
  readonly versions: readonly string[];
  readonly alpnProtocols: readonly string[];
  /** Seconds. */
  readonly hstsMaxAge: number | null;
  readonly hstsIncludeSubdomains: boolean;
  readonly hstsPreload: boolean;
}

/** How a pool's members are spoken to over TLS. References are the key manager's. */
export interface PoolTls {
  readonly enabled: boolean;
  /** The client certificate members are shown. */
  readonly certificateRef: string | null;
  /** Members are verified against it; without it they are not verified. */
  readonly caRef: string | null;
  readonly crlRef: string | null;
  readonly ciphers: string | null;
  readonly versions: readonly string[];
  readonly alpnProtocols: readonly string[];
}

export interface Listener extends TreeObject {
  readonly name: string;
  readonly protocol: string;
  readonly protocolPort: number;
  readonly connectionLimit: number;
  readonly defaultPoolId: string | null;
  readonly insertHeaders: Readonly<Record<string, string>>;
  readonly timeoutClientData: number;
  readonly timeoutMemberConnect: number;
  readonly timeoutMemberData: number;
  readonly timeoutTcpInspect: number;
  readonly tlsCertificateId: string | null;
  /** In the user's order. */
  readonly sniContainerIds: readonly string[];
  readonly tls: ListenerTls;
  readonly allowedCidrs: readonly string[];
  /** By position. */
  readonly policies: readonly L7Policy[];
}

export interface SessionPersistence {
  readonly type: string;
  readonly cookieName: string | null;
  /** Seconds. */
  readonly timeout: number | null;
  readonly granularity: string | null;
}

export interface Member extends TreeObject {
  readonly name: string;
  readonly address: string;
  readonly protocolPort: number;
  readonly subnetId: string | null;
  readonly weight: number;
  readonly backup: boolean;
  readonly monitorAddress: string | null;
  readonly monitorPort: number | null;
}

export interface HealthMonitor extends TreeObject {
  readonly type: string;
  /** Seconds. */
  readonly delay: number;
  /** Seconds. */
  readonly timeout: number;
  readonly riseThreshold: number;
  readonly fallThreshold: number;
  readonly httpMethod: string | null;
  readonly urlPath: string | null;
  readonly expectedCodes: string | null;
  readonly httpVersion: number | null;
  readonly domainName: string | null;
}

export interface Pool extends TreeObject {
  readonly name: string;
  readonly protocol: string;
  readonly algorithm: string;
  readonly persistence: SessionPersistence | null;
  readonly tls: PoolTls;
  /** By id. */
  readonly members: readonly Member[];
  readonly monitor: HealthMonitor | null;
}

/** An object an engine does not serve, and why. */
export interface ObjectRefusal {
  /** As in driver/protocol: loadbalancer, listener, pool, member, healthmonitor, l7policy, l7rule. */
  readonly kind: string;
  readonly id: string;
  readonly reason: string;
}

/** A placement with what matters of its engine. */
export interface Placement {
  readonly id: string;
  readonly engineId: string;
  readonly role: 'primary' | 'secondary' | 'standby';
  readonly deleting: boolean;
  readonly stale: boolean;
  readonly wantedGeneration: number;
  readonly wantedEpoch: number;
  readonly confirmedGeneration: number;
  readonly refusals: readonly ObjectRefusal[];
  readonly refused: boolean;
  readonly request: string | null;
  readonly requestId: string | null;
  /** The engine that is to take over, where one was asked for. */
  readonly requestTarget: string | null;
  /** Others serve in its stead: its engine has left the wiring and keeps the connections it has, for a while. */
  readonly draining: boolean;
  readonly engine: {
    readonly status: 'BUILDING' | 'READY' | 'DRAINING' | 'DELETING' | 'DOWN' | 'GHOST';
    readonly deleting: boolean;
    /** A health-manager holds its connection. */
    readonly connected: boolean;
    readonly managementAddress: string | null;
    /** Its neighbours hear it on the data network, though no controller does. */
    readonly isolated?: boolean;
    /** It is cut from the VIP's network, though the controllers hear it. */
    readonly cut?: boolean;
    /** When its row was made, in milliseconds since 1970: orders the two of a pair. */
    readonly madeAt?: number;
    /** When its status last changed, likewise. */
    readonly upSince?: number;
  };
  /** Of a pair: what the engine said last of its own mastership; null: nothing. */
  readonly claim?: { readonly term: number; readonly master: boolean } | null;
}

export interface LoadBalancerTree extends TreeObject {
  readonly name: string;
  /** The name it was created under; one of `[driver_agent] external_providers` means that it is not ours to carry out. */
  readonly provider: string;
  readonly topology: string;
  readonly flavorId: string | null;
  readonly availabilityZone: string | null;
  /** Engines more (or, below zero, fewer) than its flavor or group gives it: what operators have asked for by call. */
  readonly scaleAdjustment: number;
  readonly generation: number;
  readonly settledGeneration: number;
  /** Runs in a row that did not settle. */
  readonly attempts: number;
  /** True once the deadline of a PENDING status has passed, by the database's clock. */
  readonly overdue: boolean;
  readonly leaseOwner: string | null;
  readonly leaseEpoch: number;
  readonly vip: Vip;
  /** In the user's order. */
  readonly additionalVips: readonly AdditionalVip[];
  /** By creation. */
  readonly listeners: readonly Listener[];
  /** By creation. */
  readonly pools: readonly Pool[];
  readonly placements: readonly Placement[];
  /** No member is usable, and the flavor says that the VIPs are off the network meanwhile. The health-manager decides. */
  readonly vipWithdrawn: boolean;
  /** Its engines do not answer for its VIPs, for somebody else does until an import from Octavia is through. */
  readonly vipHeld: boolean;
  /** How its VIPs are wired: by address pairs, or announced by its engines. Null: not chosen yet. */
  readonly vipMode: 'aap' | 'bgp' | null;
  /** The floating IP that was allocated for it by its flavor. */
  readonly floatingIpId: string | null;
  /** Of a pair: the term of its master. Null or absent: whoever serves answers. */
  readonly masterTerm?: number | null;
  /** The key manager has been told of certificates in use here. */
  readonly hasConsumers: boolean;
}

/** Every address the load balancer answers on, the main VIP first. */
export function vipAddresses(tree: LoadBalancerTree): string[] {
  return [tree.vip, ...tree.additionalVips].flatMap(({ ipAddress }) => (ipAddress === null ? [] : [ipAddress]));
}

/**
 * Whether engines keep what they see of the pool's clients. Persistence of other kinds follows from the request alone:
 * every engine computes the same member from the address or the cookie.
 */
export function learnsOfClients({ persistence }: { readonly persistence: { readonly type: string } | null }): boolean {
  return persistence?.type === 'APP_COOKIE';
}

/** True when an object's change, or that of something in it, is still under way. */
export function isWork(tree: LoadBalancerTree): boolean {
  return tree.generation !== tree.settledGeneration;
}
