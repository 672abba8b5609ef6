import { UnavailableError } from '../../domain/errors';
import type { ImageDriver } from '../image/port';
import type { OpenstackService } from '../openstack/service';
import { type Ask, accepted, createAsk, readIn } from './nova/answers';
import { NovaError } from './nova/errors';
import { createInterfaces } from './nova/interfaces';
import { segment } from './nova/paths';
import { fromRequest } from './nova/requests';
import { createServerGroups, inProject, listOwned, remove } from './nova/serverGroups';
import type { NovaSettings } from './nova/settings';
import { ActionsView, CreatedView, FlavorsView, ServersView, ServerView, toServer } from './nova/views';
import { ANY_PROJECT, type ComputeDriver, type InProject, type Server, type ServerRequest } from './port';

export interface NovaDeps {
  /** Its address ends with the version: `/v2.1`. */
  readonly service: OpenstackService;
  readonly images: Pick<ImageDriver, 'findImage'>;
  readonly settings: NovaSettings;
}

/** Servers of one page: Nova's own maximum. */
const PAGE = 1_000;

/**
 * Servers of Nova, in the project of this service or, as an admin, in those of its users. What Nova refuses is a NovaError with its status and text; that no
 * host can take a server, the server tells later by its status and fault.
 */
export function createNovaDriver({ service, images, settings }: NovaDeps): ComputeDriver {
  const ask = createAsk(service);
  const serverGroupFor = createServerGroups(ask, settings);
  return {
    bootsNothing: false,
    async prepareGroup(groupId, projectId) {
      await serverGroupFor(groupId, projectId ?? undefined);
    },
    listServers: (where = null) => listServers(ask, settings.owner, where),
    async createServer(request) {
      const imageId = await findImageId(images, settings, request);
      const flavorId = await findFlavorId(ask, settings, request);
      const serverGroupId = await serverGroupFor(request.groupId, request.projectId);
      const body = fromRequest(request, settings, { imageId, flavorId, serverGroupId });
      const call = { method: 'POST', path: '/servers', body, ...inProject(request.projectId) } as const;
      const { server } = readIn(await ask.ok(call), CreatedView);
      const { engineId, name } = request;
      return { id: server.id, engineId, name, status: 'BUILD', managementAddress: null, host: null, fault: null };
    },
    async deleteServer(id) {
      const answer = await ask.any({ method: 'DELETE', path: `/servers/${segment(id)}` });
      if (answer.status !== 404) accepted(answer);
    },
    async rebootServer(id, how) {
      const body = { reboot: { type: how === 'soft' ? 'SOFT' : 'HARD' } };
      await ask.ok({ method: 'POST', path: `/servers/${segment(id)}/action`, body });
    },
    findServer: (id) => findServer(ask, settings.owner, id),
    wasRebuilt: (id) => wasRebuilt(ask, id),
    listServerGroups: (where = null) => listOwned(ask, settings.owner, where),
    deleteServerGroup: (id) => remove(ask, id),
    ...createInterfaces(ask, settings),
  };
}

/** Asked anew for each server: an image that is uploaded serves the next one. */
async function findImageId(
  images: NovaDeps['images'],
  { image: { tag: configured, ownerId } }: NovaSettings,
  { imageTag: tag = configured }: ServerRequest,
): Promise<string> {
  const image = await images.findImage({ tag, ...(ownerId === null ? {} : { ownerId }) });
  if (image) return image.id;
  const whose = ownerId === null ? '' : ` of project ${ownerId}`;
  throw new NovaError(404, 'imageNotFound', `There is no active image${whose} with the tag "${tag}".`);
}

/** Flavors of one page. */
const FLAVORS = 1_000;

/** Nova takes ids alone; people know names. */
async function findFlavorId(ask: Ask, settings: NovaSettings, { flavorId: wanted }: ServerRequest): Promise<string> {
  if (wanted === undefined) return settings.flavorId;
  const byId = await ask.any({ method: 'GET', path: `/flavors/${segment(wanted)}` });
  if (byId.status !== 404) {
    accepted(byId);
    return wanted;
  }
  for (let marker = ''; ; ) {
    const query = new URLSearchParams({ limit: String(FLAVORS), is_public: 'None', ...(marker && { marker }) });
    const { flavors } = readIn(await ask.ok({ method: 'GET', path: `/flavors?${query}` }), FlavorsView);
    const named = flavors.find(({ name }) => name === wanted);
    if (named) return named.id;
    marker = flavors.at(-1)?.id ?? '';
    if (flavors.length < FLAVORS) throw new NovaError(404, 'itemNotFound', `There is no flavor ${wanted}.`);
  }
}

async function findServer(ask: Ask, owner: string, id: string): Promise<Server | undefined> {
  const answer = await ask.any({ method: 'GET', path: `/servers/${segment(id)}` });
  if (answer.status === 404) return undefined;
  return toServer(readIn(accepted(answer).body, ServerView).server, owner);
}

/** What gives a server a disk that is not the one it had. */
const REBUILDING = ['rebuild', 'evacuate'];

async function wasRebuilt(ask: Ask, id: string): Promise<boolean> {
  const answer = await ask.any({ method: 'GET', path: `/servers/${segment(id)}/os-instance-actions` });
  if (answer.status === 404) return false;
  const { instanceActions } = readIn(accepted(answer).body, ActionsView);
  return instanceActions.some(({ action }) => REBUILDING.includes(action));
}

/** All of a project, sorted out here: not every Nova lets a server that waits to be scheduled pass a filter by tags. */
async function listServers(ask: Ask, owner: string, where: InProject): Promise<Server[]> {
  if (where !== ANY_PROJECT)
    return readServers(ask, owner, where === null ? {} : { all_tenants: '1', project_id: where });
  // A whole cloud is too much to be sorted out. Who removes the tag in another project hides the server from here.
  const tagged = await readServers(ask, owner, { all_tenants: '1', tags: owner });
  const own = await readServers(ask, owner, {});
  return [...new Map([...tagged, ...own].map((server) => [server.id, server])).values()];
}

async function readServers(ask: Ask, owner: string, filter: Readonly<Record<string, string>>): Promise<Server[]> {
  const servers = new Map<string, Server>();
  const query = new URLSearchParams({ ...filter, limit: String(PAGE), sort_key: 'uuid', sort_dir: 'asc' });
  for (;;) {
    const { servers: page } = readIn(await ask.ok({ method: 'GET', path: `/servers/detail?${query}` }), ServersView);
    for (const body of page) {
      const server = toServer(body, owner);
      if (server) servers.set(body.id, server);
    }
    const last = page.at(-1);
    const marker = query.get('marker');
    // A Nova with a lower maximum gives shorter pages, so only an empty one is the last. While a marker's server is being
    // scheduled, Nova may show it again behind itself.
    if (!last || (page.length === 1 && marker === last.id)) return [...servers.values()];
    if (marker === last.id) throw new UnavailableError('Nova repeats a page of servers.');
    query.set('marker', last.id);
  }
}
