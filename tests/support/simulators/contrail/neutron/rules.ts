import type { Database, Entity } from '../database';
import { type Json, listOf, type Members, memberOf, textOf } from '../json';
import type { Site } from '../site';
import { NeutronFault } from './errors';
import { tenantOf } from './request';

const ALL_PORTS = { start_port: 0, end_port: 65_535 };

function end(group: string | null, prefix: Json = null): Members {
  return { subnet: prefix, virtual_network: null, security_group: group, network_policy: null, subnet_list: [] };
}

/** Everything out: what every group has from the start. */
export function outwardRules(site: Site): Json[] {
  return [
    { ethertype: 'IPv4', remote_ip_prefix: '0.0.0.0/0' },
    { ethertype: 'IPv6', remote_ip_prefix: '::/0' },
  ].map((rule) => fromRule(site, { ...rule, direction: 'egress' }));
}

/** A rule of Neutron as one of a policy: the group itself is the end called "local". */
export function fromRule({ db, newUuid }: Site, rule: Members): Json {
  const ethertype = textOf(rule['ethertype']) ?? 'IPv4';
  const min = rule['port_range_min'];
  const max = rule['port_range_max'];
  const ports =
    typeof min === 'number' ? { start_port: min, end_port: typeof max === 'number' ? max : min } : ALL_PORTS;
  const remote = remoteEnd(db, rule, ethertype);
  const inward = rule['direction'] === 'ingress';
  return {
    ...{ rule_sequence: null, rule_uuid: textOf(rule['id']) ?? newUuid(), direction: '>', application: [], ethertype },
    protocol: textOf(rule['protocol']) ?? (typeof rule['protocol'] === 'number' ? String(rule['protocol']) : 'any'),
    ...{ src_addresses: [inward ? remote : end('local')], src_ports: [ALL_PORTS] },
    ...{ dst_addresses: [inward ? end('local') : remote], dst_ports: [ports] },
    ...{ action_list: null, created: null, last_modified: null, description: null },
  };
}

function remoteEnd(db: Database, rule: Members, ethertype: string): Members {
  const groupId = textOf(rule['remote_group_id']);
  if (groupId !== undefined) {
    const group = db.typed('security-group', groupId);
    if (!group) throw new NeutronFault('SecurityGroupNotFound', { id: groupId });
    return end(group.fqName.join(':'));
  }
  const prefix = textOf(rule['remote_ip_prefix']) ?? (ethertype === 'IPv6' ? '::/0' : '0.0.0.0/0');
  const [address = '', length] = prefix.split('/');
  return end(null, { ip_prefix: address, ip_prefix_len: Number(length ?? (address.includes(':') ? 128 : 32)) });
}

export function sameRule(one: Json, other: Json): boolean {
  const bare = (rule: Json): string => JSON.stringify({ ...(rule as Members), rule_uuid: null });
  return bare(one) === bare(other);
}

export function showRule(db: Database, group: Entity, rule: Json): Members {
  const source = listOf(memberOf(rule, 'src_addresses'))[0] ?? null;
  const inward = memberOf(source, 'security_group') !== 'local';
  const remote = inward ? source : (listOf(memberOf(rule, 'dst_addresses'))[0] ?? null);
  const ports = listOf(memberOf(rule, 'dst_ports'))[0] ?? null;
  const subnet = memberOf(remote, 'subnet');
  const remoteGroup = textOf(memberOf(remote, 'security_group'));
  const protocol = memberOf(rule, 'protocol');
  return {
    ...{ id: memberOf(rule, 'rule_uuid'), tenant_id: tenantOf(group), security_group_id: group.uuid },
    ...{ ethertype: memberOf(rule, 'ethertype'), direction: inward ? 'ingress' : 'egress', protocol },
    ...{ port_range_min: memberOf(ports, 'start_port'), port_range_max: memberOf(ports, 'end_port') },
    remote_ip_prefix: subnet === null ? null : `${memberOf(subnet, 'ip_prefix')}/${memberOf(subnet, 'ip_prefix_len')}`,
    remote_group_id:
      remoteGroup === undefined ? null : (db.named('security-group', remoteGroup.split(':'))?.uuid ?? null),
    ...{ created_at: group.created, updated_at: group.lastModified },
  };
}
