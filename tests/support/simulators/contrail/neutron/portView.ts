import type { Database, Entity } from '../database';
import { type Json, listOf, type Members, memberOf, textOf } from '../json';
import { targetsOf } from '../rules/rules';
import { descriptionOf, tenantOf, timesOf } from './request';

/** Neutron knows no modes: every pair it writes stands by. */
export function fromPairs(pairs: Json): Json {
  return {
    allowed_address_pair: listOf(pairs).map((pair) => {
      const [prefix = '', length] = String(memberOf(pair, 'ip_address')).split('/');
      const bits = length === undefined ? (prefix.includes(':') ? 128 : 32) : Number(length);
      return {
        ip: { ip_prefix: prefix, ip_prefix_len: bits },
        mac: textOf(memberOf(pair, 'mac_address')) ?? '',
        address_mode: 'active-standby',
      };
    }),
  };
}

function showPair(pair: Json): Members {
  const prefix = String(memberOf(memberOf(pair, 'ip'), 'ip_prefix'));
  const bits = Number(memberOf(memberOf(pair, 'ip'), 'ip_prefix_len'));
  const whole = bits === (prefix.includes(':') ? 128 : 32);
  return { mac_address: memberOf(pair, 'mac') ?? '', ip_address: whole ? prefix : `${prefix}/${bits}` };
}

export function showPort(db: Database, port: Entity): Members {
  const { uuid, properties, fqName, enable = true } = port;
  const ips = db.referrers(uuid, 'instance-ip').flatMap((one) => db.get(one) ?? []);
  const isSecondary = (ip: Entity): boolean => ip.properties.get('instance_ip_secondary') === true;
  const secondary = ips.filter(isSecondary).map(showIp);
  const device = db.get(targetsOf(port, 'virtual-machine')[0] ?? '')?.fqName.at(-1) ?? '';
  const pairs = memberOf(properties.get('virtual_machine_interface_allowed_address_pairs'), 'allowed_address_pair');
  return {
    ...{ name: properties.get('display_name') ?? '', id: uuid, tenant_id: tenantOf(port) },
    network_id: targetsOf(port, 'virtual-network')[0] ?? '',
    mac_address: listOf(memberOf(properties.get('virtual_machine_interface_mac_addresses'), 'mac_address'))[0] ?? '',
    ...bindings(port),
    allowed_address_pairs: listOf(pairs).map(showPair),
    fixed_ips: ips.filter((ip) => !isSecondary(ip)).map(showIp),
    ...(secondary.length > 0 && { secondary_ips: secondary }),
    security_groups: targetsOf(port, 'security-group'),
    ...{ admin_state_up: enable, device_id: device, status: device === '' ? 'DOWN' : 'ACTIVE', fq_name: fqName },
    device_owner: properties.get('virtual_machine_interface_device_owner') ?? '',
    port_security_enabled: properties.get('port_security_enabled') !== false,
    ...descriptionOf(port),
    ...timesOf(port),
  };
}

function showIp({ properties }: Entity): Members {
  return { ip_address: properties.get('instance_ip_address') ?? '', subnet_id: properties.get('subnet_uuid') ?? '' };
}

function bindings({ properties }: Entity): Members {
  const pairs = listOf(memberOf(properties.get('virtual_machine_interface_bindings'), 'key_value_pair'));
  const value = (key: string): Json => {
    return memberOf(pairs.find((pair) => memberOf(pair, 'key') === key) ?? null, 'value');
  };
  const host = value('host_id');
  return {
    'binding:vnic_type': value('vnic_type') ?? 'normal',
    'binding:vif_details': { port_filter: true },
    'binding:vif_type': host === null ? 'unbound' : 'vrouter',
    'binding:host_id': host,
  };
}
