import { z } from 'zod';
import type { Network, Port, SecurityGroup, Subnet } from '../port';

const NetworkBody = z.object({
  id: z.string(),
  name: z.string().nullish(),
  project_id: z.string().nullish(),
  tenant_id: z.string().nullish(),
  mtu: z.number().nullish(),
  'router:external': z.boolean().nullish(),
  shared: z.boolean().nullish(),
  subnets: z.array(z.string()).nullish(),
});
const SubnetBody = z.object({
  id: z.string(),
  name: z.string().nullish(),
  network_id: z.string(),
  project_id: z.string().nullish(),
  tenant_id: z.string().nullish(),
  cidr: z.string(),
  ip_version: z.union([z.literal(4), z.literal(6)]),
  gateway_ip: z.string().nullish(),
  host_routes: z.array(z.object({ destination: z.string(), nexthop: z.string() })).nullish(),
});
const PortBody = z.object({
  id: z.string(),
  name: z.string().nullish(),
  project_id: z.string().nullish(),
  tenant_id: z.string().nullish(),
  network_id: z.string(),
  mac_address: z.string(),
  device_id: z.string().nullish(),
  device_owner: z.string().nullish(),
  fixed_ips: z.array(z.object({ subnet_id: z.string(), ip_address: z.string() })).nullish(),
  allowed_address_pairs: z.array(z.object({ ip_address: z.string() })).nullish(),
  security_groups: z.array(z.string()).nullish(),
  qos_policy_id: z.string().nullish(),
  admin_state_up: z.boolean().nullish(),
  created_at: z.string().nullish(),
  description: z.string().nullish(),
  revision_number: z.number().nullish(),
  'binding:vif_type': z.string().nullish(),
});
const SecurityGroupBody = z.object({
  id: z.string(),
  name: z.string().nullish(),
  description: z.string().nullish(),
  project_id: z.string().nullish(),
  tenant_id: z.string().nullish(),
  created_at: z.string().nullish(),
  security_group_rules: z
    .array(
      z.object({
        direction: z.enum(['ingress', 'egress']),
        ethertype: z.enum(['IPv4', 'IPv6']),
        protocol: z.union([z.string(), z.number().transform(String)]).nullish(),
        port_range_min: z.number().nullish(),
        port_range_max: z.number().nullish(),
        remote_ip_prefix: z.string().nullish(),
        remote_group_id: z.string().nullish(),
        remote_address_group_id: z.string().nullish(),
      }),
    )
    .nullish(),
});

export const NetworkView = z.object({ network: NetworkBody });
export const SubnetView = z.object({ subnet: SubnetBody });
export const PortView = z.object({ port: PortBody });
export const PortsView = z.object({ ports: z.array(PortBody) });
export const SecurityGroupView = z.object({ security_group: SecurityGroupBody });
export const SecurityGroupsView = z.object({ security_groups: z.array(SecurityGroupBody) });
export const ExtensionsView = z.object({ extensions: z.array(z.object({ alias: z.string() })) });

/** What tunnels leave of an Ethernet frame, for a Neutron that does not tell (Contrail's). */
const USUAL_MTU = 1500;

export function toNetwork(body: z.infer<typeof NetworkBody>): Network {
  return {
    id: body.id,
    name: body.name ?? '',
    projectId: body.project_id ?? body.tenant_id ?? '',
    mtu: body.mtu ?? USUAL_MTU,
    external: body['router:external'] ?? false,
    shared: body.shared ?? false,
    subnetIds: body.subnets ?? [],
  };
}

export function toSubnet(body: z.infer<typeof SubnetBody>): Subnet {
  return {
    id: body.id,
    name: body.name ?? '',
    networkId: body.network_id,
    projectId: body.project_id ?? body.tenant_id ?? '',
    cidr: body.cidr,
    ipVersion: body.ip_version,
    gatewayIp: body.gateway_ip ?? null,
    hostRoutes: (body.host_routes ?? []).map(({ destination, nexthop }) => ({ destination, nextHop: nexthop })),
  };
}

/** A port of a Neutron that does not tell when it was made (Contrail's) counts as one made long ago. */
export function toPort(body: z.infer<typeof PortBody>): Port {
  return {
    id: body.id,
    name: body.name ?? '',
    projectId: body.project_id ?? body.tenant_id ?? '',
    networkId: body.network_id,
    macAddress: body.mac_address,
    deviceId: body.device_id ?? '',
    deviceOwner: body.device_owner ?? '',
    fixedIps: (body.fixed_ips ?? []).map((ip) => ({ subnetId: ip.subnet_id, ipAddress: ip.ip_address })),
    allowedAddressPairs: (body.allowed_address_pairs ?? []).map((pair) => ({ ipAddress: pair.ip_address })),
    securityGroupIds: body.security_groups ?? [],
    qosPolicyId: body.qos_policy_id ?? null,
    adminStateUp: body.admin_state_up ?? true,
    createdAt: toTime(body.created_at),
    description: body.description ?? '',
    revision: body.revision_number ?? null,
    ...(body['binding:vif_type'] === 'binding_failed' && { bindingFailed: true }),
  };
}

function toTime(text: string | null | undefined): Date {
  return new Date(text ? withZone(text) : 0);
}

/** The time with its zone: Contrail's Neutron leaves out that its times are UTC. */
export function withZone(time: string): string {
  return /(?:Z|[+-]\d\d:?\d\d)$/.test(time) ? time : `${time}Z`;
}

export function toSecurityGroup(body: z.infer<typeof SecurityGroupBody>): SecurityGroup {
  return {
    id: body.id,
    name: body.name ?? '',
    description: body.description ?? '',
    projectId: body.project_id ?? body.tenant_id ?? '',
    createdAt: toTime(body.created_at),
    rules: (body.security_group_rules ?? []).map((rule) => ({
      direction: rule.direction,
      etherType: rule.ethertype,
      protocol: rule.protocol ?? null,
      portMin: rule.port_range_min ?? null,
      portMax: rule.port_range_max ?? null,
      remotePrefix: rule.remote_ip_prefix ?? null,
      remoteGroupId: rule.remote_group_id ?? null,
      remoteAddressGroupId: rule.remote_address_group_id ?? null,
    })),
  };
}
