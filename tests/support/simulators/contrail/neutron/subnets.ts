import { range, readSubnet, type Subnet, subnetsOf, toAddress, toNumber } from '../addresses';
import type { Database, Entity } from '../database';
import { type Json, listOf, type Members, memberOf, textOf } from '../json';
import { NeutronFault, turning, unknownId, usualFault } from './errors';
import { change, firstOf, type NeutronCall, type NeutronResource, refTo, tenantOf } from './request';

const IPAM = ['default-domain', 'default-project', 'default-network-ipam'];

export const subnets: NeutronResource = {
  async create(call) {
    const { site, resource } = call;
    const networkId = textOf(resource['network_id']) ?? '';
    const network = site.db.typed('virtual-network', networkId);
    if (!network) throw unknownId('virtual-network', networkId);
    const uuid = textOf(resource['id']) ?? site.newUuid();
    const subnet = newSubnet(site.db.stamp(), uuid, resource);
    turning(() => keep(call, network, [...subnetMembers(network), subnet]), usualFault);
    remember(site.db, uuid, network.uuid);
    return show(network, findMembers(network, uuid));
  },
  read({ site, id }) {
    const network = networkOfSubnet(site.db, id);
    return show(network, findMembers(network, id));
  },
  update(call) {
    const { site, id, resource } = call;
    const network = networkOfSubnet(site.db, id);
    const changed = subnetMembers(network).map((members) => {
      if (memberOf(members, 'subnet_uuid') !== id) return members;
      return { ...(members as Members), ...changesOf(resource), last_modified: site.db.stamp() };
    });
    turning(() => keep(call, network, changed), usualFault);
    return show(network, findMembers(network, id));
  },
  remove(call) {
    const { site, id } = call;
    const network = networkOfSubnet(site.db, id);
    const left = subnetMembers(network).filter((members) => memberOf(members, 'subnet_uuid') !== id);
    turning(
      () => keep(call, network, left),
      () => new NeutronFault('SubnetInUse', { subnet_id: id }),
    );
  },
  list({ site, filters }) {
    const networkId = firstOf(filters, 'network_id');
    const id = firstOf(filters, 'id');
    const network = id === undefined ? undefined : lookUp(site.db, id);
    const found =
      networkId !== undefined
        ? [site.db.typed('virtual-network', networkId)]
        : network
          ? [network]
          : site.db.all('virtual-network');
    return [...found].flatMap((one) => (one ? subnetMembers(one).map((members) => show(one, members)) : []));
  },
  filters: ['id', 'name', 'tenant_id', 'project_id', 'network_id', 'cidr', 'ip_version', 'shared'],
};

function newSubnet(at: string, uuid: string, resource: Members): Members {
  const cidr = String(resource['cidr']);
  const [prefix = '', length = ''] = cidr.split('/');
  const { version } = turning(() => range(cidr), usualFault);
  const none = version === 4 ? '0.0.0.0' : '::';
  return {
    subnet: { ip_prefix: prefix, ip_prefix_len: Number(length) },
    ...('gateway_ip' in resource ? { default_gateway: textOf(resource['gateway_ip']) ?? none } : {}),
    ...{ subnet_uuid: uuid, enable_dhcp: resource['enable_dhcp'] !== false, dns_nameservers: [] },
    ...{ allocation_pools: [], addr_from_start: true, dhcp_option_list: null, host_routes: null },
    ...{ subnet_name: textOf(resource['name']) ?? '', alloc_unit: 1, created: at, last_modified: at },
    ...{ subscriber_tag: null, vlan_tag: null, dhcp_relay_server: [], ...changesOf(resource) },
  };
}

/** What may change on a subnet. */
function changesOf(resource: Members): Members {
  const routes = listOf(resource['host_routes']).map((route) => ({
    prefix: memberOf(route, 'destination'),
    next_hop: memberOf(route, 'nexthop'),
  }));
  return {
    ...('name' in resource && { subnet_name: resource['name'] ?? '' }),
    ...('enable_dhcp' in resource && { enable_dhcp: resource['enable_dhcp'] === true }),
    ...(listOf(resource['allocation_pools']).length > 0 && { allocation_pools: resource['allocation_pools'] ?? [] }),
    ...('dns_nameservers' in resource && { dns_nameservers: listOf(resource['dns_nameservers']) }),
    ...(routes.length > 0 && { host_routes: { route: routes } }),
  };
}

function keep(call: NeutronCall, network: Entity, members: readonly Json[]): void {
  const ipam = call.site.db.named('network-ipam', IPAM);
  const attr = { ipam_subnets: members, host_routes: null };
  change(call, network, { network_ipam_refs: ipam && members.length > 0 ? [refTo(ipam, attr)] : [] });
}

function subnetMembers(network: Entity): Json[] {
  const links = [...(network.refs.get('network-ipam')?.values() ?? [])];
  return links.flatMap(({ attr }) => [...listOf(memberOf(attr, 'ipam_subnets'))]);
}

function findMembers(network: Entity, id: string): Json {
  return subnetMembers(network).find((members) => memberOf(members, 'subnet_uuid') === id) ?? null;
}

/** Networks by their subnets, as far as somebody has asked. */
const known = new WeakMap<Database, Map<string, string>>();

function remember(db: Database, subnet: string, network: string): void {
  known.set(db, (known.get(db) ?? new Map<string, string>()).set(subnet, network));
}

function lookUp(db: Database, id: string): Entity | undefined {
  const has = (network: Entity | undefined): network is Entity =>
    network !== undefined && subnetsOf(network).some(({ uuid }) => uuid === id);
  const remembered = db.get(known.get(db)?.get(id) ?? '');
  if (has(remembered)) return remembered;
  const found = [...db.all('virtual-network')].find(has);
  if (found) remember(db, id, found.uuid);
  return found;
}

/** @throws NeutronFault SubnetNotFound */
function networkOfSubnet(db: Database, id: string): Entity {
  const network = lookUp(db, id);
  if (!network) throw new NeutronFault('SubnetNotFound', { subnet_id: id });
  return network;
}

function show(network: Entity, members: Json): Members {
  const subnet = readSubnet(members);
  const given = listOf(memberOf(members, 'allocation_pools'));
  const hasGateway = subnet.gateway !== '0.0.0.0' && subnet.gateway !== '::';
  const routes = listOf(memberOf(memberOf(members, 'host_routes'), 'route'));
  return {
    ...{ id: subnet.uuid, name: memberOf(members, 'subnet_name') ?? '', tenant_id: tenantOf(network) },
    ...{ network_id: network.uuid, ip_version: subnet.version, cidr: subnet.cidr },
    allocation_pools: given.length > 0 ? given : wholePools(subnet, hasGateway),
    ...{ gateway_ip: hasGateway ? subnet.gateway : null, enable_dhcp: memberOf(members, 'enable_dhcp') === true },
    ...{ ipv6_ra_mode: null, ipv6_address_mode: null, dns_nameservers: listOf(memberOf(members, 'dns_nameservers')) },
    host_routes: routes.map((route) => ({
      destination: memberOf(route, 'prefix'),
      nexthop: memberOf(route, 'next_hop'),
    })),
    ...{ shared: network.properties.get('is_shared') === true, tags: [] },
    ...{ created_at: memberOf(members, 'created'), updated_at: memberOf(members, 'last_modified') },
    dns_server_address: subnet.dns,
  };
}

/** Everything but the network's address, the last one and the gateway's. */
function wholePools({ first, last, version, gateway }: Subnet, hasGateway: boolean): Json[] {
  const from = first + 1n;
  const to = last - 1n;
  const pool = (start: bigint, end: bigint): Json[] =>
    start > end ? [] : [{ start: toAddress(start, version), end: toAddress(end, version) }];
  if (!hasGateway) return pool(from, to);
  const at = toNumber(gateway);
  return at < from || at > to ? pool(from, to) : [...pool(from, at - 1n), ...pool(at + 1n, to)];
}
