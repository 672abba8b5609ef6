import { isLive, judgeAnswers } from '../../driver/domain/answers';
import type { EngineCandidate } from '../../driver/domain/candidate';
import { chooseEngines, rolesForNew } from '../../driver/domain/placement';
import type { Service } from '../../driver/domain/placementDemand';
import { isLeaving, type PlacementPlan, planPlacements } from '../../driver/domain/placementPlan';
import type { Placement } from '../../driver/domain/tree';
import { servingEngines } from '../../driver/reconcile/contrailWiring';
import { SECOND } from './clock';
import { buildEngine, makeEngine } from './engineUnit';
import { forgetPlacement, tellEngine } from './health';
import { hintLoadBalancer, serviceOf } from './hints';
import { grant, isPair } from './pairs';
import { cutFrom } from './reach';
import type { SimEngine, SimLoadBalancer, SimPlacement, World } from './world';

/** The worker's runs of load balancers: in the order of `driver/reconcile`, with rows in memory. What is decided is decided there. */

/** One run of a load balancer's unit. */
export function runLoadBalancer(world: World, lb: SimLoadBalancer): void {
  if (!world.network.controllersUp || !world.loadBalancers.has(lb.id)) return;
  world.touched.loadBalancers.add(lb);
  if (lb.deleted) tearDown(world, lb);
  else bringUp(world, lb);
}

function bringUp(world: World, lb: SimLoadBalancer): void {
  const service = serviceOf(lb);
  const plan = planPlacements(lb, service.engines);
  if (tellEngines(world, lb, { plan, service })) return;
  if (isPair(lb)) grant(world, lb);
  const answers = judgeAnswers(lb);
  if (answers.kind !== 'confirmed') return;
  letGo(world, lb, plan.drop);
  const masterTerm = lb.term > 0 ? lb.term : null;
  lb.wired = new Set([...servingEngines({ ...lb, masterTerm }, plan.drop), ...leavingPair(lb)]);
  lb.settledGeneration = lb.generation;
}

/** An engine of a pair keeps its way to the VIP until it has ended what is under way: others do not share that way. */
function leavingPair(lb: SimLoadBalancer): string[] {
  if (!isPair(lb)) return [];
  return lb.placements.filter(({ draining, deleting }) => draining && !deleting).map(({ engineId }) => engineId);
}

interface Wish {
  readonly plan: PlacementPlan;
  readonly service: Service;
}

/** True when engines have only now been told. */
function tellEngines(world: World, lb: SimLoadBalancer, { plan, service }: Wish): boolean {
  const present = lb.placements.filter(({ deleting }) => !deleting);
  const recalled = present.filter((it) => it.draining && !plan.drop.includes(it));
  const outdated = present.filter(
    (it) => it.wantedGeneration < lb.generation || plan.repeat.includes(it) || recalled.includes(it),
  );
  const lost = lb.placements.filter((it) => it.deleting && !isLive(it));
  const fresh = plan.add === 0 ? [] : place(world, lb, { plan, service });
  for (const it of recalled) Object.assign(it, { draining: false, drainUntil: null });
  for (const it of outdated) it.wantedGeneration = lb.generation;
  for (const it of lost) forgetPlacement(world, it);
  for (const it of [...outdated, ...fresh]) tellEngine(world, it);
  return outdated.length + fresh.length > 0;
}

/** Chooses engines, takes a slot on each, and has those made that are lacking. */
function place(world: World, lb: SimLoadBalancer, { plan, service }: Wish): SimPlacement[] {
  const { group, projectId, vnics } = lb;
  const { perApp, zone, computeFlavor, imageTag } = service;
  const demand = { projectId, ownerProjectId: null, perApp, zone, computeFlavor, imageTag, vnics };
  const request = { count: plan.add, demand, ...plan };
  const candidates = [...group.engines.values()].map(toCandidate);
  const choice = chooseEngines(request, candidates, group.properties);
  lb.lacks = choice.missing > 0;
  if (lb.lacks) world.tally.lacks += 1;
  const made = Array.from({ length: choice.newEngines }, () => makeEngine(world, group));
  for (const engine of made) buildEngine(world, engine);
  const chosen = choice.engineIds.flatMap((id) => group.engines.get(id) ?? []);
  const kept = lb.placements.filter((it) => !it.deleting && !isLeaving(it)).map(({ role }) => role);
  const roles = rolesForNew(chosen.length + made.length, { kept, haMode: service.haMode, isGranted: lb.term > 0 });
  if (lb.served) world.tally.moves.add(world.clock.now, chosen.length + made.length);
  return [...chosen, ...made].map((engine, index) =>
    addPlacement(world, { lb, engine, role: roles[index] ?? 'primary' }),
  );
}

/** An engine as placement sees it. */
export function toCandidate(engine: SimEngine): EngineCandidate {
  const { id, status, deleting, connected, slots, host } = engine;
  return {
    ...{ id, status, deleting, connected, slots, host },
    slotsUsed: engine.placements.size,
    ...{ zone: null, computeFlavor: null, imageTag: null, projectId: null, perApp: false, ownerProjectId: null },
    ...{ cutFrom: cutFrom(engine), vnics: [...engine.vnics.keys()] },
  };
}

interface NewPlacement {
  readonly lb: SimLoadBalancer;
  readonly engine: SimEngine;
  readonly role: Placement['role'];
}

function addPlacement(world: World, { lb, engine, role }: NewPlacement): SimPlacement {
  world.made += 1;
  const placement: SimPlacement = {
    id: `placement-${world.made}`,
    ...{ loadBalancer: lb, engineId: engine.id, engine, role, since: world.clock.now, drainUntil: null, tells: 0 },
    ...{ deleting: false, stale: false, refused: false, refusals: [], draining: false },
    ...{ request: null, requestId: null, requestTarget: null },
    ...{ wantedGeneration: lb.generation, wantedEpoch: 1, confirmedGeneration: -1 },
  };
  lb.placements.push(placement);
  engine.placements.add(placement);
  for (const key of lb.vnics) engine.vnics.set(key, (engine.vnics.get(key) ?? 0) + 1);
  world.touched.engines.add(engine);
  return placement;
}

/** Takes off what others have replaced: engines that live keep their connections for a while first. */
function letGo(world: World, lb: SimLoadBalancer, drop: readonly Placement[]): void {
  const { clock, chance } = world;
  const timeout = lb.group.properties.scaleinTimeout * SECOND;
  for (const placement of lb.placements.filter((it) => drop.includes(it))) {
    if (!isLive(placement)) {
      forgetPlacement(world, placement);
    } else if (!placement.draining && timeout > 0 && !placement.engine.cut) {
      // Connections of most have ended before their time is over.
      const until = clock.now + Math.min(timeout, chance.between(0.1, 1.3) * timeout);
      Object.assign(placement, { draining: true, drainUntil: until });
      hintLoadBalancer(world, lb, until - clock.now + 1);
    } else if (placement.drainUntil === null || placement.drainUntil <= clock.now) {
      placement.deleting = true;
      tellEngine(world, placement);
    }
  }
}

function tearDown(world: World, lb: SimLoadBalancer): void {
  lb.wired = new Set();
  for (const placement of [...lb.placements]) {
    if (!isLive(placement)) forgetPlacement(world, placement);
    else if (!placement.deleting) {
      placement.deleting = true;
      tellEngine(world, placement);
    }
  }
  if (lb.placements.length === 0) world.loadBalancers.delete(lb.id);
}
