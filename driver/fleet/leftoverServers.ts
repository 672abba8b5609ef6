import type { Logger } from 'pino';
import { ANY_PROJECT, type ComputeDriver, type InProject } from '../clouds/compute/port';
import { ENGINE_PORT_OWNER, type NetworkDriver } from '../clouds/network/port';
import type { Db } from '../db/connect';
import { findEngine, hasTenantEngines } from '../db/engines';
import { recordEvents } from '../db/events';
import { hasGroup, listGroups } from '../db/fleet';
import { engineIdIn } from '../domain/engine';
import type { TenancyMode } from '../domain/group';
import { findLeftoverSecurityGroups } from './leftoverSecurityGroups';

export interface LeftoverDeps {
  readonly db: Db;
  readonly compute: ComputeDriver;
  /** Where engines' ports are. */
  readonly network?: NetworkDriver;
  /** Stands on everything of this installation in a cloud. */
  readonly ownerTag: string;
  readonly log: Logger;
  /** `service` by default. */
  readonly tenancyMode?: TenancyMode;
  /** Milliseconds that what seems to belong to nobody is left alone. */
  readonly grace: number;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
}

/** Something of ours in a cloud that nothing of ours has. */
interface Leftover {
  readonly id: string;
  readonly event: string;
  /** What it is and why it goes. */
  readonly message: string;
  readonly engineId?: string;
  remove(): Promise<void>;
}

/**
 * A job that deletes what bears our tag and belongs to nothing, once it has been seen so for the grace period: servers
 * without an engine or beside the one their engine has, ports of engines that are gone, and server and security
 * groups that no engine needs.
 */
export function createLeftoverSearch(deps: LeftoverDeps): () => Promise<void> {
  let seen = new Map<string, number>();
  return async () => {
    const still = new Map<string, number>();
    for (const leftover of await findLeftovers(deps)) {
      const since = seen.get(leftover.id) ?? deps.now();
      if (deps.now() - since < deps.grace) still.set(leftover.id, since);
      else await letGo(deps, leftover);
    }
    seen = still;
  };
}

async function letGo({ db, log }: LeftoverDeps, { id, event, message, engineId, remove }: Leftover): Promise<void> {
  await remove();
  log.warn({ id, engine: engineId }, `${message}; it is deleted`);
  const happening = { name: event, severity: 'warning', message: `${message}; it is deleted` } as const;
  await recordEvents(db, [happening], engineId === undefined ? {} : { engineId });
}

async function findLeftovers(deps: LeftoverDeps): Promise<readonly Leftover[]> {
  const where = (await livesWithTenants(deps)) ? ANY_PROJECT : null;
  const servers = [...(await findServers(deps, where)), ...(await findPorts(deps)), ...(await findGroups(deps, where))];
  return [...servers, ...(await findSecurityGroups(deps))];
}

/** Whether engines are, or are to be, in projects of their users. An admin alone may look there. */
async function livesWithTenants({ db, tenancyMode: mode = 'service' }: LeftoverDeps): Promise<boolean> {
  if (mode !== 'service') return mode === 'tenant';
  const groups = await listGroups(db);
  return groups.some(({ properties }) => properties.tenancy === 'tenant') || hasTenantEngines(db);
}

async function findServers({ db, compute }: LeftoverDeps, where: InProject): Promise<Leftover[]> {
  const found: Leftover[] = [];
  for (const { id, name, engineId } of await compute.listServers(where)) {
    const engine = await findEngine(db, engineId);
    // One that is not recorded yet may be the one that is being made.
    if (engine && (engine.computeId === null || engine.computeId === id || engine.status === 'BUILDING')) continue;
    const why = engine ? `is beside the one that engine ${engine.name} has` : 'belongs to no engine';
    const message = `server ${name} (${id}) ${why}`;
    found.push({ id, event: 'SERVER_LEFT_OVER', message, engineId, remove: () => compute.deleteServer(id) });
  }
  return found;
}

/** Made by a worker that did not know yet that its engine was gone: nobody has plugged them in. */
async function findPorts({ db, network, ownerTag }: LeftoverDeps): Promise<Leftover[]> {
  if (!network || network.acceptsAnything) return [];
  const found: Leftover[] = [];
  for (const { id, name, description } of await network.listPorts({ deviceOwner: ENGINE_PORT_OWNER })) {
    const engineId = engineIdIn(ownerTag, description);
    if (engineId === undefined || (await findEngine(db, engineId))) continue;
    const message = `port ${name} (${id}) is of an engine that is gone`;
    found.push({ id, event: 'ENGINE_PORT_LEFT_OVER', message, engineId, remove: () => network.deletePort(id) });
  }
  return found;
}

async function findSecurityGroups(deps: LeftoverDeps): Promise<Leftover[]> {
  const found = await findLeftoverSecurityGroups(deps);
  return found.map(({ group: { id, name }, why }) => ({
    id,
    event: 'SECURITY_GROUP_LEFT_OVER',
    message: `security group ${name} (${id}) ${why}`,
    remove: async () => deps.network?.deleteSecurityGroup(id),
  }));
}

async function findGroups({ db, compute }: LeftoverDeps, where: InProject): Promise<Leftover[]> {
  const found: Leftover[] = [];
  for (const { id, groupId, servers } of (await compute.listServerGroups?.(where)) ?? []) {
    if (servers > 0 || (await hasGroup(db, groupId))) continue;
    const message = `server group ${id} is of service engine group ${groupId}, which is gone`;
    const remove = async () => compute.deleteServerGroup?.(id);
    found.push({ id, event: 'SERVER_GROUP_LEFT_OVER', message, remove });
  }
  return found;
}
