import type { z } from 'zod';
import type { Call } from '../../openstack/service';
import { ANY_PROJECT, type InProject, type ServerGroup } from '../port';
import { type Ask, accepted, readIn } from './answers';
import { segment } from './paths';
import type { NovaSettings } from './settings';
import { ServerGroupsView, ServerGroupView } from './views';

/** Server groups of one page. */
const PAGE = 1_000;

/** Finds or makes the server group of a service engine group in a project; null where hosts need not differ. */
export function createServerGroups(ask: Ask, { owner, antiAffinity: policy }: NovaSettings) {
  const underWay = new Map<string, Promise<string>>();
  return async (groupId: string | undefined, projectId?: string): Promise<string | null> => {
    if (policy === null || groupId === undefined) return null;
    const name = `${owner}-${groupId}`;
    const key = `${name} ${projectId ?? ''}`;
    const known = underWay.get(key);
    if (known) return known;
    const search = findOrMake(ask, { name, policy }, projectId).finally(() => underWay.delete(key));
    underWay.set(key, search);
    return search;
  };
}

/**
 * Nova takes any number of groups of one name, so whoever calls sees to it that nobody else does so for the same name
 * meanwhile: in this process by the search under way, among processes by a lease (`prepareGroup` of the port).
 */
async function findOrMake(
  ask: Ask,
  wanted: { readonly name: string; readonly policy: string },
  projectId?: string,
): Promise<string> {
  const [known] = await listByName(ask, wanted.name, projectId);
  if (known !== undefined) return known;
  const call = { method: 'POST', path: '/os-server-groups', body: { server_group: wanted } } as const;
  const answer = await ask.ok({ ...call, ...inProject(projectId) });
  return readIn(answer, ServerGroupView).server_group.id;
}

/** One that is not there counts as removed. */
export async function remove(ask: Ask, id: string): Promise<void> {
  const answer = await ask.any({ method: 'DELETE', path: `/os-server-groups/${segment(id)}` });
  if (answer.status !== 404) accepted(answer);
}

/** Of a call that is made in another project than that of this service. */
export function inProject(projectId: string | undefined): Pick<Call, 'projectId'> {
  return projectId === undefined ? {} : { projectId };
}

/** Those of this owner, by the names it gives them. */
export async function listOwned(ask: Ask, owner: string, where: InProject): Promise<ServerGroup[]> {
  const prefix = `${owner}-`;
  const groups =
    where === ANY_PROJECT ? await listAll(ask, '&all_projects=True') : await listAll(ask, '', where ?? undefined);
  return groups
    .filter(({ name }) => name.startsWith(prefix) && UUID.test(name.slice(prefix.length)))
    .map(({ id, name, members, project_id: projectId }) => ({
      id,
      groupId: name.slice(prefix.length),
      servers: members.length,
      projectId,
    }));
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Ids in an order that everybody sees. */
async function listByName(ask: Ask, name: string, projectId?: string): Promise<string[]> {
  return (await listAll(ask, '', projectId))
    .filter((group) => group.name === name)
    .map(({ id }) => id)
    .sort();
}

async function listAll(
  ask: Ask,
  filter: string,
  projectId?: string,
): Promise<z.infer<typeof ServerGroupsView>['server_groups']> {
  const groups: z.infer<typeof ServerGroupsView>['server_groups'] = [];
  for (let offset = 0; ; offset += PAGE) {
    const path = `/os-server-groups?limit=${PAGE}&offset=${offset}${filter}`;
    const call = { method: 'GET', path, ...inProject(projectId) } as const;
    const { server_groups: page } = readIn(await ask.ok(call), ServerGroupsView);
    groups.push(...page);
    if (page.length < PAGE) return groups;
  }
}
