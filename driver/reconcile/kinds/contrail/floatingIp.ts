import { randomUUID } from 'node:crypto';
import type { FloatingIp } from '../../../clouds/contrail/port';
import { noteFloatingIp } from '../../../db/vipModes';
import type { LoadBalancerTree } from '../../../domain/tree';
import {
  type ContrailClouds,
  type ContrailNotes,
  type ContrailTarget,
  type FloatingWish,
  isOffNetwork,
  vipPortIds,
} from '../../contrailTarget';
import type { Kind } from '../../kind';

/** A floating IP that is allocated for a load balancer. */
export interface AllocatedIp {
  readonly tree: LoadBalancerTree;
  readonly wish: FloatingWish | null;
  readonly portIds: readonly string[];
  readonly floatingIp: FloatingIp | undefined;
  readonly notes: ContrailNotes;
}

/**
 * Allocates the floating IP that the flavor asks for, and gives it back with the load balancer. Its id stands in the row
 * before it is made. Looks up all floating IPs of the VIPs, those of users too.
 */
export const allocatedIp: Kind<AllocatedIp, ContrailTarget, ContrailClouds> = {
  name: 'floating-ip',
  key: ({ tree }) => tree.id,
  desired: ({ tree, floating, ports, notes }) =>
    floating === null || tree.deleting
      ? []
      : [{ tree, wish: floating, portIds: ports.map(({ portId }) => portId), floatingIp: undefined, notes }],
  async observed({ tree, floating, notes }, { contrail }) {
    notes.floatingIps = await contrail.listFloatingIps(vipPortIds(tree));
    const { floatingIpId: id } = tree;
    if (id === null) return [];
    const listed = notes.floatingIps.find((it) => it.id === id);
    const floatingIp = listed ?? (await contrail.findFloatingIp(id));
    // One that has lost its ports: Neutron empties it with any of them.
    if (floatingIp && !listed) notes.floatingIps = [...notes.floatingIps, floatingIp];
    const isKept = floating !== null && !tree.deleting;
    return floatingIp || !isKept ? [{ tree, wish: floating, portIds: [], floatingIp, notes }] : [];
  },
  same: (_want, have) => have.floatingIp !== undefined && isComplete(have),
  async put({ tree, wish, portIds, notes }, { contrail, db }, have) {
    const fixedAddress = tree.vip.ipAddress;
    if (wish === null || fixedAddress === null) return;
    if (have?.floatingIp) return complete(have, { contrail });
    const id = tree.floatingIpId ?? randomUUID();
    if (tree.floatingIpId === null) await noteFloatingIp(db, tree.id, id);
    const made = await contrail.createFloatingIp({
      ...{ id, ...wish, projectId: tree.projectId, fixedAddress, ownerId: tree.id },
      portIds: [...vipPortIds(tree), ...(isOffNetwork(tree) ? [] : portIds)],
    });
    notes.floatingIps = [...notes.floatingIps, made];
  },
  async remove({ tree, floatingIp, notes }, { contrail, db }) {
    if (floatingIp) await contrail.deleteFloatingIp(floatingIp.id);
    await noteFloatingIp(db, tree.id, null);
    notes.floatingIps = notes.floatingIps.filter(({ id }) => id !== floatingIp?.id);
  },
};

/** It leads to the VIP, and is found by the VIP's port. */
function isComplete({ tree, floatingIp }: AllocatedIp): boolean {
  const [vipPort] = vipPortIds(tree);
  return floatingIp?.fixedAddress === tree.vip.ipAddress && (!vipPort || floatingIp.portIds.includes(vipPort));
}

async function complete(
  { tree, floatingIp }: AllocatedIp,
  { contrail }: Pick<ContrailClouds, 'contrail'>,
): Promise<void> {
  if (!floatingIp || tree.vip.ipAddress === null) return;
  const [vipPort] = vipPortIds(tree);
  if (vipPort && !floatingIp.portIds.includes(vipPort)) await contrail.linkFloatingIp(floatingIp.id, vipPort);
  if (floatingIp.fixedAddress !== tree.vip.ipAddress) await contrail.setFixedAddress(floatingIp.id, tree.vip.ipAddress);
}
