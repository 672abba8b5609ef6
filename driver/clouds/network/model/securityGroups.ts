import { NeutronError, securityGroupNotFound, securityGroupRuleNotFound } from './errors';
import type { NetworkModel } from './model';
import {
  type Naming,
  revise,
  type SecurityGroupRecord,
  type SecurityGroupRuleRecord,
  standardAttributes,
  toNeutronTime,
} from './records';

/** What a rule is made of; what is absent means "any". */
export interface NewRule {
  readonly direction: SecurityGroupRuleRecord['direction'];
  readonly ethertype?: SecurityGroupRuleRecord['ethertype'] | undefined;
  readonly protocol?: string | null | undefined;
  readonly port_range_min?: number | null | undefined;
  readonly port_range_max?: number | null | undefined;
  readonly remote_ip_prefix?: string | null | undefined;
  readonly remote_group_id?: string | null | undefined;
  readonly description?: string | undefined;
}

/** The group that every project has and that a port gets when it names none. */
const DEFAULT = 'default';

/** @throws NeutronError 404 */
export function getSecurityGroup({ securityGroups }: NetworkModel, id: string): SecurityGroupRecord {
  const group = securityGroups.get(id);
  if (!group) throw securityGroupNotFound(id);
  return group;
}

/** The project's default group, made at its first use: open among its members, and outwards. */
export function ensureDefaultGroup(model: NetworkModel, projectId: string): Promise<SecurityGroupRecord> {
  const known = model.securityGroups.by('project_id', projectId).find(({ name }) => name === DEFAULT);
  if (known) return Promise.resolve(known);
  const underWay = model.defaultGroups.get(projectId);
  if (underWay) return underWay;

  const made = makeGroup(model, { name: DEFAULT, projectId, description: 'Default security group' }, true).finally(() =>
    model.defaultGroups.delete(projectId),
  );
  model.defaultGroups.set(projectId, made);
  return made;
}

/** @throws NeutronError 409 for a second group named "default" */
export async function createSecurityGroup(
  model: NetworkModel,
  request: Naming & { readonly stateful?: boolean | undefined },
): Promise<SecurityGroupRecord> {
  await ensureDefaultGroup(model, request.projectId);
  if (request.name === DEFAULT) {
    throw new NeutronError(409, 'SecurityGroupDefaultAlreadyExists', 'Default security group already exists.');
  }
  return makeGroup(model, request, false);
}

/** @throws NeutronError 404, or 409 when the default group would get another name */
export async function updateSecurityGroup(
  model: NetworkModel,
  id: string,
  change: Partial<SecurityGroupRecord>,
): Promise<SecurityGroupRecord> {
  const group = getSecurityGroup(model, id);
  if (group.name === DEFAULT && (change.name ?? DEFAULT) !== DEFAULT) {
    throw new NeutronError(409, 'SecurityGroupCannotUpdateDefault', 'Updating default security group not allowed.');
  }
  const updated = revise(group, change, model.now());
  await model.securityGroups.put(updated);
  return updated;
}

/** @throws NeutronError 404, or 409 for a default group and for one that a port has */
export async function deleteSecurityGroup(model: NetworkModel, id: string): Promise<void> {
  const group = getSecurityGroup(model, id);
  if (group.name === DEFAULT) {
    throw new NeutronError(
      409,
      'SecurityGroupCannotRemoveDefault',
      'Insufficient rights for removing default security group.',
    );
  }
  if (model.ports.by('security_group', id).length > 0) {
    throw new NeutronError(409, 'SecurityGroupInUse', `Security Group ${id} in use.`);
  }
  await model.securityGroups.remove(id);
}

/** @throws NeutronError 404 */
export function getRule(model: NetworkModel, id: string): SecurityGroupRuleRecord {
  const [group] = model.securityGroups.by('rule', id);
  const rule = group?.security_group_rules.find((candidate) => candidate.id === id);
  if (!rule) throw securityGroupRuleNotFound(id);
  return rule;
}

/** @throws NeutronError 404 for an unknown group, 409 for a rule it has already */
export async function addRule(
  model: NetworkModel,
  groupId: string,
  request: NewRule,
): Promise<SecurityGroupRuleRecord> {
  const group = getSecurityGroup(model, groupId);
  if (request.remote_group_id) getSecurityGroup(model, request.remote_group_id);
  const rule = buildRule(model, group, request);
  const twin = group.security_group_rules.find((existing) => meansTheSame(existing, rule));
  if (twin) {
    throw new NeutronError(
      409,
      'SecurityGroupRuleExists',
      `Security group rule already exists. Rule id is ${twin.id}.`,
    );
  }
  const change = { security_group_rules: [...group.security_group_rules, rule] };
  await model.securityGroups.put(revise(group, change, model.now()));
  return rule;
}

/** @throws NeutronError 404 */
export async function removeRule(model: NetworkModel, id: string): Promise<void> {
  const group = getSecurityGroup(model, getRule(model, id).security_group_id);
  const security_group_rules = group.security_group_rules.filter((rule) => rule.id !== id);
  await model.securityGroups.put(revise(group, { security_group_rules }, model.now()));
}

async function makeGroup(
  model: NetworkModel,
  request: Naming & { readonly stateful?: boolean | undefined },
  openToItself: boolean,
): Promise<SecurityGroupRecord> {
  const bare: SecurityGroupRecord = {
    ...standardAttributes(request, model.newId(), model.now()),
    stateful: request.stateful ?? true,
    security_group_rules: [],
  };
  const rules = (['IPv4', 'IPv6'] as const).flatMap((ethertype): NewRule[] => [
    { direction: 'egress', ethertype },
    ...(openToItself ? [{ direction: 'ingress' as const, ethertype, remote_group_id: bare.id }] : []),
  ]);
  const group = { ...bare, security_group_rules: rules.map((rule) => buildRule(model, bare, rule)) };
  await model.securityGroups.put(group);
  return group;
}

function buildRule(model: NetworkModel, group: SecurityGroupRecord, request: NewRule): SecurityGroupRuleRecord {
  const at = toNeutronTime(model.now());
  return {
    id: model.newId(),
    project_id: group.project_id,
    tenant_id: group.project_id,
    security_group_id: group.id,
    direction: request.direction,
    ethertype: request.ethertype ?? 'IPv4',
    protocol: request.protocol ?? null,
    port_range_min: request.port_range_min ?? null,
    port_range_max: request.port_range_max ?? null,
    remote_ip_prefix: request.remote_ip_prefix ?? null,
    remote_group_id: request.remote_group_id ?? null,
    description: request.description ?? '',
    created_at: at,
    updated_at: at,
    revision_number: 0,
  };
}

function meansTheSame(one: SecurityGroupRuleRecord, other: SecurityGroupRuleRecord): boolean {
  const attributes = [
    'direction',
    'ethertype',
    'protocol',
    'port_range_min',
    'port_range_max',
    'remote_ip_prefix',
    'remote_group_id',
  ] as const;
  return attributes.every((attribute) => one[attribute] === other[attribute]);
}
