import { recordEvents } from '../db/events';
import { listGroups, listSharedHosts } from '../db/fleet';
import type { FleetDeps } from './ensureFleet';

/**
 * Tells of load balancers whose engines have come to be on one host although their group asks for several: where the
 * compute service puts a server is known only when it is there. Once for the engines that each has.
 */
export async function tellSharedHosts({ db, log }: Pick<FleetDeps, 'db' | 'log'>): Promise<void> {
  const groups = await listGroups(db);
  for (const { id, name } of groups.filter(({ properties }) => properties.hostRedundancy)) {
    for (const { loadBalancerId, projectId, host, engines } of await listSharedHosts(db, id)) {
      const message = `${engines} engines of load balancer ${loadBalancerId} (group ${name}) are on host ${host}`;
      log.warn({ lb: loadBalancerId, host }, 'engines of a load balancer are on one host');
      const about = { resourceType: 'load_balancer', resourceId: loadBalancerId };
      await recordEvents(db, [{ name: 'HOST_SHARED', severity: 'warning', message, ...about }], {
        projectId,
        loadBalancerId,
      });
    }
  }
}
