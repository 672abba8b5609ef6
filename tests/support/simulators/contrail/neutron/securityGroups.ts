import type { Database, Entity } from '../database';
import { type Json, listOf, type Members, memberOf, textOf } from '../json';
import { deleteObject } from '../resources';
import { NeutronFault, turning } from './errors';
import {
  applyCommon,
  change,
  createNamed,
  firstOf,
  type NeutronCall,
  type NeutronResource,
  projectOf,
  tenantOf,
  timesOf,
} from './request';
import { fromRule, outwardRules, sameRule, showRule } from './rules';

const ENTRIES = 'security_group_entries';

export const securityGroups: NeutronResource = {
  async create(call) {
    const { resource, site } = call;
    const project = await projectOf(call);
    const group = createNamed(call, 'security-group', project, {
      name: textOf(resource['name']) ?? '',
      [ENTRIES]: { policy_rule: outwardRules(site) },
    });
    applyCommon(group, resource);
    return show(site.db, group);
  },
  read: ({ site, id }) => show(site.db, groupOf(site.db, id)),
  update(call) {
    const { site, id, resource } = call;
    const group = groupOf(site.db, id);
    if (typeof resource['name'] === 'string') change(call, group, { display_name: resource['name'] });
    applyCommon(group, resource);
    return show(site.db, group);
  },
  remove({ site, id, caller }) {
    const group = groupOf(site.db, id);
    if (group.fqName.at(-1) === 'default') throw new NeutronFault('SecurityGroupCannotRemoveDefault', {});
    turning(
      () => deleteObject(site, group, caller),
      () => new NeutronFault('SecurityGroupInUse', { id }),
    );
  },
  list: ({ site }) => [...site.db.all('security-group')].map((group) => show(site.db, group)),
  filters: ['id', 'name', 'tenant_id', 'project_id'],
};

export const securityGroupRules: NeutronResource = {
  async create(call) {
    const { site, resource } = call;
    const group = groupOf(site.db, textOf(resource['security_group_id']) ?? '');
    const rule = fromRule(site, resource);
    const there = rulesOf(group).find((one) => sameRule(one, rule));
    if (there) {
      const id = memberOf(there, 'rule_uuid');
      throw new NeutronFault('SecurityGroupRuleExists', { resource: 'security_group_rule', id });
    }
    keep(call, group, [...rulesOf(group), rule]);
    return showRule(site.db, group, rule);
  },
  read({ site, id }) {
    const { group, rule } = find(site.db, id);
    return showRule(site.db, group, rule);
  },
  remove(call) {
    const { group, rule } = find(call.site.db, call.id);
    keep(
      call,
      group,
      rulesOf(group).filter((one) => one !== rule),
    );
  },
  list({ site, filters }) {
    const id = firstOf(filters, 'security_group_id');
    const groups = id === undefined ? [...site.db.all('security-group')] : [groupOf(site.db, id)];
    return groups.flatMap((group) => rulesOf(group).map((rule) => showRule(site.db, group, rule)));
  },
  filters: ['id', 'security_group_id', 'tenant_id', 'project_id', 'direction'],
};

function rulesOf(group: Entity): readonly Json[] {
  return listOf(memberOf(group.properties.get(ENTRIES), 'policy_rule'));
}

function keep(call: NeutronCall, group: Entity, rules: readonly Json[]): void {
  change(call, group, { [ENTRIES]: { policy_rule: rules } });
}

function find(db: Database, id: string): { group: Entity; rule: Json } {
  for (const group of db.all('security-group')) {
    const rule = rulesOf(group).find((one) => memberOf(one, 'rule_uuid') === id);
    if (rule) return { group, rule };
  }
  throw new NeutronFault('SecurityGroupRuleNotFound', { id });
}

function groupOf(db: Database, id: string): Entity {
  const group = db.typed('security-group', id);
  if (!group) throw new NeutronFault('SecurityGroupNotFound', { id });
  return group;
}

function show(db: Database, group: Entity): Members {
  const { uuid, properties, fqName, description } = group;
  return {
    ...{ id: uuid, name: properties.get('display_name') ?? fqName.at(-1) ?? '', tenant_id: tenantOf(group) },
    description: typeof description === 'string' ? description : '',
    security_group_rules: rulesOf(group).map((rule) => showRule(db, group, rule)),
    ...timesOf(group),
  };
}
