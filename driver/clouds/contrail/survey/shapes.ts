import { z } from 'zod';
import type { SurveyedHealthCheck, SurveyedRule, SurveyedSubnet } from '../../../domain/survey';
import type { VncObject } from '../vnc';

/** Parts of objects as the API shows them; what is absent, or of a shape nobody knows, reads as nothing. */

function read<S extends z.ZodType>(schema: S, value: unknown): z.output<S> | undefined {
  const parsed = schema.safeParse(value ?? {});
  return parsed.success ? parsed.data : undefined;
}

const KeyValues = z.looseObject({
  key_value_pair: z.array(z.looseObject({ key: z.string(), value: z.string().nullish() })).nullish(),
});

export function bindingOf(object: VncObject, name: string): string | null {
  const pairs = read(KeyValues, object['virtual_machine_interface_bindings'])?.key_value_pair ?? [];
  return pairs.find(({ key }) => key === name)?.value || null;
}

const Macs = z.looseObject({ mac_address: z.array(z.string()).nullish() });

export function macOf(object: VncObject): string | null {
  return read(Macs, object['virtual_machine_interface_mac_addresses'])?.mac_address?.[0]?.toLowerCase() ?? null;
}

const Ipam = z.looseObject({
  ipam_subnets: z
    .array(
      z.looseObject({
        subnet_uuid: z.string().nullish(),
        subnet: z.looseObject({ ip_prefix: z.string(), ip_prefix_len: z.number() }).nullish(),
        default_gateway: z.string().nullish(),
        dns_server_address: z.string().nullish(),
        enable_dhcp: z.boolean().nullish(),
        host_routes: z
          .looseObject({
            route: z.array(z.looseObject({ prefix: z.string(), next_hop: z.string().nullish() })).nullish(),
          })
          .nullish(),
      }),
    )
    .nullish(),
});

export function subnetsIn(attributes: unknown): SurveyedSubnet[] {
  return (read(Ipam, attributes)?.ipam_subnets ?? []).map((one) => ({
    id: one.subnet_uuid ?? '',
    prefix: one.subnet ? `${one.subnet.ip_prefix}/${one.subnet.ip_prefix_len}` : '',
    gateway: one.default_gateway || null,
    dnsServer: one.dns_server_address || null,
    dhcp: one.enable_dhcp !== false,
    hostRoutes: (one.host_routes?.route ?? []).map((it) => ({ prefix: it.prefix, nextHop: it.next_hop ?? '' })),
  }));
}

const NetworkProperties = z.looseObject({ rpf: z.string().nullish() });

export function reversePathCheckOf(object: VncObject): boolean | null {
  const rpf = read(NetworkProperties, object['virtual_network_properties'])?.rpf ?? null;
  return rpf === null ? null : rpf !== 'disable';
}

const CheckProperties = z.looseObject({ enabled: z.boolean().nullish(), monitor_type: z.string().nullish() });

export function healthCheckOf(object: VncObject): SurveyedHealthCheck {
  const { uuid: id, fq_name: name } = object;
  const found = read(CheckProperties, object['service_health_check_properties']);
  return {
    id,
    name: name.at(-1) ?? '',
    enabled: found?.enabled !== false,
    monitor: found?.monitor_type ?? 'PING',
  };
}

const Routes = z.looseObject({ route: z.array(z.looseObject({ prefix: z.string() })).nullish() });

export function prefixesOf(object: VncObject): string[] {
  return (read(Routes, object['interface_route_table_routes'])?.route ?? []).map(({ prefix }) => prefix);
}

const RouterParameters = z.looseObject({
  address: z.string().nullish(),
  source_port: z.number().nullish(),
  router_type: z.string().nullish(),
});

export function routerOf(object: VncObject) {
  const found = read(RouterParameters, object['bgp_router_parameters']);
  return {
    name: object.fq_name.at(-1) ?? '',
    address: found?.address ?? null,
    sourcePort: found?.source_port ?? null,
    type: found?.router_type ?? null,
  };
}

const SessionAttributes = z.looseObject({
  admin_down: z.boolean().nullish(),
  local_autonomous_system: z.number().nullish(),
  auth_data: z.looseObject({ key_items: z.array(z.unknown()).nullish() }).nullish(),
});

/** Not what the secret is: that there is one. */
export function sessionOf(object: VncObject) {
  const found = read(SessionAttributes, object['bgpaas_session_attributes']);
  return {
    adminDown: found?.admin_down === true,
    localAutonomousSystem: found?.local_autonomous_system ?? null,
    hasSecret: (found?.auth_data?.key_items ?? []).length > 0,
  };
}

const Address = z.looseObject({
  security_group: z.string().nullish(),
  subnet: z.looseObject({ ip_prefix: z.string(), ip_prefix_len: z.number() }).nullish(),
});
const Entries = z.looseObject({
  policy_rule: z
    .array(
      z.looseObject({
        protocol: z.string().nullish(),
        ethertype: z.string().nullish(),
        src_addresses: z.array(Address).nullish(),
        dst_addresses: z.array(Address).nullish(),
        dst_ports: z.array(z.looseObject({ start_port: z.number(), end_port: z.number() })).nullish(),
      }),
    )
    .nullish(),
});

/** A rule is about what comes in when its destination is this host. */
export function rulesOf(object: VncObject): SurveyedRule[] {
  return (read(Entries, object['security_group_entries'])?.policy_rule ?? []).map((rule) => {
    const ingress = (rule.dst_addresses ?? []).some(({ security_group: group }) => group === 'local');
    const peers = (ingress ? rule.src_addresses : rule.dst_addresses) ?? [];
    const [ports] = rule.dst_ports ?? [];
    return {
      ingress,
      protocol: rule.protocol ?? 'any',
      portMin: ports?.start_port ?? 0,
      portMax: ports?.end_port ?? 65_535,
      ethertype: rule.ethertype ?? 'IPv4',
      sources: peers.flatMap(({ subnet }) => (subnet ? [`${subnet.ip_prefix}/${subnet.ip_prefix_len}`] : [])),
    };
  });
}
