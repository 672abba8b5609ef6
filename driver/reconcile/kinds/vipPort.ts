import { type FixedIp, type Port, VIP_PORT_OWNER, vipPortNames } from '../../clouds/network/port';
import { findPortBefore, forgetTakenPort } from '../../db/takenPorts';
import { recordVipPort } from '../../db/wiring';
import type { LoadBalancerTree } from '../../domain/tree';
import type { Kind } from '../kind';
import type { WiringClouds, WiringTarget } from '../wiringTarget';

/** A port that holds addresses of a load balancer. */
export interface VipPort {
  readonly loadBalancerId: string;
  readonly projectId: string;
  readonly portId: string;
  /** False: the user's own port, used by the load balancer as long as it lives. */
  readonly owned: boolean;
  readonly networkId: string | null;
  readonly fixedIps: readonly Partial<FixedIp>[];
  readonly qosPolicyId: string | null;
  /** Empty: whatever the network service gives a port. */
  readonly securityGroupIds: readonly string[];
  /** What the rows ask for, also of a port that is otherwise. */
  readonly asked: { readonly qosPolicyId: string | null; readonly securityGroupIds: readonly string[] };
}

/**
 * Keeps the VIPs' ports: one of ours that is lost is made again with the same addresses, and no port is given up before
 * the load balancer goes.
 */
export const vipPort: Kind<VipPort, WiringTarget, WiringClouds> = {
  name: 'vip-port',
  key: ({ portId }) => portId,
  desired: ({ tree }) => (tree.deleting ? [] : vipPortsOf(tree)),
  observed: async ({ tree }, { network }) => {
    const found = await Promise.all(vipPortsOf(tree).map((want) => findPortOf(want, network)));
    return found.flatMap((port) => port ?? []);
  },
  same: (want, have) =>
    want.qosPolicyId === have.qosPolicyId &&
    (want.securityGroupIds.length === 0 || equalSets(want.securityGroupIds, have.securityGroupIds)),
  put: (want, { network, db }, have) => (have ? changePort(want, have, network) : remakePort(want, { network, db })),
  remove: (item, clouds) => giveUpPort(item, clouds),
};

/** The ports as the rows have them: mostly one, which holds the additional VIPs' addresses too. */
function vipPortsOf(tree: LoadBalancerTree): VipPort[] {
  const { vip, additionalVips } = tree;
  const ids = new Set([vip, ...additionalVips].flatMap(({ portId }) => portId ?? []));
  return [...ids].map((portId) => ({
    loadBalancerId: tree.id,
    projectId: tree.projectId,
    portId,
    owned: vip.octaviaOwned,
    networkId: vip.networkId,
    fixedIps: [vip, ...additionalVips]
      .filter((it) => (it.portId ?? vip.portId) === portId)
      .map(({ subnetId, ipAddress }) => ({
        ...(subnetId !== null && { subnetId }),
        ...(ipAddress !== null && { ipAddress }),
      })),
    qosPolicyId: vip.qosPolicyId,
    securityGroupIds: vip.securityGroupIds,
    asked: { qosPolicyId: vip.qosPolicyId, securityGroupIds: vip.securityGroupIds },
  }));
}

async function findPortOf(want: VipPort, network: WiringClouds['network']): Promise<VipPort | undefined> {
  const port = await network.findPort(want.portId);
  return port && { ...want, qosPolicyId: port.qosPolicyId, securityGroupIds: port.securityGroupIds };
}

async function changePort(want: VipPort, have: VipPort, network: WiringClouds['network']): Promise<void> {
  await network.updatePort(want.portId, {
    ...(want.qosPolicyId !== have.qosPolicyId && { qosPolicyId: want.qosPolicyId }),
    ...(want.securityGroupIds.length > 0 && { securityGroupIds: want.securityGroupIds }),
  });
}

/** A user's port that is gone is the user's to make again; one of ours may have been made by a run that then died. */
async function remakePort(want: VipPort, { network, db }: Pick<WiringClouds, 'network' | 'db'>): Promise<void> {
  if (!want.owned || want.networkId === null) return;
  const names = vipPortNames(want.loadBalancerId);
  const ours = await network.listPorts({ deviceId: names.deviceId, deviceOwner: VIP_PORT_OWNER });
  const made =
    ours.find((port) => holds(port, want)) ??
    (await network.createPort({
      ...names,
      projectId: want.projectId,
      networkId: want.networkId,
      fixedIps: want.fixedIps,
      deviceOwner: VIP_PORT_OWNER,
      adminStateUp: false,
      qosPolicyId: want.qosPolicyId,
      ...(want.securityGroupIds.length > 0 && { securityGroupIds: want.securityGroupIds }),
    }));
  await recordVipPort(db, want.loadBalancerId, { from: want.portId, to: made.id });
}

/**
 * Ours is deleted, the user's given back with what it had when it was taken. What the user has changed of it since then
 * stays: only what is as the load balancer wanted it is ours to undo.
 */
async function giveUpPort(item: VipPort, { network, db }: Pick<WiringClouds, 'network' | 'db'>): Promise<void> {
  const { owned, portId, loadBalancerId } = item;
  if (owned) return network.deletePort(portId);
  const port = await network.findPort(portId);
  if (port?.deviceId === vipPortNames(loadBalancerId).deviceId) {
    const had = await findPortBefore(db, portId, loadBalancerId);
    const { qosPolicyId, securityGroupIds } = item.asked;
    const groupsAreOurs = securityGroupIds.length > 0 && equalSets(securityGroupIds, port.securityGroupIds);
    await network.updatePort(portId, {
      deviceId: '',
      deviceOwner: had?.deviceOwner ?? '',
      ...(had && port.qosPolicyId === qosPolicyId && { qosPolicyId: had.qosPolicyId }),
      ...(had && groupsAreOurs && { securityGroupIds: had.securityGroupIds }),
    });
  }
  await forgetTakenPort(db, portId, loadBalancerId);
}

function holds(port: Port, { fixedIps }: VipPort): boolean {
  return fixedIps.every(({ ipAddress }) => port.fixedIps.some((it) => it.ipAddress === ipAddress));
}

function equalSets(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((it) => b.includes(it));
}
