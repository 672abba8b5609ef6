import { vnicKey } from '../../driver/domain/placement';
import { SECOND } from './clock';
import { hintLoadBalancer } from './hints';
import type { SimGroup, SimLoadBalancer, World } from './world';

/** Who makes load balancers, and takes them away again. */

/** All of the scenario's, one after the other, in the time given. */
export function settleIn(world: World, time: number): void {
  const { groups, clock, scenario } = world;
  const wanted = groups.flatMap((group, index) =>
    Array.from({ length: scenario.groups[index]?.loadBalancers ?? 0 }, () => group),
  );
  for (const [index, group] of wanted.entries()) {
    clock.after((index / wanted.length) * time, 'a load balancer is made', () => createLoadBalancer(world, group));
  }
}

/** From now on they come and go, as many as before on average. */
export function comeAndGo(world: World, until: number): void {
  const { clock, scenario } = world;
  const chance = world.chance.fork('users');
  const next = (): void => {
    const delay = chance.waiting(scenario.faults.arrival);
    if (clock.now + delay > until) return;
    clock.after(delay, 'users change their minds', () => {
      const goes = chance.pick([...world.loadBalancers.values()].filter(({ deleted }) => !deleted));
      if (goes) {
        goes.deleted = true;
        hintLoadBalancer(world, goes);
        clock.after(chance.between(1, 60) * SECOND, 'a load balancer is made', () =>
          createLoadBalancer(world, goes.group),
        );
      }
      next();
    });
  };
  next();
}

/** Few projects have many, and many have few. */
function createLoadBalancer(world: World, group: SimGroup): SimLoadBalancer {
  const { chance, scenario, made } = world;
  world.made += 1;
  const project = Math.floor(scenario.projects * chance.next() ** 2);
  const network = `network-${project}`;
  const lb: SimLoadBalancer = {
    ...{ id: `lb-${String(made).padStart(6, '0')}`, number: made, projectId: `project-${project}`, group },
    ...{ vnics: [vnicKey(network, network)], generation: 1, settledGeneration: 0, placements: [], wired: new Set() },
    ...{
      adjustment: 0,
      spike: 1,
      weight: weightOf(world),
      term: 0,
      runAt: null,
      lacks: false,
      weakSince: null,
      idleSince: null,
      twoMastersSince: null,
    },
    ...{ served: false, deleted: false },
  };
  world.loadBalancers.set(lb.id, lb);
  hintLoadBalancer(world, lb);
  return lb;
}

/** Half of all have less than two thirds of the mean, and the first of all is a hot one. */
function weightOf({ chance, loadBalancers, scenario }: World): number {
  return loadBalancers.size === 0 ? scenario.load.hot : Math.min(6, chance.waiting(1));
}
