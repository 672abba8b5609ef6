import { DOWN_AFTER_SILENCE, statusAfterHello } from '../../driver/domain/engine';
import { SECOND } from './clock';
import { hintLoadBalancer } from './hints';
import { tellGrant, watchPairs } from './pairs';
import { forgetCuts } from './reach';
import { hasData, isHeard, type SimEngine, type SimPlacement, touchEngine, type World } from './world';

/** The health-manager: who is heard, who is silent, and what engines are told and say. */

/** To be called whenever it may have changed whether controllers and the engine can talk. */
export function onReach(world: World, engine: SimEngine): void {
  const heard = isHeard(world, engine);
  if (heard === engine.heard) return;
  engine.heard = heard;
  touchEngine(world, engine);
  if (heard) {
    arrive(world, engine);
    return;
  }
  engine.lastSeen = world.clock.now;
  watchSilence(world, engine, world.scenario.timers.heartbeatTimeout);
}

/** To be called when the controllers are back: who does not call is silent, though not at once. */
export function watchAll(world: World): void {
  for (const engine of world.engines.values()) {
    onReach(world, engine);
    if (!engine.heard) watchSilence(world, engine, world.scenario.timers.startGrace);
  }
}

/** Engines come back within a moment; after the controllers were away, spread out. */
function arrive(world: World, engine: SimEngine): void {
  const { clock, chance, scenario } = world;
  const storm = clock.now - world.controllersSince < scenario.timers.startGrace;
  const delay = engine.connected && !storm ? 0 : chance.between(0.1, storm ? 10 : 2) * SECOND;
  clock.after(delay, 'an engine says hello', () => {
    if (!isHeard(world, engine) || !world.engines.has(engine.id)) return;
    if (engine.rebuilt) return;
    engine.lastSeen = clock.now;
    const before = engine.status;
    engine.status = statusAfterHello(before);
    if (before !== engine.status) engine.since = clock.now;
    if (before === 'DOWN') forgetCuts(engine);
    engine.connected = true;
    touchEngine(world, engine);
    forgetUnplaced(engine);
    for (const placement of engine.placements) tellEngine(world, placement);
    if (before === 'BUILDING' || before === 'DOWN') {
      for (const lb of world.loadBalancers.values()) {
        if (lb.group === engine.group && lb.placements.length === 0) hintLoadBalancer(world, lb);
      }
    }
  });
}

/** An engine compares what it holds with what is placed on it. */
function forgetUnplaced({ machine, placements }: SimEngine): void {
  const placed = new Set([...placements].map(({ loadBalancer }) => loadBalancer.id));
  for (const id of machine?.held ?? []) {
    if (placed.has(id)) continue;
    machine?.held.delete(id);
    machine?.masterships.delete(id);
  }
}

function watchSilence(world: World, engine: SimEngine, timeout: number): void {
  const { clock } = world;
  clock.after(timeout + 1, 'an engine may be silent', () => {
    if (!world.engines.has(engine.id) || isHeard(world, engine) || !world.network.controllersUp) return;
    // Right after their start controllers do not trust what is written of engines.
    const trust = world.controllersSince + world.scenario.timers.startGrace - clock.now;
    if (trust > 0) {
      watchSilence(world, engine, trust);
      return;
    }
    if (clock.now - engine.lastSeen < world.scenario.timers.heartbeatTimeout) return;
    silence(world, engine);
  });
}

function silence(world: World, engine: SimEngine): void {
  if (!engine.connected && engine.status !== 'READY') return;
  engine.connected = false;
  if (DOWN_AFTER_SILENCE.includes(engine.status)) {
    engine.status = 'DOWN';
    engine.since = world.clock.now;
  }
  for (const placement of engine.placements) {
    placement.stale = true;
    hintLoadBalancer(world, placement.loadBalancer);
  }
  touchEngine(world, engine);
}

const PUSH = { from: 0.05 * SECOND, to: 0.3 * SECOND };
/** Nova plugs in a port. */
const ATTACH = 6 * SECOND;

/** Has the engine told what it is to do with the load balancer; its answer changes the rows. */
export function tellEngine(world: World, placement: SimPlacement): void {
  const { engine, loadBalancer } = placement;
  if (!engine.connected) return;
  const { clock, chance, cloud } = world;
  const plugs = !placement.deleting && loadBalancer.vnics.some((key) => !engine.plugged.has(key));
  const takes = chance.between(PUSH.from, PUSH.to) + (plugs ? ATTACH * cloud.slowness : 0);
  placement.tells += 1;
  clock.after(takes, 'an engine answers', () => {
    placement.tells -= 1;
    if (!engine.placements.has(placement) || !isHeard(world, engine) || !engine.connected) return;
    if (plugs && cloud.away) {
      placement.tells += 1;
      clock.after(5 * SECOND, 'a vNIC is asked for again', () => {
        placement.tells -= 1;
        tellEngine(world, placement);
      });
      return;
    }
    answer(world, placement);
  });
}

function answer(world: World, placement: SimPlacement): void {
  const { engine, loadBalancer } = placement;
  const { machine } = engine;
  if (!machine) return;
  touchEngine(world, engine);
  world.touched.loadBalancers.add(loadBalancer);
  if (placement.deleting) {
    machine.held.delete(loadBalancer.id);
    machine.masterships.delete(loadBalancer.id);
    forgetPlacement(world, placement);
  } else {
    for (const key of loadBalancer.vnics) engine.plugged.add(key);
    machine.held.add(loadBalancer.id);
    placement.confirmedGeneration = placement.wantedGeneration;
    placement.stale = false;
    watchPairs(world, [loadBalancer]);
    tellGrant(world, placement);
  }
  hintLoadBalancer(world, loadBalancer);
}

/** The placement is gone, and its slot free. */
export function forgetPlacement(world: World, placement: SimPlacement): void {
  const { engine, loadBalancer } = placement;
  if (!engine.placements.delete(placement)) return;
  loadBalancer.placements = loadBalancer.placements.filter((it) => it !== placement);
  for (const key of loadBalancer.vnics) {
    const left = (engine.vnics.get(key) ?? 1) - 1;
    if (left > 0) engine.vnics.set(key, left);
    else {
      engine.vnics.delete(key);
      engine.plugged.delete(key);
    }
  }
  if (engine.placements.size === 0) engine.idleSince = world.clock.now;
  world.touched.loadBalancers.add(loadBalancer);
  world.touched.engines.add(engine);
}

export function removePlacements(world: World, engine: SimEngine): void {
  for (const placement of [...engine.placements]) forgetPlacement(world, placement);
}

/** To be called whenever it may have changed whether the engine can be reached by traffic: routes follow, in their time. */
export function onTraffic(world: World, engine: SimEngine): void {
  const { machine } = engine;
  if (!machine) return;
  touchEngine(world, engine);
  const { healthCheck, routesExpire } = world.scenario.timers;
  const reachable = hasData(machine);
  if (reachable === machine.routed) return;
  const hostGone = !machine.host.up || machine.host.dataCuts > 0;
  world.clock.after(hostGone ? routesExpire : healthCheck, 'routes follow', () => {
    if (hasData(machine) !== reachable) return;
    machine.routed = reachable;
    touchEngine(world, engine);
  });
}
