/**
 * The objects of the embedded Neutron, with the attributes and names of its API: the HTTP face shows them nearly as they
 * are, and the store keeps them so. Type aliases, not interfaces, so that they pass as plain JSON objects.
 */
type Standard = {
  readonly id: string;
  readonly name: string;
  readonly project_id: string;
  readonly tenant_id: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly created_at: string;
  readonly updated_at: string;
  readonly revision_number: number;
};

export type NetworkRecord = Standard & {
  readonly admin_state_up: boolean;
  readonly status: 'ACTIVE';
  readonly shared: boolean;
  readonly 'router:external': boolean;
  readonly mtu: number;
  readonly port_security_enabled: boolean;
  readonly qos_policy_id: string | null;
};

export type AllocationPool = { readonly start: string; readonly end: string };

export type SubnetRecord = Standard & {
  readonly network_id: string;
  readonly ip_version: 4 | 6;
  readonly cidr: string;
  readonly gateway_ip: string | null;
  readonly enable_dhcp: boolean;
  readonly allocation_pools: readonly AllocationPool[];
  readonly dns_nameservers: readonly string[];
  readonly host_routes: readonly { readonly destination: string; readonly nexthop: string }[];
  readonly ipv6_ra_mode: string | null;
  readonly ipv6_address_mode: string | null;
  readonly subnetpool_id: null;
  readonly service_types: readonly string[];
};

export type FixedIpRecord = { readonly subnet_id: string; readonly ip_address: string };

export type AddressPairRecord = { readonly ip_address: string; readonly mac_address: string };

export type PortRecord = Standard & {
  readonly network_id: string;
  readonly mac_address: string;
  readonly admin_state_up: boolean;
  readonly status: 'ACTIVE' | 'DOWN';
  readonly device_id: string;
  readonly device_owner: string;
  readonly fixed_ips: readonly FixedIpRecord[];
  readonly allowed_address_pairs: readonly AddressPairRecord[];
  readonly security_groups: readonly string[];
  readonly qos_policy_id: string | null;
  readonly port_security_enabled: boolean;
  readonly 'binding:vnic_type': string;
};

export type SecurityGroupRuleRecord = {
  readonly id: string;
  readonly project_id: string;
  readonly tenant_id: string;
  readonly security_group_id: string;
  readonly direction: 'ingress' | 'egress';
  readonly ethertype: 'IPv4' | 'IPv6';
  readonly protocol: string | null;
  readonly port_range_min: number | null;
  readonly port_range_max: number | null;
  readonly remote_ip_prefix: string | null;
  readonly remote_group_id: string | null;
  readonly description: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly revision_number: number;
};

/** A group holds its rules, so that both change in one write. */
export type SecurityGroupRecord = Standard & {
  readonly stateful: boolean;
  readonly security_group_rules: readonly SecurityGroupRuleRecord[];
};

/** A floating IP holds its external address itself; there is no port of owner `network:floatingip`. */
export type FloatingIpRecord = Standard & {
  readonly floating_network_id: string;
  readonly floating_subnet_id: string;
  readonly floating_ip_address: string;
  readonly port_id: string | null;
  readonly fixed_ip_address: string | null;
  readonly router_id: null;
  readonly qos_policy_id: string | null;
  readonly status: 'ACTIVE' | 'DOWN';
};

export type QosPolicyRecord = Standard & {
  readonly shared: boolean;
  readonly is_default: boolean;
  readonly rules: readonly never[];
};

/** What a new object of any kind is given by its caller. */
export type Naming = { readonly name: string; readonly projectId: string; readonly description?: string | undefined };

/** The attributes that every object has. */
export function standardAttributes({ name, projectId, description = '' }: Naming, id: string, at: Date): Standard {
  const time = toNeutronTime(at);
  return {
    id,
    name,
    project_id: projectId,
    tenant_id: projectId,
    description,
    tags: [],
    created_at: time,
    updated_at: time,
    revision_number: 1,
  };
}

/** The object after a change: newer by one revision. */
export function revise<T extends { readonly revision_number: number }>(
  record: T,
  change: Partial<NoInfer<T>>,
  at: Date,
): T {
  return { ...record, ...change, updated_at: toNeutronTime(at), revision_number: record.revision_number + 1 };
}

/** Neutron writes whole seconds. */
export function toNeutronTime(at: Date): string {
  return `${at.toISOString().slice(0, 19)}Z`;
}
