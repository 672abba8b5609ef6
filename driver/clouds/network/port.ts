/**
 * What Slipstream needs of the network service. Twins: `memory.ts` (the embedded Neutron), `noop.ts` (accepts any id,
 * as Octavia's no-op driver does), later Neutron over HTTP. A look-up of something unknown gives undefined; whatever the
 * service refuses is a PassedThroughError with its status and text; no answer at all is an UnavailableError.
 */

export interface Network {
  readonly id: string;
  readonly name: string;
  readonly projectId: string;
  readonly mtu: number;
  readonly external: boolean;
  readonly shared: boolean;
  readonly subnetIds: readonly string[];
}

export interface Subnet {
  readonly id: string;
  readonly name: string;
  readonly networkId: string;
  readonly projectId: string;
  readonly cidr: string;
  readonly ipVersion: 4 | 6;
  readonly gatewayIp: string | null;
}

export interface FixedIp {
  readonly subnetId: string;
  readonly ipAddress: string;
}

export interface AddressPair {
  /** An address or a CIDR. */
  readonly ipAddress: string;
}

export interface Port {
  readonly id: string;
  readonly name: string;
  readonly projectId: string;
  readonly networkId: string;
  readonly macAddress: string;
  /** "" when nothing uses the port. */
  readonly deviceId: string;
  readonly deviceOwner: string;
  readonly fixedIps: readonly FixedIp[];
  readonly allowedAddressPairs: readonly AddressPair[];
  readonly securityGroupIds: readonly string[];
  readonly qosPolicyId: string | null;
  readonly adminStateUp: boolean;
  readonly createdAt: Date;
}

/** A port to be made. A fixed IP names a subnet, an address, or both; without any the service chooses. */
export interface PortRequest {
  readonly name: string;
  readonly projectId: string;
  readonly networkId: string;
  readonly fixedIps: readonly { readonly subnetId?: string; readonly ipAddress?: string }[];
  readonly deviceId: string;
  readonly deviceOwner: string;
  readonly adminStateUp: boolean;
  readonly securityGroupIds?: readonly string[];
  readonly qosPolicyId?: string | null;
}

/** What may change on a port; what is absent stays. */
export interface PortChange {
  readonly allowedAddressPairs?: readonly AddressPair[];
  readonly securityGroupIds?: readonly string[];
  readonly qosPolicyId?: string | null;
  readonly deviceId?: string;
  readonly deviceOwner?: string;
  readonly name?: string;
}

export interface PortFilter {
  readonly deviceOwner?: string;
  readonly deviceId?: string;
  readonly networkId?: string;
}

export interface NetworkDriver {
  /** True for the driver that knows nothing and accepts everything: callers then take ids as given. */
  readonly acceptsAnything: boolean;
  findNetwork(id: string): Promise<Network | undefined>;
  findSubnet(id: string): Promise<Subnet | undefined>;
  findPort(id: string): Promise<Port | undefined>;
  /** Whether the service has QoS policies at all. */
  supportsQos(): Promise<boolean>;
  /** True if the policy exists. */
  hasQosPolicy(id: string): Promise<boolean>;
  /** True if the group exists. */
  hasSecurityGroup(id: string): Promise<boolean>;
  /** Addresses of the subnet that nobody has yet. */
  countFreeAddresses(subnetId: string): Promise<number>;
  createPort(request: PortRequest): Promise<Port>;
  /** @throws NotFoundError for an unknown port */
  updatePort(id: string, change: PortChange): Promise<Port>;
  /** A port that is not there counts as deleted. */
  deletePort(id: string): Promise<void>;
  /** All ports that match every given part of the filter. */
  listPorts(filter: PortFilter): Promise<readonly Port[]>;
}

/** `device_owner` of VIP ports: Octavia's, so that what knows Octavia's ports knows ours. */
export const VIP_PORT_OWNER = 'Octavia';
/** `device_owner` of the engines' own ports in tenant networks. */
export const ENGINE_PORT_OWNER = 'slipstream:engine';

/** Name and device id of a load balancer's VIP port; both carry the load balancer's id, which is how leftovers are known. */
export function vipPortNames(loadBalancerId: string): { name: string; deviceId: string } {
  return { name: `octavia-lb-${loadBalancerId}`, deviceId: `lb-${loadBalancerId}` };
}
