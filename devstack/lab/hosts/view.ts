/** What Nova and Neutron say, as far as it matters to a host. */
export interface CloudView {
  readonly servers: readonly Server[];
  readonly networks: readonly Network[];
  readonly subnets: readonly Subnet[];
  readonly ports: readonly Port[];
  readonly rules: readonly Rule[];
  readonly floatingIps: readonly FloatingIp[];
}

export interface Server {
  readonly id: string;
  readonly name: string;
  /** Nova's: ACTIVE, SHUTOFF, PAUSED, ... */
  readonly status: string;
  readonly projectId: string;
  readonly availabilityZone: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly hasConfigDrive: boolean;
  /** Base64. */
  readonly userData: string | null;
  /** Names the last creation, start, reboot or rebuild: another one means that the machine starts anew. */
  readonly boot: Boot;
}

export interface Boot {
  readonly action: string;
  /** Of the request that asked for it. */
  readonly id: string;
}

export interface Network {
  readonly id: string;
  readonly name: string;
  readonly mtu: number;
}

export interface Subnet {
  readonly id: string;
  readonly networkId: string;
  readonly cidr: string;
  readonly gateway: string | null;
  readonly hostRoutes: readonly { readonly destination: string; readonly nexthop: string }[];
}

export interface Port {
  readonly id: string;
  readonly networkId: string;
  readonly macAddress: string;
  readonly fixedIps: readonly FixedIp[];
  readonly deviceId: string;
  readonly deviceOwner: string;
  /** Further addresses it may use; addresses may be CIDRs. */
  readonly addressPairs: readonly { readonly address: string; readonly macAddress: string }[];
  readonly groupIds: readonly string[];
  readonly hasPortSecurity: boolean;
  readonly isUp: boolean;
  readonly createdAt: string;
}

export interface FixedIp {
  readonly subnetId: string;
  readonly address: string;
}

/** A rule of a security group that lets something in. */
export interface Rule {
  readonly groupId: string;
  readonly ethertype: 'IPv4' | 'IPv6';
  readonly protocol: string | null;
  readonly portMin: number | null;
  readonly portMax: number | null;
  readonly remoteCidr: string | null;
  readonly remoteGroupId: string | null;
}

export interface FloatingIp {
  readonly address: string;
  readonly networkId: string;
  /** Null while it leads nowhere. */
  readonly fixedAddress: string | null;
  readonly portId: string | null;
}
