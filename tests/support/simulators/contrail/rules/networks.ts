import ipaddr from 'ipaddr.js';
import { addressInUse, range, readSubnet, subnetsOf, toAddress, toNumber } from '../addresses';
import type { Entity, Link } from '../database';
import { badRequest, conflict, crash } from '../fault';
import { isMembers, type Json, listOf, type Members, memberOf, textOf } from '../json';
import { repr } from '../python';
import { PERMISSIONS, type Site } from '../site';
import { nameOf } from '../view';
import type { ChangeSet, Rules } from './rules';

/** Numbers of networks in the forwarding plane. */
let nextNetworkNumber = 4;

export const NETWORK_RULES: Rules = {
  check(site, draft) {
    refuseRouteTargets(draft.properties);
    fillSubnets(site, draft.refs.get('network-ipam'));
    if (!draft.properties.has('is_shared')) draft.properties.set('is_shared', false);
    nextNetworkNumber += 1;
    draft.properties.set('virtual_network_network_id', nextNetworkNumber);
  },
  made(site, network) {
    site.db.insert({
      ...{ type: 'routing-instance', uuid: site.newUuid(), parent: { type: network.type, uuid: network.uuid } },
      fqName: [...network.fqName, nameOf(network)],
      properties: new Map<string, Json>([
        ['display_name', nameOf(network)],
        ['routing_instance_is_default', true],
      ]),
      refs: new Map(),
      perms2: network.perms2,
      permissions: { ...PERMISSIONS, owner: 'contrail-api', group: 'admin' },
      description: null,
      createdAt: site.now(),
      created: site.db.stamp(),
      lastModified: site.db.stamp(),
    });
  },
  change(site, network, change) {
    refuseRouteTargets(change.properties);
    const links = change.refs.get('network-ipam');
    if (links) changeSubnets(site, network, links);
    shareWithAll(network, change);
  },
  leave(site, network) {
    for (const uuid of site.db.childrenOf(network.uuid).get('routing-instance') ?? []) {
      const instance = site.db.get(uuid);
      if (instance) removeInstance(site, instance);
    }
    site.db.addresses.delete(network.uuid);
  },
  ownsChild: ({ type }) => type === 'routing-instance',
};

/** The instance of a network that is gone, with what hangs below it. */
function removeInstance({ db }: Site, instance: Entity): void {
  for (const uuids of [...db.childrenOf(instance.uuid).values()]) {
    for (const uuid of [...uuids]) {
      const child = db.get(uuid);
      if (child) db.remove(child);
    }
  }
  db.remove(instance);
}

/** The primary routing instance. */
export function primaryInstance({ db }: Site, network: Entity): Entity | undefined {
  return db.named('routing-instance', [...network.fqName, nameOf(network)]);
}

function refuseRouteTargets(properties: ReadonlyMap<string, Json>): void {
  for (const name of ['route_target_list', 'import_route_target_list', 'export_route_target_list']) {
    const targets = listOf(memberOf(properties.get(name), 'route_target'));
    // The real server answers with the number of the status as if it were a body.
    if (!targets.every((target) => /^target:[^:]+:\d+$/.test(String(target)))) {
      throw crash("Unsupported response type: <class 'int'>");
    }
  }
}

/** A network that others may use is readable by everybody: only when it becomes so, not when it is made so. */
function shareWithAll(network: Entity, { properties }: ChangeSet): void {
  const access = (value: Json | undefined, granted: number): number | undefined =>
    value === true ? granted : value === false ? 0 : undefined;
  const granted = access(properties.get('is_shared'), 7) ?? access(properties.get('router_external'), 5);
  if (granted !== undefined) network.perms2 = { ...network.perms2, global_access: granted };
}

function changeSubnets(site: Site, network: Entity, links: ReadonlyMap<string, Link>): void {
  fillSubnets(site, links);
  const kept = new Set([...links.values()].flatMap(({ attr }) => listOf(memberOf(attr, 'ipam_subnets'))).map(uuidOf));
  for (const subnet of subnetsOf(network)) {
    if (kept.has(subnet.uuid)) continue;
    const address = addressInUse(site.db, network, subnet);
    if (address) throw conflict(`Cannot Delete IP Block, IP(${address}) is in use`);
  }
}

function uuidOf(subnet: Json): string {
  return textOf(memberOf(subnet, 'subnet_uuid')) ?? '';
}

/** Gives every subnet a uuid, a gateway and a DNS address. */
function fillSubnets(site: Site, links: ReadonlyMap<string, Link> | undefined): void {
  const all: Json[] = [];
  for (const link of links?.values() ?? []) {
    if (!isMembers(link.attr)) continue;
    const subnets = listOf(link.attr['ipam_subnets']).map((subnet) => fillSubnet(site, subnet));
    link.attr = { ...link.attr, ipam_subnets: subnets };
    all.push(...subnets);
  }
  refuseOverlaps(all.map((subnet) => readSubnet(subnet).cidr));
}

function fillSubnet(site: Site, given: Json): Members {
  const members = isMembers(given) ? given : {};
  const { cidr, first, last, version, fromStart } = readSubnet(given);
  const nth = (number: bigint): string => toAddress(fromStart ? first + number : last - number, version);
  const gateway = textOf(members['default_gateway']) ?? nth(1n);
  if (ipaddr.isValid(gateway) && gateway !== '0.0.0.0' && gateway !== '::') {
    const number = toNumber(gateway);
    if (number < first || number > last) throw conflict(`gateway Ip ${gateway} out of cidr: ${cidr}`);
  }
  const dns = textOf(members['dns_server_address']) ?? (gateway === nth(1n) ? nth(2n) : nth(fromStart ? 2n : 1n));
  return {
    ...members,
    subnet_uuid: textOf(members['subnet_uuid']) ?? site.newUuid(),
    default_gateway: gateway,
    dns_server_address: dns,
  };
}

function refuseOverlaps(cidrs: readonly string[]): void {
  const ranges = cidrs.map((cidr) => ({ cidr, ...range(cidr) }));
  const overlapping = ranges.some((one, index) =>
    ranges.slice(index + 1).some((other) => {
      return one.version === other.version && one.first <= other.last && other.first <= one.last;
    }),
  );
  if (overlapping) {
    throw badRequest(`Overlapping addresses: [${cidrs.map((cidr) => `IPNetwork(${repr(cidr)})`).join(', ')}]`);
  }
}
