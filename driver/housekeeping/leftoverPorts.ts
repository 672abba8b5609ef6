import type { Logger } from 'pino';
import { type NetworkDriver, type Port, VIP_PORT_OWNER, vipPortNames } from '../clouds/network/port';
import type { Db } from '../db/connect';
import { recordEvents } from '../db/events';
import { findPortBefore, forgetTakenPort } from '../db/takenPorts';
import { listKnownLoadBalancers, listVipPortsOf } from '../db/work';
import { vipPortMark } from '../domain/vipPortMark';

export interface LeftoverPortDeps {
  readonly db: Db;
  readonly network: NetworkDriver;
  readonly log: Logger;
  readonly settings: { readonly leftoverPortAge: number; readonly ownerTag: string };
  readonly now: () => Date;
}

const DEVICE_PREFIX = vipPortNames('').deviceId;

/**
 * Looks for VIP ports that no load balancer has: of a create whose process died before its rows were written, or of one
 * made twice. Ours are deleted; one that the user made, and we only took, is given back. A port counts as left over once
 * it has been found so for the whole age, so that a create under way is not disturbed. Octavia's ports, and those of other
 * installations, look like ours and are none of our business: what neither bears our mark nor is for a load balancer that our
 * database knows is not touched.
 */
export function createLeftoverPortSearch(deps: LeftoverPortDeps): () => Promise<void> {
  const firstSeen = new Map<string, number>();
  return async () => {
    if (deps.network.acceptsAnything) return;
    const leftovers = await findLeftovers(deps);
    const ids = new Set(leftovers.map(({ id }) => id));
    for (const id of [...firstSeen.keys()]) if (!ids.has(id)) firstSeen.delete(id);
    const now = deps.now().getTime();
    for (const port of leftovers) {
      const since = firstSeen.get(port.id) ?? (isOurs(port) ? port.createdAt.getTime() : now);
      firstSeen.set(port.id, since);
      if (now - since >= deps.settings.leftoverPortAge * 1000) await letGo(deps, port);
    }
  };
}

async function findLeftovers({ db, network, settings }: LeftoverPortDeps): Promise<readonly Port[]> {
  const ports = await network.listPorts({ deviceOwner: VIP_PORT_OWNER });
  const claimed = ports.filter(({ deviceId }) => deviceId.startsWith(DEVICE_PREFIX));
  const found: Port[] = [];
  for (let start = 0; start < claimed.length; start += BATCH) {
    const batch = claimed.slice(start, start + BATCH);
    const used = await listVipPortsOf(db, batch.map(ownerOf));
    const unused = batch.filter((port) => !used.get(ownerOf(port))?.includes(port.id));
    const known = await listKnownLoadBalancers(db, unused.map(ownerOf));
    found.push(...unused.filter((port) => known.has(ownerOf(port)) || isMarked(port, settings.ownerTag)));
  }
  return found;
}

function isMarked(port: Port, ownerTag: string): boolean {
  return port.description === vipPortMark(ownerTag, ownerOf(port));
}

/** Bounds the bindings of one statement. */
const BATCH = 500;

function ownerOf({ deviceId }: Port): string {
  return deviceId.slice(DEVICE_PREFIX.length);
}

/** A user's own port never bears our name, whatever else it bears. */
function isOurs(port: Port): boolean {
  return port.name === vipPortNames(ownerOf(port)).name;
}

async function letGo({ db, network, log }: LeftoverPortDeps, port: Port): Promise<void> {
  const ours = isOurs(port);
  const loadBalancerId = ownerOf(port);
  if (ours) await network.deletePort(port.id);
  else {
    const had = await findPortBefore(db, port.id, loadBalancerId);
    await network.updatePort(port.id, { deviceId: '', deviceOwner: had?.deviceOwner ?? '' });
    await forgetTakenPort(db, port.id, loadBalancerId);
  }
  const end = ours ? 'deleted' : 'given back';
  const message = `port ${port.id} is marked for load balancer ${loadBalancerId}, which does not have it; it is ${end}`;
  const about = { resourceType: 'port', resourceId: port.id };
  const name = ours ? 'LEFTOVER_PORT_DELETED' : 'LEFTOVER_PORT_GIVEN_BACK';
  await recordEvents(db, [{ ...about, name, severity: 'warning', message }], {
    projectId: port.projectId,
    loadBalancerId,
  });
  log.warn({ port: port.id, lb: loadBalancerId }, message);
}
