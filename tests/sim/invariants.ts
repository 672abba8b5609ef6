import { DEFAULT_HEALING } from '../../driver/domain/healing';
import { isLeaving } from '../../driver/domain/placementPlan';
import { account, mastersOf, shareServed, termOf } from './availability';
import { MINUTE, SECOND } from './clock';
import { isServing } from './fleetJobs';
import { serviceOf } from './hints';
import { isPair } from './pairs';
import { hasData, type SimEngine, type SimLoadBalancer, type SimPlacement, seeEachOther, type World } from './world';

/** What has to be true after every event: looked at in what the event has touched, and in everything now and then. */

/** How long nothing may be under way although a load balancer has too few engines: detection, two looks of the fleet's job. */
const UNNOTICED = 20 * SECOND;

export function lookAfter(world: World, what: string): void {
  const { touched } = world;
  for (const engine of touched.tornDown.splice(0)) lookAtTornDown(world, engine, what);
  for (const engine of touched.engines) {
    engine.group.changed = true;
    lookAtEngine(world, engine, what);
  }
  for (const lb of touched.loadBalancers) {
    world.suspects.add(lb);
    lookAtLoadBalancer(world, lb, what);
  }
  touched.engines.clear();
  touched.loadBalancers.clear();
}

/** Has everything looked at after the present event. */
export function touchAll({ touched, engines, loadBalancers }: World): void {
  for (const engine of engines.values()) touched.engines.add(engine);
  for (const lb of loadBalancers.values()) touched.loadBalancers.add(lb);
}

function violate(world: World, what: string, after: string): void {
  world.tally.violations.push({ at: world.clock.now, what, after });
}

function lookAtEngine(world: World, { id, placements, slots, group }: SimEngine, after: string): void {
  if (placements.size > slots) violate(world, `${id} has ${placements.size} load balancers on ${slots} slots`, after);
  if (group.engines.size > group.properties.maxEngines) {
    const present = [...group.engines.values()].filter(({ deleting }) => !deleting).length;
    if (present > group.properties.maxEngines + group.extra)
      violate(world, `${group.name} has ${present} engines`, after);
  }
}

/** What is torn down has to have served nobody any more: no traffic was led to it that it answered. */
function lookAtTornDown(world: World, engine: SimEngine, after: string): void {
  const { machine, id } = engine;
  if (!machine || engine.rebuilt) return;
  const wasUp = machine.host.up && machine.host.dataCuts === 0 && !machine.stopped && engine.diedByUs;
  if (!wasUp) return;
  for (const lbId of machine.held) {
    const lb = world.loadBalancers.get(lbId);
    if (!lb || lb.deleted || !lb.wired.has(id)) continue;
    violate(world, `${id} was torn down while it served ${lbId}`, after);
  }
}

function lookAtLoadBalancer(world: World, lb: SimLoadBalancer, after: string): void {
  const { clock, tally } = world;
  if (!world.loadBalancers.has(lb.id) || lb.deleted) return;
  const share = shareServed(world, lb);
  if (share === 1) lb.served = true;
  if (!lb.served) return;
  const known = tally.availability.get(lb.id) ?? {
    share,
    from: clock.now,
    born: clock.now,
    lost: 0,
    impairedSince: null,
  };
  tally.availability.set(lb.id, known);
  const outage = account(known, share, clock.now);
  if (outage !== undefined && outage > 0) tally.outages.push(outage);
  if (isPair(lb)) lookAtMasters(world, lb, after);
  lookAtStrength(world, lb, after);
}

/** Never two with one term, and never two that know of each other. */
function lookAtMasters(world: World, lb: SimLoadBalancer, after: string): void {
  const { clock } = world;
  const masters = mastersOf(lb).filter(hasData);
  const [one, two] = masters;
  if (!one || !two) {
    if (lb.twoMastersSince !== null) world.tally.splitMasters += clock.now - lb.twoMastersSince;
    lb.twoMastersSince = null;
    return;
  }
  lb.twoMastersSince ??= clock.now;
  if (termOf(lb, one) === termOf(lb, two)) {
    violate(world, `${lb.id} has two masters of term ${termOf(lb, one)}: ${one.engineId}, ${two.engineId}`, after);
  } else if (seeEachOther(world, one, two) && after === 'pairs look at each other') {
    violate(world, `${lb.id} has two masters that see each other: ${one.engineId}, ${two.engineId}`, after);
  }
}

/** As many live engines as its mode demands, or something under way. */
function lookAtStrength(world: World, lb: SimLoadBalancer, after: string): void {
  const { clock, tally } = world;
  const live = lb.placements.filter(isServing).length;
  if (live >= serviceOf(lb).engines) {
    if (lb.weakSince !== null) tally.heals.push(clock.now - lb.weakSince);
    lb.weakSince = null;
    lb.idleSince = null;
    return;
  }
  lb.weakSince ??= clock.now;
  if (whyWeak(world, lb) !== undefined) {
    lb.idleSince = null;
    return;
  }
  if (lb.idleSince === null) {
    lb.idleSince = clock.now;
    clock.after(UNNOTICED + 1, 'patience is over', () => world.touched.loadBalancers.add(lb));
  }
  const idle = clock.now - lb.idleSince;
  if (idle <= UNNOTICED) return;
  lb.idleSince = clock.now + 10 * MINUTE;
  violate(
    world,
    `${lb.id} has ${live} live engines of ${serviceOf(lb).engines}, and nobody does anything about it`,
    after,
  );
}

/** What is under way for a load balancer with too few engines, or why nothing can be; undefined: nothing is. */
export function whyWeak(world: World, lb: SimLoadBalancer): string | undefined {
  const { network, controllersSince, clock, scenario } = world;
  if (!network.controllersUp) return 'the controllers are away';
  if (clock.now - controllersSince < scenario.timers.startGrace + scenario.timers.sweep)
    return 'the controllers have just come';
  if (lb.group.breaker.state !== 'closed') return 'the breaker is open';
  if (lb.lacks) return 'the group is full';
  // What has lost its way to the controllers alone goes on serving what it had in force; of a pair it may take over.
  const isApart = ({ engine, confirmedGeneration }: SimPlacement): boolean =>
    engine.isolated && (confirmedGeneration >= 0 || isPair(lb));
  const able = lb.placements.filter((it) => isServing(it) || isApart(it));
  if (able.length >= serviceOf(lb).engines) return 'engines are isolated';
  if (lb.placements.some((it) => it.engine.status === 'BUILDING')) return 'an engine is being made';
  // Also one that is back, and waits for a vNIC while the cloud is away.
  if (lb.placements.some(({ deleting, tells, engine }) => !deleting && tells > 0 && engine.connected))
    return 'an engine is being told';
  if (lb.placements.some((it) => isLeaving(it) || it.request !== null)) return 'it is healed';
  if (lb.runAt !== null) return 'a worker is about to look';
  const silent = lb.placements.filter(({ engine }) => engine.status === 'DOWN');
  return silent.some(({ engine }) => clock.now - engine.lastSeen < DEFAULT_HEALING.moveAfter + UNNOTICED)
    ? 'an engine has just fallen silent'
    : undefined;
}
