import { z } from 'zod';
import { canonicalCidr, isAddress } from '../model/addressSpace';

/**
 * What bodies may hold, kind by kind. Attributes that Neutron knows and this model has no use for are accepted and dropped,
 * so that no client fails over them. `project_id` and `tenant_id` are taken out before.
 */
function ignoring<S extends z.ZodType>(names: readonly string[], schema: S) {
  const drop = (body: unknown): unknown =>
    typeof body === 'object' && body !== null && !Array.isArray(body)
      ? Object.fromEntries(Object.entries(body).filter(([name]) => !names.includes(name)))
      : body;
  return z.preprocess(drop, schema);
}

const text = z.string().max(255);
const address = z.string().refine(isAddress, 'is not a valid IP address');
const cidr = z.string().refine((value) => canonicalCidr(value) !== undefined, 'is not a valid IP subnet');
const addressOrCidr = z.union([address, cidr]);
const id = z.string().min(1).max(64);
const named = { name: text.optional(), description: text.optional() };
const integer = z.union([z.int(), z.string().regex(/^\d+$/).transform(Number)]);

const networkBase = {
  ...named,
  admin_state_up: z.boolean().optional(),
  shared: z.boolean().optional(),
  'router:external': z.boolean().optional(),
  mtu: integer.optional(),
  port_security_enabled: z.boolean().optional(),
  qos_policy_id: id.nullish(),
};
const NETWORK_EXTRAS = [
  'is_default',
  'dns_domain',
  'availability_zone_hints',
  'provider:network_type',
  'provider:physical_network',
  'provider:segmentation_id',
  'vlan_transparent',
];
export const newNetwork = ignoring(NETWORK_EXTRAS, z.strictObject(networkBase));
export const networkChange = newNetwork;

const pool = z.strictObject({ start: address, end: address });
const route = z.strictObject({ destination: cidr, nexthop: address });
const subnetBase = {
  ...named,
  gateway_ip: address.nullish(),
  enable_dhcp: z.boolean().optional(),
  dns_nameservers: z.array(address).optional(),
  host_routes: z.array(route).optional(),
  service_types: z.array(text).optional(),
};
export const newSubnet = ignoring(
  ['ip_version', 'prefixlen', 'use_default_subnetpool', 'segment_id', 'dns_publish_fixed_ip'],
  z.strictObject({
    ...subnetBase,
    network_id: id,
    cidr,
    allocation_pools: z.array(pool).optional(),
    ipv6_ra_mode: z.string().nullish(),
    ipv6_address_mode: z.string().nullish(),
    subnetpool_id: z.null().optional(),
  }),
);
export const subnetChange = z.strictObject(subnetBase);

const fixedIp = z
  .strictObject({ subnet_id: id.optional(), ip_address: address.optional() })
  .refine((ip) => ip.subnet_id !== undefined || ip.ip_address !== undefined, 'needs subnet_id or ip_address')
  .transform(({ subnet_id, ip_address }) => ({ subnetId: subnet_id, ipAddress: ip_address }));
const pair = z.strictObject({ ip_address: addressOrCidr, mac_address: z.string().optional() });
const portBase = {
  ...named,
  admin_state_up: z.boolean().optional(),
  device_id: text.optional(),
  device_owner: text.optional(),
  fixed_ips: z.array(fixedIp).optional(),
  allowed_address_pairs: z.array(pair).optional(),
  security_groups: z.array(id).optional(),
  qos_policy_id: id.nullish(),
  port_security_enabled: z.boolean().optional(),
  'binding:vnic_type': text.optional(),
};
const PORT_EXTRAS = [
  'binding:host_id',
  'binding:profile',
  'dns_name',
  'dns_domain',
  'extra_dhcp_opts',
  'data_plane_status',
  'numa_affinity_policy',
  'propagate_uplink_status',
];
const mac = z.string().regex(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i, 'is not a valid MAC address');
export const newPort = ignoring(
  PORT_EXTRAS,
  z.strictObject({ ...portBase, network_id: id, mac_address: mac.optional() }),
);
export const portChange = ignoring(PORT_EXTRAS, z.strictObject(portBase));

export const newSecurityGroup = z.strictObject({ ...named, stateful: z.boolean().optional() });
export const securityGroupChange = newSecurityGroup;

const protocol = z.union([z.string().toLowerCase(), z.int().transform(String)]);
export const newRule = z.strictObject({
  security_group_id: id,
  direction: z.enum(['ingress', 'egress']),
  ethertype: z.enum(['IPv4', 'IPv6']).optional(),
  protocol: protocol.nullish(),
  port_range_min: integer.nullish(),
  port_range_max: integer.nullish(),
  remote_ip_prefix: addressOrCidr.nullish(),
  remote_group_id: id.nullish(),
  remote_address_group_id: z.null().optional(),
  description: text.optional(),
});

const floatingIpBase = {
  port_id: id.nullish(),
  fixed_ip_address: address.nullish(),
  description: text.optional(),
  qos_policy_id: id.nullish(),
};
export const newFloatingIp = ignoring(
  ['dns_name', 'dns_domain'],
  z.strictObject({
    ...floatingIpBase,
    floating_network_id: id,
    subnet_id: id.nullish(),
    floating_ip_address: address.nullish(),
  }),
);
export const floatingIpChange = z.strictObject(floatingIpBase);

export const newQosPolicy = z.strictObject({
  ...named,
  shared: z.boolean().optional(),
  is_default: z.boolean().optional(),
});
export const qosPolicyChange = newQosPolicy;

export const tagList = z.strictObject({ tags: z.array(z.string().max(255)) });
