import {
  ANY,
  BOOLEAN,
  type Collection,
  choice,
  each,
  INTEGER,
  integer,
  type Kind,
  SUBNET,
  TEXT_KIND,
} from './properties';
import * as structs from './structs';

/** A type of object: what it may hang below, hold and point at. */
export interface ObjectType {
  /** Types of its parent; none: it is a root. */
  readonly parents: readonly string[];
  readonly properties: Readonly<Record<string, Kind>>;
  /** Types it may refer to. */
  readonly refs: readonly string[];
  /** Its properties that are changed element by element, besides the annotations. */
  readonly collections?: Readonly<Record<string, Collection>>;
}

const NETWORK: ObjectType = {
  parents: ['project'],
  properties: {
    virtual_network_properties: structs.NETWORK_PROPERTIES,
    ...each(BOOLEAN, 'router_external', 'is_shared', 'port_security_enabled', 'flood_unknown_unicast'),
    ...each(BOOLEAN, 'multi_policy_service_chains_enabled', 'external_ipam', 'mac_learning_enabled', 'fabric_snat'),
    ...each(structs.ROUTE_TARGETS, 'route_target_list', 'import_route_target_list', 'export_route_target_list'),
    ecmp_hashing_include_fields: structs.ECMP_FIELDS,
    virtual_network_fat_flow_protocols: structs.FAT_FLOWS,
    address_allocation_mode: choice(
      'user-defined-subnet-preferred',
      'user-defined-subnet-only',
      'flat-subnet-preferred',
      'flat-subnet-only',
    ),
    virtual_network_network_id: INTEGER,
    provider_properties: ANY,
  },
  refs: [
    'network-ipam',
    'network-policy',
    'route-table',
    'routing-policy',
    'virtual-network',
    'security-logging-object',
    'qos-config',
  ],
  collections: { virtual_network_fat_flow_protocols: { is: 'list', member: 'fat_flow_protocol' } },
};

const INTERFACE: ObjectType = {
  parents: ['virtual-machine', 'project', 'virtual-router'],
  properties: {
    virtual_machine_interface_mac_addresses: structs.MAC_ADDRESSES,
    virtual_machine_interface_device_owner: TEXT_KIND,
    virtual_machine_interface_bindings: structs.KEY_VALUE_PAIRS,
    virtual_machine_interface_allowed_address_pairs: structs.ADDRESS_PAIRS,
    virtual_machine_interface_fat_flow_protocols: structs.FAT_FLOWS,
    virtual_machine_interface_properties: structs.PORT_PROPERTIES,
    ecmp_hashing_include_fields: structs.ECMP_FIELDS,
    ...each(
      BOOLEAN,
      'port_security_enabled',
      'virtual_machine_interface_disable_policy',
      'vlan_tag_based_bridge_domain',
    ),
    ...each(ANY, 'virtual_machine_interface_host_routes', 'virtual_machine_interface_dhcp_option_list'),
  },
  refs: [
    ...['virtual-network', 'virtual-machine', 'security-group', 'routing-instance', 'interface-route-table'],
    ...['service-health-check', 'bgp-router', 'virtual-machine-interface', 'qos-config', 'tag', 'port-tuple'],
  ],
  collections: {
    virtual_machine_interface_bindings: { is: 'map', member: 'key_value_pair' },
    virtual_machine_interface_fat_flow_protocols: { is: 'list', member: 'fat_flow_protocol' },
  },
};

const INSTANCE_IP: ObjectType = {
  parents: [],
  properties: {
    ...each(TEXT_KIND, 'instance_ip_address', 'subnet_uuid', 'instance_ip_subscriber_tag'),
    instance_ip_family: choice('v4', 'v6'),
    instance_ip_mode: choice('active-active', 'active-standby'),
    secondary_ip_tracking_ip: SUBNET,
    instance_ip_subnet: SUBNET,
    ...each(BOOLEAN, 'instance_ip_secondary', 'instance_ip_local_ip', 'service_instance_ip', 'service_health_check_ip'),
  },
  refs: ['virtual-network', 'virtual-machine-interface', 'network-ipam', 'physical-router', 'virtual-router', 'tag'],
};

const FLOATING_IP: ObjectType = {
  parents: ['floating-ip-pool', 'instance-ip'],
  properties: {
    ...each(TEXT_KIND, 'floating_ip_address', 'floating_ip_fixed_ip_address'),
    floating_ip_address_family: choice('v4', 'v6'),
    floating_ip_port_mappings: structs.PORT_MAPPINGS,
    ...each(BOOLEAN, 'floating_ip_port_mappings_enable', 'floating_ip_is_virtual_ip'),
    floating_ip_traffic_direction: choice('ingress', 'egress', 'both'),
  },
  refs: ['project', 'virtual-machine-interface', 'tag'],
  collections: { floating_ip_port_mappings: { is: 'list', member: 'port_mappings' } },
};

const BGPAAS: ObjectType = {
  parents: ['project'],
  properties: {
    autonomous_system: integer(1, 4_294_967_295),
    bgpaas_ip_address: TEXT_KIND,
    ...each(BOOLEAN, 'bgpaas_shared', 'bgpaas_suppress_route_advertisement', 'bgpaas_ipv4_mapped_ipv6_nexthop'),
    bgpaas_session_attributes: structs.BGP_SESSION,
  },
  refs: ['virtual-machine-interface', 'bgp-router', 'service-health-check', 'control-node-zone'],
};

/** Types whose members we check: those that wiring touches. */
const KNOWN: Readonly<Record<string, ObjectType>> = {
  domain: { parents: ['config-root'], properties: { domain_limits: ANY }, refs: [] },
  'config-root': { parents: [], properties: {}, refs: [] },
  'global-system-config': {
    parents: [],
    properties: {
      autonomous_system: integer(1, 4_294_967_295),
      ...each(BOOLEAN, 'enable_4byte_as', 'ibgp_auto_mesh'),
      bgpaas_parameters: structs.BGP_PORTS,
      ...each(ANY, 'config_version', 'graceful_restart_parameters', 'ip_fabric_subnets', 'user_defined_log_statistics'),
    },
    refs: [],
  },
  project: {
    parents: ['domain'],
    properties: { quota: ANY, ...each(BOOLEAN, 'vxlan_routing', 'alarm_enable') },
    refs: ['namespace', 'floating-ip-pool', 'alias-ip-pool', 'application-policy-set'],
  },
  'virtual-network': NETWORK,
  'virtual-machine-interface': INTERFACE,
  'virtual-machine': { parents: [], properties: { server_type: TEXT_KIND }, refs: ['service-instance'] },
  'virtual-router': {
    parents: ['global-system-config'],
    properties: each(TEXT_KIND, 'virtual_router_ip_address', 'virtual_router_type'),
    refs: ['virtual-machine', 'network-ipam'],
  },
  'instance-ip': INSTANCE_IP,
  'floating-ip-pool': {
    parents: ['virtual-network'],
    properties: { floating_ip_pool_subnets: structs.POOL_SUBNETS },
    refs: [],
  },
  'floating-ip': FLOATING_IP,
  'alias-ip-pool': { parents: ['virtual-network'], properties: {}, refs: [] },
  'alias-ip': {
    parents: ['alias-ip-pool'],
    properties: { alias_ip_address: TEXT_KIND, alias_ip_address_family: choice('v4', 'v6') },
    refs: ['project', 'virtual-machine-interface'],
  },
  'bgp-as-a-service': BGPAAS,
  'bgp-router': {
    parents: ['routing-instance'],
    properties: { bgp_router_parameters: ANY },
    refs: ['bgp-router', 'control-node-zone'],
  },
  'control-node-zone': { parents: ['global-system-config'], properties: {}, refs: [] },
  'service-health-check': {
    parents: ['project'],
    properties: { service_health_check_properties: structs.HEALTH_CHECK },
    refs: ['service-instance'],
  },
  'interface-route-table': {
    parents: ['project'],
    properties: { interface_route_table_routes: structs.ROUTES },
    refs: ['service-instance'],
  },
  'route-table': { parents: ['project'], properties: { routes: structs.ROUTES }, refs: ['logical-router'] },
  'routing-policy': {
    parents: ['project'],
    properties: { routing_policy_entries: ANY, term_type: TEXT_KIND },
    refs: ['service-instance'],
  },
  'routing-instance': {
    parents: ['virtual-network'],
    properties: { routing_instance_is_default: BOOLEAN, routing_instance_has_pnf: BOOLEAN },
    refs: ['route-target', 'routing-instance'],
  },
  'route-target': { parents: [], properties: {}, refs: [] },
  'security-group': {
    parents: ['project'],
    properties: {
      security_group_entries: ANY,
      ...each(INTEGER, 'security_group_id', 'configured_security_group_id'),
    },
    refs: [],
  },
  'logical-router': {
    parents: ['project'],
    properties: { configured_route_target_list: structs.ROUTE_TARGETS, logical_router_type: TEXT_KIND },
    refs: ['virtual-machine-interface', 'virtual-network', 'route-target', 'route-table', 'service-instance'],
  },
  'network-ipam': { parents: ['project'], properties: { network_ipam_mgmt: ANY }, refs: ['virtual-DNS'] },
  'network-policy': { parents: ['project'], properties: { network_policy_entries: ANY }, refs: [] },
  'application-policy-set': {
    parents: ['policy-management', 'project'],
    properties: { all_applications: BOOLEAN },
    refs: ['firewall-policy', 'global-vrouter-config'],
  },
};

/** Types that are there, and of which only names, parents and annotations are kept. */
const OTHERS = [
  ...['access-control-list', 'address-group', 'alarm', 'analytics-node', 'api-access-list', 'bgpvpn', 'bridge-domain'],
  ...[
    'config-database-node',
    'config-node',
    'config-properties',
    'customer-attachment',
    'database-node',
    'discovery-service-assignment',
  ],
  ...['dsa-rule', 'e2-service-provider', 'fabric', 'fabric-namespace', 'firewall-policy', 'firewall-rule', 'flow-node'],
  ...[
    'forwarding-class',
    'global-analytics-config',
    'global-qos-config',
    'global-vrouter-config',
    'hardware',
    'host-based-service',
  ],
  ...['job-template', 'link-aggregation-group', 'loadbalancer', 'loadbalancer-healthmonitor', 'loadbalancer-listener'],
  ...[
    'loadbalancer-member',
    'loadbalancer-pool',
    'logical-interface',
    'multicast-group',
    'multicast-group-address',
    'multicast-policy',
  ],
  ...[
    'namespace',
    'network-device-config',
    'node',
    'node-profile',
    'peering-policy',
    'physical-interface',
    'physical-router',
  ],
  ...[
    'policy-management',
    'port',
    'port-group',
    'port-profile',
    'port-tuple',
    'provider-attachment',
    'qos-config',
    'qos-queue',
  ],
  ...[
    'route-aggregate',
    'security-logging-object',
    'service-appliance',
    'service-appliance-set',
    'service-connection-module',
  ],
  ...[
    'service-endpoint',
    'service-group',
    'service-instance',
    'service-object',
    'service-template',
    'sflow-profile',
    'storm-control-profile',
  ],
  ...[
    'structured-syslog-config',
    'sub-cluster',
    'subnet',
    'tag',
    'tag-type',
    'telemetry-profile',
    'user-credential',
    'virtual-DNS',
  ],
  ...['virtual-DNS-record', 'virtual-ip', 'virtual-port-group', 'webui-node'],
];

const GENERIC: ObjectType = { parents: ['project', 'domain', 'global-system-config'], properties: {}, refs: [] };

export const TYPES: ReadonlyMap<string, ObjectType> = new Map([
  ...Object.entries(KNOWN),
  ...OTHERS.map((name) => [name, GENERIC] as const),
]);

/** The annotations are a map on every type. */
const ANNOTATIONS: Collection = { is: 'map', member: 'key_value_pair' };

export function collectionOf(type: string, property: string): Collection | undefined {
  if (property === 'annotations') return ANNOTATIONS;
  return TYPES.get(type)?.collections?.[property];
}

export function kindOf(type: string, property: string): Kind | undefined {
  if (property === 'display_name') return TEXT_KIND;
  if (property === 'annotations') return structs.KEY_VALUE_PAIRS;
  return TYPES.get(type)?.properties[property];
}

/** The name of the type in members: `virtual_network_refs` and such. */
export function memberName(type: string): string {
  return type.replaceAll('-', '_');
}
