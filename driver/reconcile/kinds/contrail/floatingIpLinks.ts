import { keepEnginePorts } from '../../../db/vipModes';
import { type ContrailClouds, type ContrailTarget, isOffNetwork, servedBy, vipPortIds } from '../../contrailTarget';
import type { Kind } from '../../kind';

/** That a floating IP leads to an engine's port. */
export interface FloatingIpLink {
  readonly floatingIpId: string;
  readonly portId: string;
}

/**
 * Spreads the floating IPs of the VIPs over the engines. They are linked to the VIP's own port, which nothing answers on
 * and which stays linked: by it they are found again. What Neutron does to one empties the others' links, so they are
 * looked at with every run.
 */
export const floatingIpLinks: Kind<FloatingIpLink, ContrailTarget, ContrailClouds> = {
  name: 'floating-ip-link',
  key: ({ floatingIpId, portId }) => `${floatingIpId} ${portId}`,
  desired: (target) => {
    const { tree, notes } = target;
    if (tree.deleting || isOffNetwork(tree)) return [];
    const served = servedBy(target);
    return notes.floatingIps.flatMap(({ id: floatingIpId, fixedAddress }) => {
      const ports = served.filter(({ vip }) => fixedAddress === null || vip.address === fixedAddress);
      return [...new Set(ports.map(({ port }) => port.portId))].map((portId) => ({ floatingIpId, portId }));
    });
  },
  async observed({ tree, ports, recorded, notes }, { db }) {
    // One that is about to be given back takes its links with it.
    const staying = notes.floatingIps.filter(({ id }) => !(tree.deleting && id === tree.floatingIpId));
    const links = staying.flatMap(({ id: floatingIpId, portIds }) =>
      portIds.map((portId) => ({ floatingIpId, portId })),
    );
    const own = new Set([...ports, ...recorded].map(({ portId }) => portId));
    const vipPorts = vipPortIds(tree);
    const others = links.filter(({ portId }) => !own.has(portId) && !vipPorts.includes(portId));
    // What is no engine's is the user's.
    const engines = await keepEnginePorts(db, [...new Set(others.map(({ portId }) => portId))]);
    return links.filter(({ portId }) => own.has(portId) || engines.includes(portId));
  },
  same: () => true,
  put: async ({ floatingIpId, portId }, { contrail }) => {
    await contrail.linkFloatingIp(floatingIpId, portId);
  },
  remove: ({ floatingIpId, portId }, { contrail }) => contrail.unlinkFloatingIp(floatingIpId, portId),
};
