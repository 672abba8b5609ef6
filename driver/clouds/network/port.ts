import type { SecurityGroupRule } from '../../domain/securityGroup';

/**
 * What Slipstream needs of the network service. Twins: `memory.ts` (the embedded Neutron), `noop.ts` (accepts any id,
 * as Octavia's no-op driver does), `http.ts` (Neutron). A look-up of something unknown gives undefined; whatever the
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
  readonly hostRoutes: readonly { readonly destination: string; readonly nextHop: string }[];
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
  readonly description: string;
  /** Rises with every change; null from a service that does not count (Contrail's). */
  readonly revision: number | null;
  /** The host it was plugged in on could not wire it up: it carries nothing, whatever the compute service shows. Absent: no. */
  readonly bindingFailed?: boolean;
}

/** A port to be made. A fixed IP names a subnet, an address, or both; without any the service chooses. */
export interface PortRequest {
  readonly name: string;
  /** Null: the project of this service itself. */
  readonly projectId: string | null;
  readonly networkId: string;
  readonly fixedIps: readonly { readonly subnetId?: string; readonly ipAddress?: string }[];
  readonly deviceId: string;
  readonly deviceOwner: string;
  readonly adminStateUp: boolean;
  readonly securityGroupIds?: readonly string[];
  readonly qosPolicyId?: string | null;
  readonly description?: string;
  /** False: no security groups, and no anti-spoofing that address pairs would lift. Absent: as the network says. */
  readonly portSecurity?: boolean;
}

/** What may change on a port; what is absent stays. */
export interface PortChange {
  readonly fixedIps?: PortRequest['fixedIps'];
  readonly allowedAddressPairs?: readonly AddressPair[];
  readonly securityGroupIds?: readonly string[];
  readonly qosPolicyId?: string | null;
  readonly deviceId?: string;
  readonly deviceOwner?: string;
  readonly name?: string;
  /** It is on no host any more. */
  readonly unbind?: true;
}

export interface PortFilter {
  readonly deviceOwner?: string;
  readonly deviceId?: string;
  readonly networkId?: string;
  readonly name?: string;
  readonly description?: string;
  /** Ports that have the group. */
  readonly securityGroupId?: string;
}

export interface SecurityGroup {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly projectId: string;
  readonly createdAt: Date;
  readonly rules: readonly SecurityGroupRule[];
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
  /**
   * Changes a port; with `ifRevision` only if it is still that one.
   * @throws NotFoundError for an unknown port, PassedThroughError with status 412 when another change was faster
   */
  updatePort(id: string, change: PortChange, given?: { readonly ifRevision: number | null }): Promise<Port>;
  /** A port that is not there counts as deleted. */
  deletePort(id: string): Promise<void>;
  /** All ports that match every given part of the filter. */
  listPorts(filter: PortFilter): Promise<readonly Port[]>;
  findSecurityGroup(id: string): Promise<SecurityGroup | undefined>;
  /** All groups that match every given part of the filter. */
  listSecurityGroups(filter: {
    readonly tag?: string;
    readonly name?: string;
    readonly description?: string;
  }): Promise<readonly SecurityGroup[]>;
  /** A group with the given rules besides those that the service gives every group (everything out). */
  createSecurityGroup(request: SecurityGroupRequest): Promise<SecurityGroup>;
  /** A rule that is there counts as added. */
  addSecurityGroupRule(groupId: string, rule: SecurityGroupRule): Promise<void>;
  /** A group that is not there counts as deleted. @throws PassedThroughError with status 409 while a port has it */
  deleteSecurityGroup(id: string): Promise<void>;
}

/** A security group to be made. */
export interface SecurityGroupRequest {
  readonly name: string;
  readonly description: string;
  /** Null: the project of this service itself. */
  readonly projectId: string | null;
  /** Shown to whoever looks at it. */
  readonly tags: readonly string[];
}

/** `device_owner` of VIP ports: Octavia's, so that what knows Octavia's ports knows ours. */
export const VIP_PORT_OWNER = 'Octavia';
/** `device_owner` of the engines' own ports in tenant networks. */
export const ENGINE_PORT_OWNER = 'slipstream:engine';

/** Name and device id of a load balancer's VIP port; both carry the load balancer's id, which is how leftovers are known. */
export function vipPortNames(loadBalancerId: string): { name: string; deviceId: string } {
  return { name: `octavia-lb-${loadBalancerId}`, deviceId: `lb-${loadBalancerId}` };
}
