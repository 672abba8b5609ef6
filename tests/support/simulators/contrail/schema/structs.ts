import {
  ANY,
  BOOLEAN,
  choice,
  each,
  INTEGER,
  integer,
  type Kind,
  listKind,
  SUBNET,
  struct,
  TEXT_KIND,
} from './properties';

export const KEY_VALUE_PAIRS = struct('KeyValuePairs', {
  key_value_pair: listKind(struct('KeyValuePair', each(TEXT_KIND, 'key', 'value'))),
});

export const ADDRESS_PAIR = struct('AllowedAddressPair', {
  ip: SUBNET,
  mac: TEXT_KIND,
  address_mode: choice('active-active', 'active-standby'),
});
export const ADDRESS_PAIRS = struct('AllowedAddressPairs', { allowed_address_pair: listKind(ADDRESS_PAIR) });

export const ECMP_FIELDS = struct(
  'EcmpHashingIncludeFields',
  each(
    BOOLEAN,
    ...['hashing_configured', 'source_ip', 'destination_ip', 'ip_protocol', 'source_port', 'destination_port'],
  ),
);

export const FAT_FLOWS = struct('FatFlowProtocols', {
  fat_flow_protocol: listKind(
    struct('ProtocolType', {
      protocol: TEXT_KIND,
      port: INTEGER,
      ignore_address: choice('none', 'source', 'destination'),
      source_prefix: SUBNET,
      source_aggregate_prefix_length: INTEGER,
      destination_prefix: SUBNET,
      destination_aggregate_prefix_length: INTEGER,
    }),
  ),
});

export const MAC_ADDRESSES = struct('MacAddressesType', { mac_address: listKind(TEXT_KIND) });

export const PORT_PROPERTIES = struct('VirtualMachineInterfacePropertiesType', {
  service_interface_type: TEXT_KIND,
  interface_mirror: ANY,
  ...each(INTEGER, 'local_preference', 'sub_interface_vlan_tag', 'max_flows'),
});

export const NETWORK_PROPERTIES = struct('VirtualNetworkType', {
  ...each(BOOLEAN, 'allow_transit', 'mirror_destination'),
  ...each(INTEGER, 'network_id', 'vxlan_network_identifier', 'max_flows'),
  forwarding_mode: choice('l2_l3', 'l2', 'l3'),
  rpf: choice('enable', 'disable'),
});

export const ROUTE_TARGETS = struct('RouteTargetList', { route_target: listKind(TEXT_KIND) });

export const ROUTES = struct('RouteTableType', {
  route: listKind(
    struct('RouteType', {
      ...each(TEXT_KIND, 'prefix', 'next_hop', 'next_hop_type'),
      community_attributes: struct('CommunityAttributes', { community_attribute: listKind(TEXT_KIND) }),
    }),
  ),
});

export const PORT_MAPPINGS = struct('PortMappings', {
  port_mappings: listKind(struct('PortMap', { protocol: TEXT_KIND, ...each(INTEGER, 'src_port', 'dst_port') })),
});

const BGP_PASSWORD = struct('AuthenticationData', {
  key_type: choice('md5'),
  key_items: listKind(struct('AuthenticationKeyItem', { key_id: integer(0, 63), key: TEXT_KIND })),
});

export const BGP_SESSION = struct('BgpSessionAttributes', {
  bgp_router: TEXT_KIND,
  ...each(BOOLEAN, 'admin_down', 'passive', 'as_override'),
  hold_time: integer(0, 65_535),
  loop_count: integer(0, 16),
  local_autonomous_system: INTEGER,
  address_families: struct('AddressFamilies', { family: listKind(TEXT_KIND) }),
  auth_data: BGP_PASSWORD,
  family_attributes: listKind(
    struct('BgpFamilyAttributes', {
      address_family: TEXT_KIND,
      loop_count: integer(0, 16),
      prefix_limit: struct('BgpPrefixLimit', { maximum: INTEGER, idle_timeout: integer(0, 86_400) }),
      default_tunnel_encap: ANY,
    }),
  ),
  private_as_action: choice('remove', 'remove-all', 'replace-all'),
  route_origin_override: struct('RouteOriginOverride', {
    origin_override: BOOLEAN,
    origin: choice('IGP', 'EGP', 'INCOMPLETE'),
  }),
});

export const HEALTH_CHECK = struct('ServiceHealthCheckType', {
  enabled: BOOLEAN,
  health_check_type: choice('link-local', 'end-to-end', 'segment', 'vn-ip-list'),
  monitor_type: choice('PING', 'HTTP', 'BFD'),
  ...each(INTEGER, 'delay', 'delayUsecs', 'timeout', 'timeoutUsecs', 'max_retries'),
  ...each(TEXT_KIND, 'url_path', 'http_method', 'expected_codes'),
  target_ip_list: ANY,
});

export const POOL_SUBNETS = struct('FloatingIpPoolSubnetType', { subnet_uuid: listKind(TEXT_KIND) });

export const BGP_PORTS = struct('BGPaaServiceParametersType', each(integer(1, 65_535), 'port_start', 'port_end'));

/** The subnets of a network's link to its IPAM. */
export const NETWORK_SUBNETS: Kind = struct('VnSubnetsType', {
  ipam_subnets: listKind(
    struct('IpamSubnetType', {
      subnet: SUBNET,
      ...each(TEXT_KIND, 'default_gateway', 'dns_server_address', 'subnet_uuid', 'subnet_name', 'created'),
      ...each(TEXT_KIND, 'last_modified', 'subscriber_tag'),
      ...each(BOOLEAN, 'enable_dhcp', 'addr_from_start'),
      ...each(ANY, 'dns_nameservers', 'allocation_pools', 'dhcp_option_list', 'host_routes', 'dhcp_relay_server'),
      ...each(INTEGER, 'alloc_unit', 'vlan_tag'),
    }),
  ),
  host_routes: ANY,
});
