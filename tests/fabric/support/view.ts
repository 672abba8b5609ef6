import { z } from 'zod';

/**
 * What Contrail's configuration says, as far as packets are concerned. The fabric reads it whole after each change: it is
 * what control-nodes hand to the agents of the vRouters.
 */
export interface ContrailView {
  readonly networks: readonly Network[];
  readonly interfaces: readonly Interface[];
  readonly floatingIps: readonly FloatingIp[];
  readonly sessions: readonly BgpSession[];
}

export interface Network {
  readonly id: string;
  readonly subnets: readonly Subnet[];
}

export interface Subnet {
  readonly gateway: string | null;
  /** Of the vRouter's name service; where BGPaaS finds the second control-node. */
  readonly dns: string | null;
}

export interface Interface {
  readonly id: string;
  readonly networkId: string;
  readonly macAddress: string;
  /** Compute host; null while it is bound to none. */
  readonly host: string | null;
  /** Of its instance-ips, the primary ones first. */
  readonly addresses: readonly string[];
  /** Address pairs and prefixes of interface route tables. */
  readonly prefixes: readonly Prefix[];
  readonly checks: readonly HealthCheck[];
}

export interface Prefix {
  /** A CIDR. */
  readonly prefix: string;
  /** One interface at a time has it: the one from which ARP was seen last. */
  readonly isStandby: boolean;
}

export interface HealthCheck {
  readonly kind: 'PING' | 'BFD';
  /** Milliseconds. */
  readonly interval: number;
  readonly timeout: number;
  readonly retries: number;
}

export interface FloatingIp {
  readonly address: string;
  /** The pool's. */
  readonly networkId: string;
  /** Null: the primary address of each interface. */
  readonly fixedAddress: string | null;
  readonly interfaceIds: readonly string[];
}

/** A BGPaaS client. */
export interface BgpSession {
  readonly interfaceId: string;
  readonly networkId: string;
  /** The engine's, that it calls from. */
  readonly address: string;
  /** What the vRouter makes of its port. */
  readonly sourcePort: number;
  readonly peerAs: number;
  readonly localAs: number;
  readonly md5Key: string | null;
  /** Seconds; 0: the control-node's own. */
  readonly holdTime: number;
}

/** Where a configuration is read: a simulator's store, or one of a test. */
export interface ConfigurationStore {
  /** Objects as the API shows them. */
  list(type: string): readonly object[];
  /** Gives what ends it. */
  onChange(listener: () => void): (() => void) | undefined;
}

const ref = z.object({ uuid: z.string(), attr: z.unknown().optional() });
const refs = z.array(ref).nullish();
const Base = z.object({ uuid: z.string(), fq_name: z.array(z.string()) });
const Vn = Base.extend({ network_ipam_refs: refs });
const IpamSubnets = z.object({
  ipam_subnets: z
    .array(z.object({ default_gateway: z.string().nullish(), dns_server_address: z.string().nullish() }))
    .nullish(),
});
const Pair = z.object({
  ip: z.object({ ip_prefix: z.string(), ip_prefix_len: z.number() }),
  address_mode: z.string().nullish(),
});
const KeyValues = z.object({
  key_value_pair: z.array(z.object({ key: z.string(), value: z.string().nullish() })).nullish(),
});
const Vmi = Base.extend({
  virtual_network_refs: refs,
  virtual_machine_interface_mac_addresses: z.object({ mac_address: z.array(z.string()) }).nullish(),
  virtual_machine_interface_bindings: KeyValues.nullish(),
  virtual_machine_interface_allowed_address_pairs: z
    .object({ allowed_address_pair: z.array(Pair).nullish() })
    .nullish(),
  interface_route_table_refs: refs,
  service_health_check_refs: refs,
  bgp_router_refs: refs,
});
const Iip = Base.extend({
  instance_ip_address: z.string().nullish(),
  instance_ip_secondary: z.boolean().nullish(),
  virtual_machine_interface_refs: refs,
});
const Fip = Base.extend({
  floating_ip_address: z.string().nullish(),
  floating_ip_fixed_ip_address: z.string().nullish(),
  virtual_machine_interface_refs: refs,
});
const Shc = Base.extend({
  service_health_check_properties: z.object({
    enabled: z.boolean().nullish(),
    monitor_type: z.string(),
    delay: z.number().nullish(),
    delayUsecs: z.number().nullish(),
    timeout: z.number().nullish(),
    timeoutUsecs: z.number().nullish(),
    max_retries: z.number().nullish(),
  }),
});
const Irt = Base.extend({
  interface_route_table_routes: z.object({ route: z.array(z.object({ prefix: z.string() })).nullish() }).nullish(),
});
const Bgpaas = Base.extend({
  autonomous_system: z.number().nullish(),
  virtual_machine_interface_refs: refs,
  bgpaas_session_attributes: z
    .object({
      hold_time: z.number().nullish(),
      local_autonomous_system: z.number().nullish(),
      admin_down: z.boolean().nullish(),
      auth_data: z.object({ key_items: z.array(z.object({ key: z.string() })).nullish() }).nullish(),
    })
    .nullish(),
});
const Router = Base.extend({
  bgp_router_parameters: z.object({
    address: z.string().nullish(),
    source_port: z.number().nullish(),
    router_type: z.string().nullish(),
  }),
});
const Global = Base.extend({ autonomous_system: z.number().nullish() });

export function readView(store: ConfigurationStore): ContrailView {
  const all = <S extends z.ZodType>(type: string, schema: S): z.output<S>[] =>
    store.list(type).map((object) => schema.parse(object));
  const networks = all('virtual-network', Vn);
  const source: Source = {
    checks: new Map(all('service-health-check', Shc).map((one) => [one.uuid, one.service_health_check_properties])),
    tables: new Map(
      all('interface-route-table', Irt).map((one) => [one.uuid, one.interface_route_table_routes?.route ?? []]),
    ),
    instanceIps: all('instance-ip', Iip),
  };
  const vmis = all('virtual-machine-interface', Vmi);
  return {
    networks: networks.map(toNetwork),
    interfaces: vmis.flatMap((vmi) => toInterface(vmi, source)),
    floatingIps: all('floating-ip', Fip).flatMap((fip) => toFloatingIp(fip, networks)),
    sessions: toSessions({
      vmis,
      services: all('bgp-as-a-service', Bgpaas),
      routers: new Map(all('bgp-router', Router).map((one) => [one.uuid, one.bgp_router_parameters])),
      globalAs: all('global-system-config', Global)[0]?.autonomous_system ?? 64512,
    }),
  };
}

interface Source {
  readonly checks: ReadonlyMap<string, z.output<typeof Shc>['service_health_check_properties']>;
  readonly tables: ReadonlyMap<string, readonly { readonly prefix: string }[]>;
  readonly instanceIps: readonly z.output<typeof Iip>[];
}

function toNetwork({ uuid, network_ipam_refs: links }: z.output<typeof Vn>): Network {
  const subnets = (links ?? []).flatMap(({ attr }) => IpamSubnets.parse(attr ?? {}).ipam_subnets ?? []);
  return {
    id: uuid,
    subnets: subnets.map((one) => ({ gateway: one.default_gateway ?? null, dns: one.dns_server_address ?? null })),
  };
}

function toInterface(vmi: z.output<typeof Vmi>, { checks, tables, instanceIps }: Source): Interface[] {
  const networkId = vmi.virtual_network_refs?.[0]?.uuid;
  const macAddress = vmi.virtual_machine_interface_mac_addresses?.mac_address[0];
  if (networkId === undefined || macAddress === undefined) return [];
  const own = instanceIps.filter((iip) => iip.virtual_machine_interface_refs?.some(({ uuid }) => uuid === vmi.uuid));
  own.sort((one, other) => Number(one.instance_ip_secondary ?? false) - Number(other.instance_ip_secondary ?? false));
  const pairs = vmi.virtual_machine_interface_allowed_address_pairs?.allowed_address_pair ?? [];
  const routes = (vmi.interface_route_table_refs ?? []).flatMap(({ uuid }) => tables.get(uuid) ?? []);
  const bindings = vmi.virtual_machine_interface_bindings?.key_value_pair ?? [];
  return [
    {
      id: vmi.uuid,
      networkId,
      macAddress: macAddress.toLowerCase(),
      host: bindings.find(({ key }) => key === 'host_id')?.value || null,
      addresses: own.flatMap(({ instance_ip_address: address }) => address ?? []),
      prefixes: [
        ...pairs.map(({ ip, address_mode: mode }) => ({
          prefix: `${ip.ip_prefix}/${ip.ip_prefix_len}`,
          isStandby: mode !== 'active-active',
        })),
        ...routes.map(({ prefix }) => ({ prefix, isStandby: false })),
      ],
      checks: (vmi.service_health_check_refs ?? []).flatMap(({ uuid }) => toCheck(checks.get(uuid))),
    },
  ];
}

function toCheck(check: z.output<typeof Shc>['service_health_check_properties'] | undefined): HealthCheck[] {
  if (!check || check.enabled === false) return [];
  const interval = (check.delay ?? 0) * 1000 + (check.delayUsecs ?? 0) / 1000;
  const kind = check.monitor_type === 'BFD' ? 'BFD' : 'PING';
  const timeout = (check.timeout ?? 0) * 1000 + (check.timeoutUsecs ?? 0) / 1000;
  return [{ kind, interval: interval || 1000, timeout: timeout || 1000, retries: check.max_retries ?? 3 }];
}

/** Named by domain, project, network, pool and itself. */
function toFloatingIp(fip: z.output<typeof Fip>, networks: readonly z.output<typeof Vn>[]): FloatingIp[] {
  const name = fip.fq_name.slice(0, 3).join(':');
  const network = networks.find((one) => one.fq_name.join(':') === name);
  const interfaceIds = (fip.virtual_machine_interface_refs ?? []).map(({ uuid }) => uuid);
  if (!network || !fip.floating_ip_address) return [];
  const fixedAddress = fip.floating_ip_fixed_ip_address || null;
  return [{ address: fip.floating_ip_address, networkId: network.uuid, fixedAddress, interfaceIds }];
}

interface SessionSource {
  readonly vmis: readonly z.output<typeof Vmi>[];
  readonly services: readonly z.output<typeof Bgpaas>[];
  readonly routers: ReadonlyMap<string, z.output<typeof Router>['bgp_router_parameters']>;
  readonly globalAs: number;
}

/** An interface has a session once the schema transformer has made its router, and not before. */
function toSessions({ vmis, services, routers, globalAs }: SessionSource): BgpSession[] {
  return vmis.flatMap((vmi) => {
    const service = services.find((one) => one.virtual_machine_interface_refs?.some(({ uuid }) => uuid === vmi.uuid));
    const networkId = vmi.virtual_network_refs?.[0]?.uuid;
    const router = (vmi.bgp_router_refs ?? []).flatMap(({ uuid }) => routers.get(uuid) ?? [])[0];
    const attributes = service?.bgpaas_session_attributes;
    if (!service?.autonomous_system || !router?.address || !router.source_port) return [];
    if (networkId === undefined || attributes?.admin_down) return [];
    return [
      {
        interfaceId: vmi.uuid,
        networkId,
        address: router.address,
        sourcePort: router.source_port,
        peerAs: service.autonomous_system,
        localAs: attributes?.local_autonomous_system || globalAs,
        md5Key: attributes?.auth_data?.key_items?.[0]?.key ?? null,
        holdTime: attributes?.hold_time ?? 0,
      },
    ];
  });
}
