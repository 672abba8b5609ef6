import { z } from 'zod';
import type { FloatingIp, Network, Port, Rule, Server, Subnet } from './view';

const text = z.string().nullish();

const ServerBody = z.object({
  id: z.string(),
  name: z.string(),
  status: z.string(),
  updated: text,
  tenant_id: text,
  metadata: z.record(z.string(), z.string()).nullish(),
  /** "True" or empty. */
  config_drive: z.union([z.string(), z.boolean()]).nullish(),
  'OS-EXT-AZ:availability_zone': text,
  'OS-EXT-SRV-ATTR:user_data': text,
});
type ServerBody = z.infer<typeof ServerBody>;

export const ServersBody = z.object({
  servers: z.array(ServerBody),
  servers_links: z.array(z.object({ rel: z.string() })).optional(),
});

export const ActionsBody = z.object({
  /** The latest first. */
  instanceActions: z.array(z.object({ action: z.string(), request_id: z.string() })),
});

export interface ListedServer {
  readonly server: Omit<Server, 'boot'>;
  /** When Nova last changed anything of it, to the second. */
  readonly updated: string;
}

export function toServer(body: ServerBody): ListedServer {
  return {
    updated: body.updated ?? '',
    server: {
      id: body.id,
      name: body.name,
      status: body.status,
      projectId: body.tenant_id ?? '',
      availabilityZone: body['OS-EXT-AZ:availability_zone'] ?? '',
      metadata: body.metadata ?? {},
      hasConfigDrive: /^true$/i.test(String(body.config_drive ?? '')),
      userData: body['OS-EXT-SRV-ATTR:user_data'] ?? null,
    },
  };
}

export const Networks = z
  .object({ networks: z.array(z.object({ id: z.string(), name: z.string(), mtu: z.number().nullish() })) })
  .transform(({ networks }): Network[] => networks.map(({ id, name, mtu }) => ({ id, name, mtu: mtu || 1500 })));

const SubnetBody = z.object({
  id: z.string(),
  network_id: z.string(),
  cidr: z.string(),
  gateway_ip: text,
  host_routes: z.array(z.object({ destination: z.string(), nexthop: z.string() })),
});

export const Subnets = z.object({ subnets: z.array(SubnetBody) }).transform(({ subnets }): Subnet[] =>
  subnets.map((subnet) => ({
    id: subnet.id,
    networkId: subnet.network_id,
    cidr: subnet.cidr,
    gateway: subnet.gateway_ip ?? null,
    hostRoutes: subnet.host_routes,
  })),
);

const PortBody = z.object({
  id: z.string(),
  network_id: z.string(),
  mac_address: z.string(),
  fixed_ips: z.array(z.object({ subnet_id: z.string(), ip_address: z.string() })),
  device_id: text,
  device_owner: text,
  allowed_address_pairs: z.array(z.object({ ip_address: z.string(), mac_address: text })).nullish(),
  security_groups: z.array(z.string()).nullish(),
  port_security_enabled: z.boolean().nullish(),
  admin_state_up: z.boolean(),
  created_at: text,
  revision_number: z.number(),
});

/** What is asked of each port. */
export const PORT_FIELDS = Object.keys(PortBody.shape);

export const Ports = z.object({ ports: z.array(PortBody) }).transform(({ ports }): Port[] =>
  ports.map((port) => ({
    id: port.id,
    networkId: port.network_id,
    macAddress: port.mac_address.toLowerCase(),
    fixedIps: port.fixed_ips.map((ip) => ({ subnetId: ip.subnet_id, address: ip.ip_address })),
    deviceId: port.device_id ?? '',
    deviceOwner: port.device_owner ?? '',
    addressPairs: (port.allowed_address_pairs ?? []).map((pair) => ({
      address: pair.ip_address,
      macAddress: (pair.mac_address ?? port.mac_address).toLowerCase(),
    })),
    groupIds: port.security_groups ?? [],
    hasPortSecurity: port.port_security_enabled ?? true,
    isUp: port.admin_state_up,
    createdAt: port.created_at ?? '',
  })),
);

const RuleBody = z.object({
  security_group_id: z.string(),
  direction: z.string(),
  ethertype: z.enum(['IPv4', 'IPv6']),
  protocol: text,
  port_range_min: z.number().nullish(),
  port_range_max: z.number().nullish(),
  remote_ip_prefix: text,
  remote_group_id: text,
});

export const Rules = z
  .object({ security_group_rules: z.array(RuleBody) })
  .transform(({ security_group_rules: rules }) =>
    rules
      .filter(({ direction }) => direction === 'ingress')
      .map(
        (rule): Rule => ({
          groupId: rule.security_group_id,
          ethertype: rule.ethertype,
          protocol: rule.protocol ?? null,
          portMin: rule.port_range_min ?? null,
          portMax: rule.port_range_max ?? null,
          remoteCidr: rule.remote_ip_prefix ?? null,
          remoteGroupId: rule.remote_group_id ?? null,
        }),
      ),
  );

const FloatingIpBody = z.object({
  floating_ip_address: z.string(),
  floating_network_id: z.string(),
  fixed_ip_address: text,
  port_id: text,
});

export const FloatingIps = z
  .object({ floatingips: z.array(FloatingIpBody) })
  .transform(({ floatingips }): FloatingIp[] =>
    floatingips.map((ip) => ({
      address: ip.floating_ip_address,
      networkId: ip.floating_network_id,
      fixedAddress: ip.fixed_ip_address ?? null,
      portId: ip.port_id ?? null,
    })),
  );
