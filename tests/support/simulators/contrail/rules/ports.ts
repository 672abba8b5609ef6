import { subnetsOf } from '../addresses';
import type { Database, Entity } from '../database';
import { badRequest, crash } from '../fault';
import { type Json, listOf, memberOf, textOf } from '../json';
import { primaryInstance } from './networks';
import { type Rules, targetsOf, valueAfter } from './rules';

const PAIRS = 'virtual_machine_interface_allowed_address_pairs';
const MAC = 'virtual_machine_interface_mac_addresses';

/** What the server writes into the link of a port to its network's routing instance. */
const BOTH_WAYS: Json = {
  ...{ direction: 'both', vlan_tag: null, src_mac: null, dst_mac: null, mpls_label: null },
  ...{ service_chain_address: null, ipv6_service_chain_address: null, protocol: null },
};

export const PORT_RULES: Rules = {
  body(members) {
    const networks = members['virtual_network_refs'];
    if (networks === undefined || networks === null) throw crash("KeyError: 'virtual_network_refs'");
    if (listOf(networks).length === 0) throw crash('IndexError: list index out of range');
  },
  check(site, draft) {
    refuseUnguardedPairs(draft.properties.get('port_security_enabled') ?? null, draft.properties.get(PAIRS) ?? null);
    if (listOf(memberOf(draft.properties.get(MAC), 'mac_address')).length === 0) {
      draft.properties.set(MAC, { mac_address: [macOf(draft.uuid)] });
    }
    const network = site.db.get(targetsOf(draft, 'virtual-network')[0] ?? '');
    const instance = network && primaryInstance(site, network);
    if (instance) draft.refs.set('routing-instance', new Map([[instance.uuid, { attr: BOTH_WAYS, relaxed: false }]]));
  },
  change(_site, port, change) {
    refuseUnguardedPairs(valueAfter(port, change, 'port_security_enabled'), valueAfter(port, change, PAIRS));
  },
  links(site, port, refType, uuids) {
    if (refType === 'virtual-machine') refuseGatewayOfMachine(site.db, port);
    if (refType === 'service-health-check') refuseRemoteChecks(site.db, port, uuids);
  },
};

/** The address that is made of the first five bytes of a uuid. */
function macOf(uuid: string): string {
  const bytes = uuid.replaceAll('-', '').match(/../g) ?? [];
  return ['02', ...bytes.slice(0, 5)].join(':');
}

function refuseUnguardedPairs(portSecurity: Json, pairs: Json): void {
  if (portSecurity === false && listOf(memberOf(pairs, 'allowed_address_pair')).length > 0) {
    throw badRequest('Allowed address pairs are not allowed when port security is disabled');
  }
}

function refuseGatewayOfMachine(db: Database, port: Entity): void {
  for (const uuid of db.referrers(port.uuid, 'instance-ip')) {
    const ip = db.get(uuid);
    if (ip && hasGateway(db, ip)) throw badRequest('Gateway IP cannot be used by VM port');
  }
}

/** Whether the instance IP has the address of a gateway. */
export function hasGateway(db: Database, ip: Entity): boolean {
  const address = textOf(ip.properties.get('instance_ip_address'));
  const network = db.get(targetsOf(ip, 'virtual-network')[0] ?? '');
  return network !== undefined && subnetsOf(network).some(({ gateway }) => gateway === address);
}

/** A port of an ordinary machine takes only checks that the vRouter beside it makes. */
function refuseRemoteChecks(db: Database, port: Entity, uuids: readonly string[]): void {
  for (const uuid of uuids) {
    const properties = db.get(uuid)?.properties.get('service_health_check_properties');
    if (memberOf(properties, 'health_check_type') === 'link-local') continue;
    const who = `Virtual machine interface(${port.uuid})`;
    throw badRequest(`${who} of non service vm can only refer link-local type service health check`);
  }
}
