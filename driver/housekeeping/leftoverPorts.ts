import type { Logger } from 'pino';
import { type NetworkDriver, type Port, VIP_PORT_OWNER, vipPortNames } from '../clouds/network/port';
import type { Db } from '../db/connect';
import { recordEvents } from '../db/events';
import { listVipPortsOf } from '../db/work';

export interface LeftoverPortDeps {
  readonly db: Db;
  readonly network: NetworkDriver;
  readonly log: Logger;
  readonly settings: { readonly leftoverPortAge: number };
  readonly now: () => Date;
}

const DEVICE_PREFIX = vipPortNames('').deviceId;

/**
 * Deletes VIP ports that we made and that no load balancer has: of a create whose process died before its rows were
 * written, or of one made twice. A user's own port never bears our name, whatever else it bears.
 */
export async function removeLeftoverPorts(deps: LeftoverPortDeps): Promise<void> {
  const { network, db } = deps;
  if (network.acceptsAnything) return;
  const before = deps.now().getTime() - deps.settings.leftoverPortAge * 1000;
  const ours = (await network.listPorts({ deviceOwner: VIP_PORT_OWNER })).filter(isOurs);
  const old = ours.filter(({ createdAt }) => createdAt.getTime() < before);
  if (old.length === 0) return;
  const known = await listVipPortsOf(db, old.map(ownerOf));
  for (const port of old) {
    if (!known.get(ownerOf(port))?.includes(port.id)) await removePort(deps, port);
  }
}

function ownerOf({ deviceId }: Port): string {
  return deviceId.slice(DEVICE_PREFIX.length);
}

function isOurs(port: Port): boolean {
  return port.deviceId.startsWith(DEVICE_PREFIX) && port.name === vipPortNames(ownerOf(port)).name;
}

async function removePort({ db, network, log }: LeftoverPortDeps, port: Port): Promise<void> {
  await network.deletePort(port.id);
  const loadBalancerId = ownerOf(port);
  const message = `port ${port.id} was made for load balancer ${loadBalancerId}, which does not have it; it is deleted`;
  const about = { resourceType: 'port', resourceId: port.id };
  await recordEvents(db, [{ ...about, name: 'LEFTOVER_PORT_DELETED', severity: 'warning', message }], {
    projectId: port.projectId,
    loadBalancerId,
  });
  log.warn({ port: port.id, lb: loadBalancerId }, 'deleted a VIP port that no load balancer has');
}
