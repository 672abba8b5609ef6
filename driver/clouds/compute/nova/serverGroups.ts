import type { z } from 'zod';
import type { ServerGroup } from '../port';
import { type Ask, accepted, readIn } from './answers';
import { segment } from './paths';
import type { NovaSettings } from './settings';
import { ServerGroupsView, ServerGroupView } from './views';

/** Server groups of one page. */
const PAGE = 1_000;

/** Finds or makes the server group of a service engine group; null where hosts need not differ. */
export function createServerGroups(ask: Ask, { owner, antiAffinity: policy }: NovaSettings) {
  const underWay = new Map<string, Promise<string>>();
  return async (groupId: string | undefined): Promise<string | null> => {
    if (policy === null || groupId === undefined) return null;
    const name = `${owner}-${groupId}`;
    const known = underWay.get(name);
    if (known) return known;
    const search = findOrMake(ask, { name, policy }).finally(() => underWay.delete(name));
    underWay.set(name, search);
    return search;
  };
}

/**
 * Nova takes any number of groups of one name, so whoever calls sees to it that nobody else does so for the same name
 * meanwhile: in this process by the search under way, among processes by a lease (`prepareGroup` of the port).
 */
async function findOrMake(ask: Ask, wanted: { readonly name: string; readonly policy: string }): Promise<string> {
  const [known] = await listByName(ask, wanted.name);
  if (known !== undefined) return known;
  const answer = await ask.ok({ method: 'POST', path: '/os-server-groups', body: { server_group: wanted } });
  return readIn(answer, ServerGroupView).server_group.id;
}

/** One that is not there counts as removed. */
export async function remove(ask: Ask, id: string): Promise<void> {
  const answer = await ask.any({ method: 'DELETE', path: `/os-server-groups/${segment(id)}` });
  if (answer.status !== 404) accepted(answer);
}

/** Those of this owner, by the names it gives them. */
export async function listOwned(ask: Ask, owner: string): Promise<ServerGroup[]> {
  const prefix = `${owner}-`;
  return (await listAll(ask))
    .filter(({ name }) => name.startsWith(prefix) && UUID.test(name.slice(prefix.length)))
    .map(({ id, name, members }) => ({ id, groupId: name.slice(prefix.length), servers: members.length }));
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Ids in an order that everybody sees. */
async function listByName(ask: Ask, name: string): Promise<string[]> {
  return (await listAll(ask))
    .filter((group) => group.name === name)
    .map(({ id }) => id)
    .sort();
}

async function listAll(ask: Ask): Promise<z.infer<typeof ServerGroupsView>['server_groups']> {
  const groups: z.infer<typeof ServerGroupsView>['server_groups'] = [];
  for (let offset = 0; ; offset += PAGE) {
    const path = `/os-server-groups?limit=${PAGE}&offset=${offset}`;
    const { server_groups: page } = readIn(await ask.ok({ method: 'GET', path }), ServerGroupsView);
    groups.push(...page);
    if (page.length < PAGE) return groups;
  }
}
