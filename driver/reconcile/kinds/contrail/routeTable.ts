import { forgetWiring, recordWiring } from '../../../db/wiring';
import { type ContrailClouds, type ContrailTarget, isOffNetwork, isRouted, servedBy } from '../../contrailTarget';
import type { Kind } from '../../kind';

/** That an engine's port is the next hop of VIPs which are not of its network. */
export interface RouteLink {
  readonly loadBalancerId: string;
  readonly engineId: string;
  readonly portId: string;
  readonly addresses: readonly string[];
  /** All prefixes of the load balancer's table. */
  readonly prefixes: readonly string[];
}

/**
 * Makes the engines the next hop of VIPs that `enable_vip_static_routes` has answered for in another network. One table a
 * load balancer, which has its id: so it can be linked and unlinked port by port, and is found without a note.
 */
export const routeLinks: Kind<RouteLink, ContrailTarget, ContrailClouds> = {
  name: 'route-table',
  key: ({ portId }) => portId,
  desired: (target) => {
    const { tree } = target;
    if (target.mode !== 'aap' || isOffNetwork(tree)) return [];
    const routed = servedBy(target).filter(({ vip }) => isRouted(vip, tree));
    const prefixes = [...new Set(routed.map(({ vip }) => prefixOf(vip.address)))].sort();
    return [...new Map(routed.map(({ port }) => [port.portId, port])).values()].map(({ engineId, portId }) => ({
      ...{ loadBalancerId: tree.id, engineId, portId, prefixes },
      addresses: routed.filter(({ port }) => port.portId === portId).map(({ vip }) => vip.address),
    }));
  },
  async observed({ tree, recorded }, { contrail }) {
    const ours = recorded.filter(({ mode }) => mode === 'route');
    if (ours.length === 0) return [];
    const table = await contrail.findRouteTable(tree.id);
    return [...new Set(ours.flatMap(({ portId }) => portId ?? []))].map((portId) => ({
      ...{ loadBalancerId: tree.id, portId },
      engineId: ours.find((it) => it.portId === portId)?.engineId ?? '',
      addresses: ours.filter((it) => it.portId === portId).map(({ address }) => address),
      prefixes: table?.portIds.includes(portId) ? [...table.prefixes].sort() : [],
    }));
  },
  same: (want, have) =>
    equal(want.prefixes, have.prefixes) && equal([...want.addresses].sort(), [...have.addresses].sort()),
  async put(want, { contrail, db }) {
    const { loadBalancerId, engineId, portId, addresses, prefixes } = want;
    for (const address of addresses)
      await recordWiring(db, { loadBalancerId, engineId, portId, address, mode: 'route' });
    const [port] = await contrail.listInterfaces([portId]);
    if (!port) return;
    const owner = { project: port.project, ownerId: loadBalancerId };
    await contrail.putRouteTable({ id: loadBalancerId, prefixes, portIds: [], ...owner });
    await contrail.linkRouteTable(loadBalancerId, portId);
  },
  async remove({ loadBalancerId, engineId, portId, addresses }, { contrail, db }) {
    await contrail.unlinkRouteTable(loadBalancerId, portId);
    const left = (await contrail.findRouteTable(loadBalancerId))?.portIds ?? [];
    if (left.length === 0) await contrail.deleteRouteTable(loadBalancerId);
    for (const address of addresses)
      await forgetWiring(db, { loadBalancerId, engineId, portId, address, mode: 'route' });
  },
};

function prefixOf(address: string): string {
  return `${address}/${address.includes(':') ? 128 : 32}`;
}

function equal(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((it, index) => it === other[index]);
}
