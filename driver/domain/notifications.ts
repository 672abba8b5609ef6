import type { Settlement } from './settlement';
import type { LoadBalancerTree } from './tree';
import { changedNodes, treeNodes } from './treeObjects';

/** Marks messages of the outbox that are notifications: they go to those who listen, not to a worker. */
export const NOTIFICATIONS = 'notifications';

/** What Octavia tells of load balancers, each once it is done. There are no events of failures and none of failovers. */
export type LoadBalancerEvent =
  | 'octavia.loadbalancer.create.end'
  | 'octavia.loadbalancer.update.end'
  | 'octavia.loadbalancer.delete.end';

/**
 * The event that follows from the end of a run; undefined for most. A change below the load balancer is none of them, and
 * a create that is healed after it had failed is still that create.
 */
export function eventOf(tree: LoadBalancerTree, settlement: Settlement): LoadBalancerEvent | undefined {
  if (!settlement.done) return undefined;
  if (settlement.loadBalancer.provisioningStatus === 'DELETED') return 'octavia.loadbalancer.delete.end';
  if (tree.settledGeneration === 0) return 'octavia.loadbalancer.create.end';
  const failover = tree.placements.some(({ request }) => request !== null);
  const below = changedNodes(treeNodes(tree)).length > 0;
  const own = tree.provisioningStatus === 'PENDING_UPDATE' && !below && !failover;
  return own ? 'octavia.loadbalancer.update.end' : undefined;
}
