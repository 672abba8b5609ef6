import { readService, type Service } from '../../driver/domain/placementDemand';
import { isLeaving } from '../../driver/domain/placementPlan';
import { SECOND } from './clock';
import type { SimLoadBalancer, World } from './world';

/** How workers come to look at load balancers. */

/** Has a worker look at the load balancer; what is lost the sweep finds. */
export function hintLoadBalancer(world: World, lb: SimLoadBalancer, delay?: number): void {
  const { clock, chance } = world;
  const at = clock.now + (delay ?? chance.between(0.02, 0.2) * SECOND);
  if (lb.runAt !== null && lb.runAt <= at) return;
  lb.runAt = at;
  clock.after(at - clock.now, 'a run of a load balancer', () => {
    if (lb.runAt !== at) return;
    lb.runAt = null;
    world.run(lb);
  });
}

/** Whether the sweep would find something to be done. */
export function isUnsettled(lb: SimLoadBalancer): boolean {
  return (
    lb.deleted ||
    lb.settledGeneration !== lb.generation ||
    lb.placements.some((it) => it.deleting || it.stale || it.draining || it.request !== null || isLeaving(it)) ||
    lb.placements.length < serviceOf(lb).engines
  );
}

export function serviceOf({ group, adjustment }: SimLoadBalancer): Service {
  return readService({ topology: '', flavor: {}, zone: {}, adjustment }, group.properties);
}
