/**
 * What a network that routes VIPs by configuration (Contrail) says of a load balancer's way, as it is at the moment: read
 * for whoever looks into trouble, and never decided by.
 */
export interface Survey {
  readonly ports: readonly SurveyedPort[];
  readonly networks: readonly SurveyedNetwork[];
  readonly floatingIps: readonly SurveyedFloatingIp[];
  readonly bgpServices: readonly SurveyedBgpService[];
  readonly securityGroups: readonly SurveyedSecurityGroup[];
  /** Who, in the networks asked for, has an address that was asked for. */
  readonly claims: readonly SurveyedClaim[];
  /** Ports, in the networks asked for, with an address of a client that was asked for. */
  readonly clients: readonly SurveyedClient[];
  readonly controlNodes: readonly SurveyedHost[];
  readonly vRouters: readonly SurveyedHost[];
  readonly globals: { readonly autonomousSystem: number; readonly sessions: number; readonly sessionsTaken: number };
}

export interface SurveyedPort {
  readonly id: string;
  readonly name: string;
  /** Joined by `:`. */
  readonly fqName: string;
  readonly networkId: string | null;
  readonly macAddress: string | null;
  /** Compute host; null: bound to none. */
  readonly host: string | null;
  readonly addresses: readonly string[];
  readonly pairs: readonly SurveyedPair[];
  readonly securityGroupIds: readonly string[];
  /** Null: the API does not say. */
  readonly portSecurity: boolean | null;
  /** Flows are not looked at: no policy, no floating IP. */
  readonly policyDisabled: boolean;
  readonly healthChecks: readonly SurveyedHealthCheck[];
  readonly routeTables: readonly { readonly name: string; readonly prefixes: readonly string[] }[];
  readonly bgpServiceIds: readonly string[];
  readonly bgpRouters: readonly SurveyedBgpRouter[];
}

export interface SurveyedPair {
  /** A CIDR. */
  readonly prefix: string;
  readonly mode: 'active-active' | 'active-standby';
}

export interface SurveyedHealthCheck {
  readonly id: string;
  readonly name: string;
  readonly enabled: boolean;
  readonly monitor: string;
}

export interface SurveyedBgpRouter {
  readonly name: string;
  readonly address: string | null;
  readonly sourcePort: number | null;
}

export interface SurveyedNetwork {
  readonly id: string;
  readonly name: string;
  /** Joined by `:`. */
  readonly fqName: string;
  readonly external: boolean;
  /** Reverse path forwarding; null: as the release does by default, on. */
  readonly reversePathCheck: boolean | null;
  readonly subnets: readonly SurveyedSubnet[];
}

export interface SurveyedSubnet {
  readonly id: string;
  readonly prefix: string;
  readonly gateway: string | null;
  readonly dnsServer: string | null;
  readonly dhcp: boolean;
  readonly hostRoutes: readonly { readonly prefix: string; readonly nextHop: string }[];
}

export interface SurveyedFloatingIp {
  readonly id: string;
  readonly address: string | null;
  readonly fixedAddress: string | null;
  readonly portIds: readonly string[];
  readonly networkId: string | null;
}

export interface SurveyedBgpService {
  readonly id: string;
  readonly name: string;
  readonly autonomousSystem: number | null;
  readonly localAutonomousSystem: number | null;
  readonly adminDown: boolean;
  readonly hasSecret: boolean;
  readonly portIds: readonly string[];
}

export interface SurveyedSecurityGroup {
  readonly id: string;
  readonly name: string;
  readonly rules: readonly SurveyedRule[];
}

export interface SurveyedRule {
  /** To the port; false: from it. */
  readonly ingress: boolean;
  readonly protocol: string;
  readonly portMin: number;
  readonly portMax: number;
  readonly ethertype: string;
  /** CIDRs; empty: members of a group, or this host alone. */
  readonly sources: readonly string[];
}

/** That a port answers for an address. */
export interface SurveyedClaim {
  readonly address: string;
  readonly portId: string;
  readonly portName: string;
  /** By what: a pair, an instance-ip, or a route table. */
  readonly by: 'pair' | 'address' | 'route';
  /** The prefix that covers it. */
  readonly prefix: string;
}

export interface SurveyedClient {
  readonly address: string;
  readonly portId: string;
  /** Compute host; null: bound to none. */
  readonly host: string | null;
}

export interface SurveyedHost {
  readonly name: string;
  readonly address: string;
}

/** What is looked at. */
export interface SurveyRequest {
  readonly portIds: readonly string[];
  readonly networkIds: readonly string[];
  readonly bgpServiceIds: readonly string[];
  readonly floatingIpIds: readonly string[];
  /** Of VIPs. */
  readonly addresses: readonly string[];
  /** Addresses. */
  readonly clients?: readonly string[];
}
