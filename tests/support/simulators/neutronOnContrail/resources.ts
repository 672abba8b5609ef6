/** A kind of thing at the Networking API, as the Neutron in front of Contrail offers it. */
export interface NeutronKind {
  /** In paths. */
  readonly path: string;
  readonly plural: string;
  /** In bodies, and in the path of Contrail's backend unless it calls it otherwise. */
  readonly singular: string;
  /** The exception for one that is not there. */
  readonly missing: string;
  /** What a body may hold; anything else is refused. */
  readonly attributes: readonly string[];
  /** What Neutron fills in when one is made. */
  readonly defaults: Readonly<Record<string, unknown>>;
  /** What everybody sees, whosever it is. */
  readonly isPublic?: (item: Readonly<Record<string, unknown>>) => boolean;
}

const OWNER = ['tenant_id', 'project_id'];
const isShared = (item: Readonly<Record<string, unknown>>): boolean =>
  item['shared'] === true || item['router:external'] === true;

const NETWORK: NeutronKind = {
  ...{ path: 'networks', plural: 'networks', singular: 'network', missing: 'NetworkNotFound' },
  attributes: [...OWNER, 'name', 'admin_state_up', 'shared', 'router:external', 'port_security_enabled'],
  defaults: { name: '', admin_state_up: true, shared: false, 'router:external': false },
  isPublic: isShared,
};

const SUBNET: NeutronKind = {
  ...{ path: 'subnets', plural: 'subnets', singular: 'subnet', missing: 'SubnetNotFound' },
  attributes: [
    ...[...OWNER, 'name', 'network_id', 'cidr', 'ip_version', 'gateway_ip', 'enable_dhcp', 'dns_nameservers'],
    ...['allocation_pools', 'host_routes', 'ipv6_ra_mode', 'ipv6_address_mode'],
  ],
  defaults: { name: '', enable_dhcp: true },
  isPublic: isShared,
};

const PORT: NeutronKind = {
  ...{ path: 'ports', plural: 'ports', singular: 'port', missing: 'PortNotFound' },
  attributes: [
    ...[...OWNER, 'name', 'network_id', 'admin_state_up', 'mac_address', 'fixed_ips', 'device_id', 'device_owner'],
    ...['security_groups', 'port_security_enabled', 'allowed_address_pairs', 'extra_dhcp_opts', 'binding:host_id'],
    ...['binding:vnic_type', 'binding:profile'],
  ],
  defaults: { name: '', admin_state_up: true, device_id: '', device_owner: '' },
};

const FLOATING_IP: NeutronKind = {
  ...{ path: 'floatingips', plural: 'floatingips', singular: 'floatingip', missing: 'FloatingIPNotFound' },
  attributes: [...OWNER, 'floating_network_id', 'port_id', 'fixed_ip_address', 'floating_ip_address'],
  defaults: {},
};

const ROUTER: NeutronKind = {
  ...{ path: 'routers', plural: 'routers', singular: 'router', missing: 'RouterNotFound' },
  attributes: [...OWNER, 'name', 'admin_state_up', 'external_gateway_info'],
  defaults: { name: '', admin_state_up: true },
};

const SECURITY_GROUP: NeutronKind = {
  ...{ path: 'security-groups', plural: 'security_groups', singular: 'security_group' },
  missing: 'SecurityGroupNotFound',
  attributes: [...OWNER, 'name', 'description'],
  defaults: { name: '', description: '' },
};

const SECURITY_GROUP_RULE: NeutronKind = {
  ...{ path: 'security-group-rules', plural: 'security_group_rules', singular: 'security_group_rule' },
  missing: 'SecurityGroupRuleNotFound',
  attributes: [
    ...[...OWNER, 'security_group_id', 'direction', 'ethertype', 'protocol', 'port_range_min', 'port_range_max'],
    ...['remote_ip_prefix', 'remote_group_id'],
  ],
  defaults: { ethertype: 'IPv4' },
};

export const KINDS: readonly NeutronKind[] = [
  ...[NETWORK, SUBNET, PORT, FLOATING_IP, ROUTER, SECURITY_GROUP, SECURITY_GROUP_RULE],
];

/** The extensions that Contrail's plugin names. There are no tags, revisions, QoS policies or counts of free addresses. */
export const EXTENSIONS: readonly string[] = [
  ...['security-group', 'router', 'port-security', 'binding', 'agent', 'quotas', 'external-net'],
  ...[
    'allowed-address-pairs',
    'extra_dhcp_opt',
    'provider',
    'contrail',
    'service-interface',
    'vf-binding',
    'project-id',
  ],
];

/** With it, everything may have a description. */
export const DESCRIPTIONS = 'standard-attr-description';
