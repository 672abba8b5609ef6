import { isLive, serves } from '../../driver/domain/answers';
import { isLeaving } from '../../driver/domain/placementPlan';
import {
  newUpgrade,
  planUpgrade,
  type UpgradeAction,
  type UpgradeLoadBalancer,
  type UpgradeState,
  type UpgradeView,
  WORKING,
} from '../../driver/domain/upgrade';
import { MINUTE, SECOND } from './clock';
import { askToMove } from './elasticity';
import { BAD_MARK, buildEngine, freshId, makeEngine, retireEngine } from './engineUnit';
import type { UpgradeScenario } from './scenario';
import type { SimGroup, SimLoadBalancer, World } from './world';

/** Rolling upgrades: planned by the product, carried out as the controllers do it. */

const TIMES = { boot: 15 * MINUTE, move: 10 * MINUTE, soak: 30 * SECOND };
const LOOK = 2 * SECOND;
const PARALLEL = 4;

export function startUpgrade(world: World, { group: name, at, bad }: UpgradeScenario): void {
  const group = world.groups.find((it) => it.name === name);
  if (!group) throw new Error(`there is no group ${name}`);
  world.clock.after(at, 'an upgrade begins', () => {
    group.extra = PARALLEL;
    carryOn(world, group, newUpgrade(bad ? BAD_MARK : `image of ${world.clock.now}`, PARALLEL));
  });
}

function carryOn(world: World, group: SimGroup, before: UpgradeState): void {
  let state = before;
  if (world.network.controllersUp) {
    const view = viewOf(world, group, state);
    const plan = planUpgrade(view, state, world.clock.now);
    for (const action of plan.actions) act(world, group, { action, state });
    state = plan.state;
  }
  if (!WORKING.includes(state.status)) {
    world.tally.upgrades.push(
      `${group.name}: ${state.status}, ${state.replaced} replaced${state.reason ? `: ${state.reason}` : ''}`,
    );
    return;
  }
  world.clock.after(LOOK, 'an upgrade goes on', () => carryOn(world, group, state));
}

function viewOf(world: World, group: SimGroup, state: UpgradeState): UpgradeView {
  const engaged = state.steps.flatMap(({ oldEngineId, newEngineId }) => [oldEngineId, newEngineId]);
  const guests = engaged.flatMap((id) => [...(group.engines.get(id)?.placements ?? [])].map((it) => it.loadBalancer));
  return {
    engines: [...group.engines.values()].map(({ id, status, deleting, connected, placements, mark }) => ({
      ...{ id, status, deleting, connected, slotsUsed: placements.size, mark, ownImage: false },
    })),
    loadBalancers: [...new Set(guests)].filter(({ deleted }) => !deleted).map(guestOf),
    freshIds: Array.from({ length: PARALLEL }, () => freshId(world)),
    times: TIMES,
  };
}

function guestOf({ id, placements }: SimLoadBalancer): UpgradeLoadBalancer {
  const ids = (all: SimLoadBalancer['placements']): string[] => all.map(({ engineId }) => engineId);
  return {
    ...{ id, refusals: {}, membersDown: 0, engineIds: ids(placements) },
    leaving: ids(placements.filter((it) => it.deleting || isLeaving(it))),
    confirmed: ids(placements.filter((it) => serves(it) && isLive(it))),
    traffic: Object.fromEntries(
      placements.map(({ engineId, engine }) => {
        const errors = Math.round(1_000 * (1 - (engine.machine?.quality ?? 1)));
        return [engineId, { requests: 1_000, errors }];
      }),
    ),
  };
}

function act(
  world: World,
  group: SimGroup,
  { action, state }: { readonly action: UpgradeAction; readonly state: UpgradeState },
): void {
  switch (action.kind) {
    case 'make':
      buildEngine(world, makeEngine(world, group, { id: action.newEngineId, mark: state.mark }));
      return;
    case 'move':
      for (const id of action.loadBalancerIds) {
        const lb = world.loadBalancers.get(id);
        if (lb) askToMove(world, lb, { engineId: action.from, to: action.to });
      }
      return;
    case 'retire': {
      const engine = group.engines.get(action.engineId);
      if (engine && engine.placements.size === 0) retireEngine(world, engine);
      return;
    }
    case 'prove':
      group.mark = state.mark;
      return;
    case 'stop':
    case 'finish':
      return;
  }
}
