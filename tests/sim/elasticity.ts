import {
  type ElasticDecision,
  type ElasticityView,
  type ElasticLoadBalancer,
  planElasticity,
} from '../../driver/domain/elasticity';
import { scaleBounds } from '../../driver/domain/placementDemand';
import { isLeaving } from '../../driver/domain/placementPlan';
import { chooseToLeave } from '../../driver/domain/scaling';
import { HOUR, MINUTE, SECOND } from './clock';
import { buildEngine, makeEngine, retireEngine } from './engineUnit';
import { hintLoadBalancer, isUnsettled } from './hints';
import { demandOf, partsOf } from './load';
import { toCandidate } from './loadBalancerUnit';
import type { Turn } from './tally';
import { hasData, type SimEngine, type SimGroup, type SimLoadBalancer, type World } from './world';

/** Following the load: each group is looked at once an interval, and what the plan says is done as the controllers do it. */

export function followLoad(world: World): void {
  if (!Number.isFinite(world.scenario.load.interval)) return;
  world.clock.every(world.scenario.load.interval, 'the load is looked at', () => {
    for (const group of world.groups) lookAtLoad(world, group);
  });
}

function lookAtLoad(world: World, group: SimGroup): void {
  const { clock, network, tally, scenario } = world;
  const { properties } = group;
  const parts = new Map([...group.engines.values()].map((engine) => [engine.id, partsOf(world, engine)]));
  const asked = new Map([...parts].map(([id, it]) => [id, [...it.values()].reduce((sum, part) => sum + part, 0)]));
  for (const engine of group.engines.values()) {
    const load = asked.get(engine.id) ?? 0;
    if (engine.machine?.alive) tally.engineTime += scenario.load.interval;
    if (load > properties.maxLoad) tally.loadedTime += scenario.load.interval;
    if (load > 100) tally.overloadedTime += scenario.load.interval;
  }
  if (!network.controllersUp) return;
  const view = viewOf(group, { parts, asked });
  const settings = {
    ...{ autoRebalance: properties.autoRebalance, maxLoad: properties.maxLoad, minLoad: properties.minLoad },
    interval: properties.rebalanceInterval * SECOND,
    deprovisionDelay: properties.deprovisionDelay * MINUTE,
  };
  const plan = planElasticity(view, settings, clock.now);
  group.elasticity = plan.state;
  for (const decision of plan.decisions) carryOut(world, group, decision);
}

interface Load {
  /** What is asked of each engine, by load balancer. */
  readonly parts: ReadonlyMap<string, ReadonlyMap<SimLoadBalancer, number>>;
  readonly asked: ReadonlyMap<string, number>;
}

function viewOf(group: SimGroup, { parts, asked }: Load): ElasticityView {
  const engines = [...group.engines.values()];
  const served = new Set(engines.flatMap(({ placements }) => [...placements].map(({ loadBalancer }) => loadBalancer)));
  return {
    group: group.properties,
    state: group.elasticity,
    engines: engines.map((it) => ({
      ...toCandidate(it),
      // An engine cannot be busier than busy.
      load: it.connected ? Math.min(100, asked.get(it.id) ?? 0) : null,
    })),
    loadBalancers: [...served].filter(({ deleted }) => !deleted).map((lb) => elasticOf(lb, { parts, asked })),
  };
}

function elasticOf(lb: SimLoadBalancer, { parts, asked }: Load): ElasticLoadBalancer {
  const { projectId, vnics, group } = lb;
  const kind = { ownerProjectId: null, perApp: false, zone: null, computeFlavor: null, imageTag: null };
  const { least, most } = scaleBounds({ topology: '', flavor: {}, zone: {} }, group.properties);
  const staying = lb.placements.filter((it) => !it.deleting && !isLeaving(it));
  return {
    ...{ id: lb.id, demand: { projectId, vnics, ...kind }, least, most },
    settled: !isUnsettled(lb) && lb.runAt === null && lb.placements.every((it) => it.confirmedGeneration >= 0),
    placements: staying.map(({ engineId }) => {
      const all = asked.get(engineId) ?? 0;
      return { engineId, share: all > 0 ? (parts.get(engineId)?.get(lb) ?? 0) / all : 0 };
    }),
  };
}

function carryOut(world: World, group: SimGroup, decision: ElasticDecision): void {
  const { tally } = world;
  tally.acts.set(decision.kind, (tally.acts.get(decision.kind) ?? 0) + 1);
  if (decision.kind === 'makeEngine') {
    buildEngine(world, makeEngine(world, group));
    return;
  }
  if (decision.kind === 'retireEngine') {
    const engine = group.engines.get(decision.engineId);
    if (engine) retireEngine(world, engine);
    return;
  }
  const lb = world.loadBalancers.get(decision.loadBalancerId);
  if (lb) scale(world, lb, decision);
}

type Scaling = Extract<ElasticDecision, { readonly loadBalancerId: string }>;

function scale(world: World, lb: SimLoadBalancer, decision: Scaling): void {
  const turn = { id: lb.id, engineId: decision.engineId, demands: demandsOf(world, lb.group) };
  if (decision.kind === 'scaleOut') {
    lb.adjustment += decision.count;
    noteTurn(world, { ...turn, way: 'out', back: 'in' });
  } else if (decision.kind === 'scaleIn') {
    const kept = lb.placements.filter((it) => !it.deleting && !isLeaving(it));
    const { leave, promote } = chooseToLeave(kept, 1, decision.engineId);
    for (const it of lb.placements) {
      if (leave.includes(it)) it.request = 'scalein';
      if (it === promote) it.role = 'primary';
    }
    lb.adjustment -= leave.length;
    noteTurn(world, { ...turn, way: 'in', back: 'out' });
  } else {
    askToMove(world, lb, decision);
    const { engineId: from, to } = decision;
    noteTurn(world, { ...turn, way: `${from} to ${to}`, back: `${to} to ${from}` });
  }
  hintLoadBalancer(world, lb);
}

/** Has the load balancer leave one engine for another. */
export function askToMove(
  world: World,
  lb: SimLoadBalancer,
  { engineId, to }: { readonly engineId: string; readonly to: string | null },
): void {
  for (const it of lb.placements) {
    if (it.engineId === engineId && !it.deleting) Object.assign(it, { request: 'migrate', requestTarget: to });
    // It is just leaving the other one, and is called back.
    if (it.engineId === to && !it.deleting) Object.assign(it, { request: null, draining: false, drainUntil: null });
  }
  hintLoadBalancer(world, lb);
}

/** Within so long nothing is to be done, undone and done again, unless the load has changed by so much meanwhile. */
const MEMORY = 2 * HOUR;
const CHANGE = 0.15;
/** Percent of what an engine can do: a change of less matters to none. */
const SLIGHT = 5;

interface Turning {
  readonly id: string;
  /** Because of which. */
  readonly engineId: string;
  readonly way: string;
  /** The way that would undo it. */
  readonly back: string;
  /** Of every load balancer of the group, as it is now. */
  readonly demands: ReadonlyMap<string, number>;
}

function demandsOf(world: World, group: SimGroup): Map<string, number> {
  const all = [...world.loadBalancers.values()].filter((it) => it.group === group);
  return new Map(all.map((it) => [it.id, demandOf(world, it)]));
}

function noteTurn(world: World, { id, engineId, way, back, demands }: Turning): void {
  const { tally, clock } = world;
  const turns = (tally.turns.get(id) ?? []).filter(({ at }) => clock.now - at <= MEMORY);
  const beside = guestsOf(world.engines.get(engineId));
  const near = new Set(enginesOf(world, id).flatMap((engine) => guestsOf(engine)));
  // Who came there for another reason than its load: it was placed, or healed.
  const hasCome = (it: string, before: ReadonlySet<string>): boolean =>
    !before.has(it) && (tally.turns.get(it) ?? []).every(({ at }) => clock.now - at > MEMORY);
  // As it was for itself and for all that are beside it: else it is another load that is followed.
  const isAsBefore = (before: Turn): boolean =>
    [id, ...beside].every((it) => isAlike(before.demands.get(it), demands.get(it))) &&
    beside.filter((it) => hasCome(it, before.near)).reduce((sum, it) => sum + (demands.get(it) ?? 0), 0) < SLIGHT;
  const undone = turns.findIndex((it) => it.way === back && !it.isForced && isAsBefore(it));
  const swings = turns.slice(0, Math.max(0, undone)).some((it) => it.way === way);
  tally.turns.set(id, [...turns, { at: clock.now, way, demands, near, isForced: isImpaired(world, id) }]);
  if (!swings) return;
  const ways = turns.map((it) => `${it.way} at ${(it.at / MINUTE).toFixed(0)} min`).join(', ');
  const what = `${id} swings: ${ways}, and again ${way}`;
  tally.violations.push({ at: clock.now, what, after: 'a look at the load' });
}

function guestsOf(engine: SimEngine | undefined): string[] {
  return [...(engine?.placements ?? [])].map(({ loadBalancer }) => loadBalancer.id);
}

function enginesOf(world: World, id: string): SimEngine[] {
  return (world.loadBalancers.get(id)?.placements ?? []).map(({ engine }) => engine);
}

/** What is done while one of its engines is away, and others have its part to do besides theirs, follows from that. */
function isImpaired(world: World, id: string): boolean {
  const wired = [...(world.loadBalancers.get(id)?.wired ?? [])];
  return wired.some((engineId) => !hasData(world.engines.get(engineId)?.machine ?? null));
}

/** Absent: it came, or went, meanwhile. */
function isAlike(before: number | undefined, now: number | undefined): boolean {
  if (before === undefined || now === undefined) return before === now;
  return Math.abs(now - before) < Math.max(SLIGHT, CHANGE * before);
}
