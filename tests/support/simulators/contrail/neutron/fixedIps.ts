import { subnetsOf } from '../addresses';
import type { Entity } from '../database';
import type { Fault } from '../fault';
import { type Json, listOf, memberOf, textOf } from '../json';
import { type Caller, createObject, deleteObject } from '../resources';
import { permissionsOf, type Site } from '../site';
import { NeutronFault, turning } from './errors';
import { type NeutronCall, refTo, tenantOf } from './request';

/** Gives a new port its addresses: those it names, else one of each family; it is gone again if one cannot be had. */
export function addFixedIps(call: NeutronCall, port: Entity, network: Entity): void {
  const { site, resource, caller } = call;
  const asked = listOf(resource['fixed_ips']);
  const families = [...new Set(subnetsOf(network).map(({ version }) => `v${version}`))].sort();
  try {
    if (asked.length > 0) for (const ip of asked) addIp(call, port, network, wishOf(ip, network));
    else for (const family of families) addIp(call, port, network, { family });
  } catch (error) {
    removeFixedIps(site, port, caller);
    deleteObject(site, port, caller);
    throw error;
  }
}

interface Wish {
  readonly address?: string | undefined;
  readonly subnetUuid?: string | undefined;
  readonly family: string;
}

function wishOf(ip: Json, network: Entity): Wish {
  const address = textOf(memberOf(ip, 'ip_address'));
  const subnetUuid = textOf(memberOf(ip, 'subnet_id'));
  const version = subnetsOf(network).find(({ uuid }) => uuid === subnetUuid)?.version ?? 4;
  return { address, subnetUuid, family: (address?.includes(':') ?? version === 6) ? 'v6' : 'v4' };
}

function addIp({ site, caller }: NeutronCall, port: Entity, network: Entity, wish: Wish): void {
  const uuid = site.newUuid();
  const { address, subnetUuid, family } = wish;
  const refuse = ({ status, message }: Fault): NeutronFault =>
    status === 409 && address !== undefined
      ? new NeutronFault('IpAddressInUse', { net_id: network.uuid, ip_address: address })
      : new NeutronFault('BadRequest', { resource: 'port', msg: message });
  const members = {
    ...{ fq_name: [uuid], uuid, instance_ip_family: family, perms2: permissionsOf(tenantOf(port)) },
    ...(address === undefined ? {} : { instance_ip_address: address }),
    ...(subnetUuid === undefined ? {} : { subnet_uuid: subnetUuid }),
    ...{ virtual_network_refs: [refTo(network)], virtual_machine_interface_refs: [refTo(port)] },
  };
  turning(() => createObject(site, 'instance-ip', members, caller), refuse);
}

/** Takes the port's addresses; one that other ports have too only loses the link. */
export function removeFixedIps(
  site: Site,
  port: Entity,
  caller: Caller,
  which: (ip: Entity) => boolean = () => true,
): void {
  const { db } = site;
  for (const uuid of db.referrers(port.uuid, 'instance-ip')) {
    const ip = db.get(uuid);
    if (!ip || !which(ip)) continue;
    if ((ip.refs.get('virtual-machine-interface')?.size ?? 0) > 1) {
      db.unlink(ip, 'virtual-machine-interface', port.uuid);
      db.touch(ip);
    } else deleteObject(site, ip, caller);
  }
}

/** Makes the port's own addresses those that the resource names. */
export function replaceFixedIps(call: NeutronCall, port: Entity, network: Entity): void {
  const { site, resource, caller } = call;
  const { db } = site;
  const wishes = listOf(resource['fixed_ips']).map((ip) => wishOf(ip, network));
  const matches = (ip: Entity, { address, subnetUuid }: Wish): boolean =>
    address === undefined
      ? ip.properties.get('subnet_uuid') === subnetUuid
      : ip.properties.get('instance_ip_address') === address;
  const own = (ip: Entity): boolean => ip.properties.get('instance_ip_secondary') !== true;
  removeFixedIps(site, port, caller, (ip) => own(ip) && !wishes.some((wish) => matches(ip, wish)));
  for (const wish of wishes) {
    const there = db.referrers(port.uuid, 'instance-ip').some((uuid) => {
      const ip = db.get(uuid);
      return ip !== undefined && matches(ip, wish);
    });
    if (!there) addIp(call, port, network, wish);
  }
}
