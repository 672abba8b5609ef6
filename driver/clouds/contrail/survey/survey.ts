import ipaddr from 'ipaddr.js';
import type {
  Survey,
  SurveyedClaim,
  SurveyedClient,
  SurveyedFloatingIp,
  SurveyedHost,
  SurveyedNetwork,
  SurveyedPort,
  SurveyRequest,
} from '../../../domain/survey';
import { idsOf, numberOf, pairsOf, referencesOf, textOf } from '../views';
import type { Vnc, VncObject } from '../vnc';
import {
  bindingOf,
  healthCheckOf,
  macOf,
  prefixesOf,
  reversePathCheckOf,
  routerOf,
  rulesOf,
  sessionOf,
  subnetsIn,
} from './shapes';

const PORT = 'virtual-machine-interface';
const PAIRS = 'virtual_machine_interface_allowed_address_pairs';
const DEFAULT_AS = 64_512;
const DEFAULT_PORTS = { port_start: 50_000, port_end: 50_512 };

/** Reads all of it, in bulk: a dozen lists, of which those of the VIPs' networks are the longest. */
export async function survey(vnc: Vnc, asked: SurveyRequest): Promise<Survey> {
  const [ports, services, routers, vRouters, globals] = await Promise.all([
    vnc.list(PORT, { ids: [...new Set(asked.portIds)] }, { fields: PORT_FIELDS }),
    vnc.list('bgp-as-a-service', 'all', { fields: SERVICE_FIELDS }),
    vnc.list('bgp-router', 'all', { fields: ['bgp_router_parameters'] }),
    vnc.list('virtual-router', 'all', { fields: ['virtual_router_ip_address'] }),
    vnc.list('global-system-config', 'all', { fields: ['autonomous_system', 'bgpaas_parameters'] }),
  ]);
  const [checks, tables, addresses, groups, floatingIps, networks, claims, clients] = await Promise.all([
    byId(vnc, ports, { type: 'service-health-check', field: 'service_health_check_properties' }),
    byId(vnc, ports, { type: 'interface-route-table', field: 'interface_route_table_routes' }),
    vnc.list('instance-ip', { refersTo: asked.portIds }, { fields: ADDRESS_FIELDS }),
    byId(vnc, ports, { type: 'security-group', field: 'security_group_entries' }),
    findFloatingIps(vnc, asked),
    vnc.list('virtual-network', { ids: asked.networkIds }, { fields: NETWORK_FIELDS }),
    findClaims(vnc, asked),
    findClients(vnc, asked),
  ]);
  const outside = await findOutside(vnc, floatingIps, networks);
  const parts: PortParts = { checks, tables, addresses, routers };
  const wanted = new Set([...asked.bgpServiceIds, ...ports.flatMap((it) => idsOf(it, 'bgp_as_a_service_back_refs'))]);
  return {
    ports: ports.map((port) => toPort(port, parts)),
    networks: [...networks, ...outside.networks].map(toNetwork),
    floatingIps: floatingIps.map((it) => toFloatingIp(it, outside.networkOf)),
    bgpServices: services.filter(({ uuid }) => wanted.has(uuid)).map(toService),
    securityGroups: groups.map((it) => ({ id: it.uuid, name: it.fq_name.at(-1) ?? '', rules: rulesOf(it) })),
    ...{ claims, clients },
    controlNodes: routers.flatMap(toControlNode),
    vRouters: vRouters.flatMap(toVRouter),
    globals: toGlobals(globals[0], services),
  };
}

const PORT_FIELDS = [
  ...[PAIRS, 'virtual_network_refs', 'security_group_refs', 'service_health_check_refs', 'interface_route_table_refs'],
  ...['bgp_router_refs', 'bgp_as_a_service_back_refs', 'virtual_machine_interface_bindings', 'port_security_enabled'],
  ...['virtual_machine_interface_mac_addresses', 'virtual_machine_interface_disable_policy'],
];
const SERVICE_FIELDS = [
  ...['autonomous_system', 'bgpaas_session_attributes', 'virtual_machine_interface_refs', 'bgp_router_refs'],
];
const ADDRESS_FIELDS = ['instance_ip_address', 'instance_ip_secondary', 'virtual_machine_interface_refs'];
const NETWORK_FIELDS = ['network_ipam_refs', 'router_external', 'virtual_network_properties'];

async function byId(
  vnc: Vnc,
  ports: readonly VncObject[],
  { type, field }: { readonly type: string; readonly field: string },
): Promise<readonly VncObject[]> {
  const ids = new Set(ports.flatMap((port) => idsOf(port, `${type.replaceAll('-', '_')}_refs`)));
  return vnc.list(type, { ids: [...ids] }, { fields: [field] });
}

async function findFloatingIps(vnc: Vnc, { portIds, floatingIpIds }: SurveyRequest): Promise<readonly VncObject[]> {
  const fields = { fields: ['floating_ip_address', 'floating_ip_fixed_ip_address', 'virtual_machine_interface_refs'] };
  const linked = await vnc.list('floating-ip', { refersTo: portIds }, fields);
  const rest = floatingIpIds.filter((id) => !linked.some(({ uuid }) => uuid === id));
  return [...linked, ...(await vnc.list('floating-ip', { ids: rest }, fields))];
}

/** The networks that floating IPs are of: a floating IP is named by its network, its pool and itself. */
async function findOutside(vnc: Vnc, floatingIps: readonly VncObject[], known: readonly VncObject[]) {
  const found = new Map<string, VncObject>(known.map((it) => [it.fq_name.join(':'), it]));
  const names = new Set(floatingIps.map(({ fq_name: name }) => name.slice(0, 3).join(':')));
  const missing = [...names].filter((name) => !found.has(name));
  const all = missing.length > 0 ? await vnc.list('virtual-network', 'all', { fields: NETWORK_FIELDS }) : [];
  const networks = all.filter(({ fq_name: name }) => missing.includes(name.join(':')));
  for (const network of networks) found.set(network.fq_name.join(':'), network);
  return {
    networks,
    networkOf: (floatingIp: VncObject) => found.get(floatingIp.fq_name.slice(0, 3).join(':'))?.uuid ?? null,
  };
}

/** Whoever else in the networks has one of the addresses, or a route that covers one. */
async function findClaims(vnc: Vnc, { networkIds, addresses }: SurveyRequest): Promise<SurveyedClaim[]> {
  const fields = { fields: [PAIRS, 'interface_route_table_refs'] };
  const [ports, instances] = await Promise.all([
    vnc.list(PORT, { refersTo: networkIds }, fields),
    vnc.list('instance-ip', { refersTo: networkIds }, { fields: ADDRESS_FIELDS }),
  ]);
  const tables = await byId(vnc, ports, { type: 'interface-route-table', field: 'interface_route_table_routes' });
  const nameOf = (id: string): string => ports.find(({ uuid }) => uuid === id)?.fq_name.at(-1) ?? id;
  const claims = ports.flatMap((port) => {
    const own = tables.filter(({ uuid }) => idsOf(port, 'interface_route_table_refs').includes(uuid));
    return [
      ...pairsOf(port).map(({ ip }) => ({ by: 'pair' as const, prefix: `${ip.ip_prefix}/${ip.ip_prefix_len}` })),
      ...own.flatMap(prefixesOf).map((prefix) => ({ by: 'route' as const, prefix })),
    ].map((it) => ({ ...it, portId: port.uuid, portName: port.fq_name.at(-1) ?? '' }));
  });
  const fixed = instances.flatMap((instance) => {
    const address = textOf(instance, 'instance_ip_address') ?? '';
    const prefix = `${address}/${address.includes(':') ? 128 : 32}`;
    return idsOf(instance, 'virtual_machine_interface_refs').map((portId) => ({
      ...{ by: 'address' as const, prefix, portId, portName: nameOf(portId) },
    }));
  });
  return addresses.flatMap((address) =>
    [...claims, ...fixed].filter(({ prefix }) => covers(prefix, address)).map((it) => ({ ...it, address })),
  );
}

async function findClients(vnc: Vnc, { networkIds, clients = [] }: SurveyRequest): Promise<SurveyedClient[]> {
  if (clients.length === 0) return [];
  const instances = await vnc.list('instance-ip', { refersTo: networkIds }, { fields: ADDRESS_FIELDS });
  const found = instances.flatMap((instance) => {
    const address = textOf(instance, 'instance_ip_address') ?? '';
    const ids = clients.includes(address) ? idsOf(instance, 'virtual_machine_interface_refs') : [];
    return ids.map((portId) => ({ address, portId }));
  });
  const ids = [...new Set(found.map(({ portId }) => portId))];
  const ports = await vnc.list(PORT, { ids }, { fields: ['virtual_machine_interface_bindings'] });
  return found.flatMap(({ address, portId }) => {
    const port = ports.find(({ uuid }) => uuid === portId);
    return port ? [{ address, portId, host: bindingOf(port, 'host_id') }] : [];
  });
}

function covers(prefix: string, address: string): boolean {
  const [network = '', length] = prefix.split('/');
  if (!ipaddr.isValid(network) || !ipaddr.isValid(address)) return false;
  const [one, other] = [ipaddr.parse(address), ipaddr.parse(network)];
  if (one.kind() !== other.kind()) return false;
  return one.match(other, Number(length ?? (one.kind() === 'ipv6' ? 128 : 32)));
}

interface PortParts {
  readonly checks: readonly VncObject[];
  readonly tables: readonly VncObject[];
  readonly addresses: readonly VncObject[];
  readonly routers: readonly VncObject[];
}

function toPort(port: VncObject, { checks, tables, addresses, routers }: PortParts): SurveyedPort {
  const has = (field: string) => {
    const ids = idsOf(port, field);
    return ({ uuid }: VncObject) => ids.includes(uuid);
  };
  const own = addresses.filter((it) => idsOf(it, 'virtual_machine_interface_refs').includes(port.uuid));
  const security = port['port_security_enabled'];
  return {
    ...{ id: port.uuid, name: port.fq_name.at(-1) ?? '', fqName: port.fq_name.join(':') },
    networkId: idsOf(port, 'virtual_network_refs')[0] ?? null,
    macAddress: macOf(port),
    host: bindingOf(port, 'host_id'),
    addresses: own.flatMap((it) => textOf(it, 'instance_ip_address') ?? []),
    pairs: pairsOf(port).map(({ ip, address_mode: mode }) => ({
      prefix: `${ip.ip_prefix}/${ip.ip_prefix_len}`,
      mode: mode === 'active-active' ? mode : 'active-standby',
    })),
    securityGroupIds: idsOf(port, 'security_group_refs'),
    portSecurity: typeof security === 'boolean' ? security : null,
    policyDisabled: port['virtual_machine_interface_disable_policy'] === true,
    healthChecks: checks.filter(has('service_health_check_refs')).map(healthCheckOf),
    routeTables: tables
      .filter(has('interface_route_table_refs'))
      .map((it) => ({ name: it.fq_name.at(-1) ?? '', prefixes: prefixesOf(it) })),
    bgpServiceIds: idsOf(port, 'bgp_as_a_service_back_refs'),
    bgpRouters: routers.filter(has('bgp_router_refs')).map(routerOf),
  };
}

function toNetwork(network: VncObject): SurveyedNetwork {
  return {
    ...{ id: network.uuid, name: network.fq_name.at(-1) ?? '', fqName: network.fq_name.join(':') },
    external: network['router_external'] === true,
    reversePathCheck: reversePathCheckOf(network),
    subnets: referencesOf(network, 'network_ipam_refs').flatMap((link) => subnetsIn(link['attr'])),
  };
}

function toFloatingIp(object: VncObject, networkOf: (it: VncObject) => string | null): SurveyedFloatingIp {
  return {
    id: object.uuid,
    address: textOf(object, 'floating_ip_address'),
    fixedAddress: textOf(object, 'floating_ip_fixed_ip_address'),
    portIds: idsOf(object, 'virtual_machine_interface_refs'),
    networkId: networkOf(object),
  };
}

function toService(object: VncObject) {
  return {
    ...{ id: object.uuid, name: object.fq_name.at(-1) ?? '' },
    autonomousSystem: numberOf(object, 'autonomous_system'),
    portIds: idsOf(object, 'virtual_machine_interface_refs'),
    ...sessionOf(object),
  };
}

function toControlNode(object: VncObject): SurveyedHost[] {
  const { name, address, type } = routerOf(object);
  return type === 'control-node' && address !== null ? [{ name, address }] : [];
}

function toVRouter(object: VncObject): SurveyedHost[] {
  const address = textOf(object, 'virtual_router_ip_address');
  return address === null ? [] : [{ name: object.fq_name.at(-1) ?? '', address }];
}

function toGlobals(found: VncObject | undefined, services: readonly VncObject[]): Survey['globals'] {
  const ports = { ...DEFAULT_PORTS, ...(found?.['bgpaas_parameters'] as Partial<typeof DEFAULT_PORTS> | null) };
  return {
    autonomousSystem: (found && numberOf(found, 'autonomous_system')) ?? DEFAULT_AS,
    sessions: ports.port_end - ports.port_start + 1,
    sessionsTaken: services.reduce((sum, service) => sum + idsOf(service, 'bgp_router_refs').length, 0),
  };
}
