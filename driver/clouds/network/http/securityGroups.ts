import type { NetworkDriver } from '../port';
import { type Ask, accepted, readIn } from './answers';
import { fromRule, segment } from './requests';
import { SecurityGroupsView, SecurityGroupView, toSecurityGroup } from './views';

const PATH = '/v2.0/security-groups';

/** What the driver does about security groups. */
export function securityGroupCalls(
  ask: Ask,
): Pick<
  NetworkDriver,
  'findSecurityGroup' | 'listSecurityGroups' | 'createSecurityGroup' | 'addSecurityGroupRule' | 'deleteSecurityGroup'
> {
  return {
    async findSecurityGroup(id) {
      const answer = await ask.any({ method: 'GET', path: `${PATH}/${segment(id)}` });
      if (answer.status === 404) return undefined;
      return toSecurityGroup(readIn(accepted(answer).body, SecurityGroupView).security_group);
    },
    async listSecurityGroups({ name, description, tag }) {
      const query = new URLSearchParams({
        ...(name === undefined ? {} : { name }),
        ...(description === undefined ? {} : { description }),
        ...(tag === undefined ? {} : { tags: tag }),
      });
      const body = await ask.ok({ method: 'GET', path: `${PATH}?${query}` });
      // Contrail's Neutron does not look at descriptions when it lists.
      return readIn(body, SecurityGroupsView)
        .security_groups.map(toSecurityGroup)
        .filter((group) => name === undefined || group.name === name)
        .filter((group) => description === undefined || group.description === description);
    },
    async createSecurityGroup({ name, description, projectId, tags }) {
      const group = { name, description, ...(projectId === null ? {} : { project_id: projectId }) };
      const body = await ask.ok({ method: 'POST', path: PATH, body: { security_group: group } });
      const made = toSecurityGroup(readIn(body, SecurityGroupView).security_group);
      // Whether it is tagged is for those who look; the description is what we find it by.
      await ask.any({ method: 'PUT', path: `${PATH}/${segment(made.id)}/tags`, body: { tags: [...tags] } });
      return made;
    },
    async addSecurityGroupRule(groupId, rule) {
      const answer = await ask.any({
        method: 'POST',
        path: '/v2.0/security-group-rules',
        body: fromRule(groupId, rule),
      });
      if (answer.status !== 409 || !isThere(answer.body)) accepted(answer);
    },
    async deleteSecurityGroup(id) {
      const answer = await ask.any({ method: 'DELETE', path: `${PATH}/${segment(id)}` });
      if (answer.status !== 404) accepted(answer);
    },
  };
}

/** Other conflicts are about quota. */
function isThere(body: unknown): boolean {
  return JSON.stringify(body ?? null).includes('SecurityGroupRuleExists');
}
