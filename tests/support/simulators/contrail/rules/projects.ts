import type { Entity } from '../database';
import type { Json } from '../json';
import { permissionsOf, type Site, withoutDashes } from '../site';
import type { Rules } from './rules';

const ANY_PORT = [{ start_port: 0, end_port: 65_535 }];
const DEFAULT_GROUP = 'default';
const DEFAULT_SET = 'default-application-policy-set';

/** Numbers of security groups in the forwarding plane. */
let nextGroupNumber = 8_000_000;

export const SECURITY_GROUP_RULES: Rules = {
  check(_site, { properties }) {
    nextGroupNumber += 1;
    properties.set('security_group_id', nextGroupNumber);
  },
};

export const PROJECT_RULES: Rules = {
  check(_site, draft) {
    draft.perms2 = { ...draft.perms2, owner: withoutDashes(draft.uuid) };
  },
  made(site, project) {
    // The real server writes this one owner with its dashes.
    const group = addChild(site, project, 'security-group', DEFAULT_GROUP, project.uuid);
    group.description = 'Default security group';
    nextGroupNumber += 1;
    group.properties.set('security_group_id', nextGroupNumber);
    group.properties.set('security_group_entries', { policy_rule: defaultRules(site, group.fqName.join(':')) });
    const set = addChild(site, project, 'application-policy-set', DEFAULT_SET, withoutDashes(project.uuid));
    site.db.link(project, 'application-policy-set', set.uuid, { attr: null, relaxed: false });
  },
  leave({ db }, project) {
    for (const uuids of [...db.childrenOf(project.uuid).values()]) {
      for (const uuid of [...uuids]) {
        const child = db.get(uuid);
        if (child) db.remove(child);
      }
    }
  },
  ownsChild: ({ type, fqName }) =>
    (type === 'security-group' && fqName.at(-1) === DEFAULT_GROUP) ||
    (type === 'application-policy-set' && fqName.at(-1) === DEFAULT_SET),
};

function addChild({ db, newUuid, now }: Site, project: Entity, type: string, name: string, owner: string): Entity {
  const at = db.stamp();
  const child: Entity = {
    ...{ type, uuid: newUuid(), fqName: [...project.fqName, name], parent: { type: 'project', uuid: project.uuid } },
    properties: new Map<string, Json>([['display_name', name]]),
    refs: new Map(),
    perms2: permissionsOf(owner),
    description: null,
    createdAt: now(),
    created: at,
    lastModified: at,
  };
  db.insert(child);
  return child;
}

/** In from the group itself, out to everywhere. */
function defaultRules(site: Site, group: string): Json[] {
  const inward = (ethertype: string): Json => ruleOf(site, ethertype, toGroup(group), toGroup('local'));
  const outward = (ethertype: string, prefix: string): Json =>
    ruleOf(site, ethertype, toGroup('local'), { ...toGroup(null), subnet: { ip_prefix: prefix, ip_prefix_len: 0 } });
  return [inward('IPv4'), inward('IPv6'), outward('IPv4', '0.0.0.0'), outward('IPv6', '::')];
}

function toGroup(name: string | null) {
  return { subnet: null, virtual_network: null, security_group: name, network_policy: null, subnet_list: [] };
}

function ruleOf({ newUuid }: Site, ethertype: string, from: Json, to: Json): Json {
  return {
    ...{ rule_sequence: null, rule_uuid: newUuid(), direction: '>', protocol: 'any', application: [], ethertype },
    ...{ src_addresses: [from], src_ports: ANY_PORT, dst_addresses: [to], dst_ports: ANY_PORT },
    ...{ action_list: null, created: null, last_modified: null, description: null },
  };
}
