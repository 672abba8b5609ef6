import { isLive } from '../../driver/domain/answers';
import { type Engine, hasServed } from '../../driver/domain/engine';
import { planFleet } from '../../driver/domain/fleet';
import { DEFAULT_HEALING, type HealingDecision, type HealingView, planHealing } from '../../driver/domain/healing';
import { isLeaving } from '../../driver/domain/placementPlan';
import { isCutOff } from '../../driver/domain/placementRules';
import { buildEngine, makeEngine, retireEngine } from './engineUnit';
import { hintLoadBalancer, isUnsettled, serviceOf } from './hints';
import { isPair } from './pairs';
import { cutFrom, isTroubled, keepReach, markCut, networkOf } from './reach';
import { isHeard, type SimEngine, type SimGroup, seeEachOther, touchEngine, type World } from './world';

/** Housekeeping: the size of each group, the healing of what is lost, and the sweep. */

/** Has the jobs run from now on. */
export function startJobs(world: World): void {
  const { fleetJob, sweep } = world.scenario.timers;
  world.clock.every(fleetJob, 'the fleet is looked after', () => {
    if (!world.network.controllersUp) return;
    for (const group of world.groups) {
      // The same rows give the same plan, unless time matters.
      if (!group.changed && !awaitsTime(group)) continue;
      group.changed = false;
      heal(world, group);
      keepSize(world, group);
    }
  });
  world.clock.every(sweep, 'the sweep', () => {
    if (!world.network.controllersUp) return;
    for (const lb of world.suspects) {
      if (world.loadBalancers.has(lb.id) && isUnsettled(lb)) hintLoadBalancer(world, lb);
      else world.suspects.delete(lb);
    }
  });
}

function awaitsTime({ engines, breaker }: SimGroup): boolean {
  return (
    breaker.state !== 'closed' ||
    [...engines.values()].some((it) => it.status === 'DOWN' || it.isolated || isTroubled(it))
  );
}

/** Also called at the start, when all is to be there at once. */
export function keepSize(world: World, group: SimGroup): SimEngine[] {
  const rows = [...group.engines.values()].map(toRow);
  const { add, retire } = planFleet(group.properties, rows);
  for (const id of retire) {
    const ghost = group.engines.get(id);
    if (ghost) retireEngine(world, ghost);
  }
  const made = Array.from({ length: add }, () => makeEngine(world, group));
  for (const engine of made) buildEngine(world, engine);
  return made;
}

/** What of a row neither the fleet's job nor this simulation looks at. */
const NO_MATTER = {
  computeId: null,
  managementAddress: null,
  tokenHash: null,
  connectedTo: null,
  connectionEpoch: 0,
  generation: 1,
  settledGeneration: 1,
  attempts: 0,
  leaseEpoch: 0,
  unchangedFor: 0,
  availabilityZone: null,
  computeFlavor: null,
  imageTag: null,
  projectId: null,
  ownerProjectId: null,
  serverLaunchedAt: null,
  perApp: false,
};

/** An engine as the fleet's job reads it from its row. */
function toRow(engine: SimEngine): Engine {
  const { id, status, deleting, slots, placements, host, group } = engine;
  const cutOff = isCutOff({ cutFrom: cutFrom(engine), vnics: [...engine.vnics.keys()] });
  const used = { slotsUsed: placements.size, groupId: group.name, name: id, cutOff };
  return Object.assign({ id, status, deleting, slots, host }, used, NO_MATTER);
}

function heal(world: World, group: SimGroup): void {
  const { clock, tally } = world;
  const plan = planHealing(viewOf(world, group), DEFAULT_HEALING, clock.now);
  const { breaker, change } = plan.breaker;
  group.breaker = breaker;
  if (change === 'tripped') tally.trips += 1;
  for (const decision of plan.decisions) carryOut(world, group, decision);
}

function carryOut(world: World, group: SimGroup, decision: HealingDecision): void {
  const engine = group.engines.get(decision.engineId);
  if (!engine) return;
  touchEngine(world, engine);
  switch (decision.kind) {
    case 'isolated':
    case 'rejoined':
      engine.isolated = decision.kind === 'isolated';
      if (engine.isolated) world.tally.isolated += 1;
      return;
    case 'retire':
      world.tally.retired += 1;
      if (engine.isolated) {
        const what = `${engine.id} is retired though only its management network is cut`;
        world.tally.violations.push({ at: world.clock.now, what, after: 'healing' });
      }
      retireEngine(world, engine);
      return;
    case 'cut':
      if (!engine.cut) world.tally.cut += 1;
      markCut(engine, decision.networkId, { proven: decision.proven });
      hintGuests(world, engine);
      return;
    case 'cutOver':
      markCut(engine, decision.networkId, null);
      keepOn(engine, decision.networkId);
      hintGuests(world, engine);
      return;
    case 'move': {
      const placement = [...engine.placements].find(({ id }) => id === decision.placementId);
      if (!placement) return;
      placement.request = 'heal';
      hintLoadBalancer(world, placement.loadBalancer);
    }
  }
}

function hintGuests(world: World, { placements }: SimEngine): void {
  for (const { loadBalancer } of placements) hintLoadBalancer(world, loadBalancer);
}

/** What has found no other engine stays. */
function keepOn({ placements }: SimEngine, networkId: string): void {
  for (const it of placements) {
    const { loadBalancer: lb } = it;
    const isHere = lb.vnics.some((key) => networkOf(key) === networkId);
    if (isHere && it.request === 'heal' && lb.placements.length <= serviceOf(lb).engines) it.request = null;
  }
}

function viewOf(world: World, group: SimGroup): HealingView {
  const engines = [...group.engines.values()].filter((it) => hasServed(it));
  const wired = new Set<string>();
  const reach = keepReach(world, group);
  const troubled = new Set(reach.filter(({ state, mark }) => state === 'trouble' || mark).map((it) => it.engineId));
  const down = engines.filter(({ id, status, isolated }) => status === 'DOWN' || isolated || troubled.has(id));
  for (const { placements } of down) {
    for (const { loadBalancer, engineId } of placements) if (loadBalancer.wired.has(engineId)) wired.add(engineId);
  }
  return {
    ...{ breaker: group.breaker, reach },
    engines: engines.map((engine) => ({
      ...{ id: engine.id, name: engine.id, status: engine.status, deleting: engine.deleting },
      silentSince: engine.connected ? null : engine.lastSeen,
      heard: engine.connected ? null : heardByNeighbours(world, engine),
      server: world.cloud.away ? 'unknown' : engine.machine?.stopped ? 'stopped' : 'running',
      wired: wired.has(engine.id),
      knownIsolated: engine.isolated,
    })),
    placements: down.flatMap((engine) =>
      [...engine.placements].map((it) => ({
        ...{
          id: it.id,
          loadBalancerId: it.loadBalancer.id,
          engineId: engine.id,
          leaving: it.deleting || isLeaving(it),
          mayServe: it.confirmedGeneration >= 0 || isPair(it.loadBalancer),
          networkId: networkOf(it.loadBalancer.vnics[0] ?? ''),
        },
      })),
    ),
  };
}

/** Whether any engine that is heard, and has a vNIC in one of its networks, hears it; null: there is none. */
function heardByNeighbours(world: World, engine: SimEngine): boolean | null {
  const networks = [...engine.plugged];
  const neighbours = [...engine.group.engines.values()].filter(
    (it) => it !== engine && it.connected && isHeard(world, it) && networks.some((key) => it.plugged.has(key)),
  );
  if (neighbours.length === 0) return null;
  return neighbours.some((it) => seeEachOther(world, it.machine, engine.machine));
}

export function isServing(placement: { readonly deleting: boolean } & Parameters<typeof isLive>[0]): boolean {
  return !placement.deleting && !placement.draining && isLive(placement) && placement.confirmedGeneration >= 0;
}
