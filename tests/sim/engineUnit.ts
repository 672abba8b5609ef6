import { slotsOfNewEngine } from '../../driver/domain/group';
import { SECOND } from './clock';
import { onReach, removePlacements } from './health';
import { hintLoadBalancer } from './hints';
import { type Machine, type SimEngine, type SimGroup, type SimHost, touchEngine, type World } from './world';

/** The worker's runs of engines, and the compute service they ask. */

/** A row of an engine that is to be built. */
export function makeEngine(world: World, group: SimGroup, given: { id?: string; mark?: string } = {}): SimEngine {
  const { id = freshId(world), mark = group.mark } = given;
  const slots = slotsOfNewEngine(group.properties);
  const { now } = world.clock;
  const engine: SimEngine = {
    ...{
      id,
      group,
      slots,
      status: 'BUILDING',
      deleting: false,
      connected: false,
      host: null,
      machine: null,
      heard: false,
    },
    ...{
      managementAddress: null,
      mark,
      isolated: false,
      reach: new Map(),
      cut: false,
      rebuilt: false,
      diedByUs: false,
    },
    ...{
      placements: new Set(),
      vnics: new Map(),
      plugged: new Set(),
      since: now,
      lastSeen: now,
      idleSince: now,
      attempts: 0,
    },
  };
  world.engines.set(id, engine);
  group.engines.set(id, engine);
  world.touched.engines.add(engine);
  world.tally.enginesMade += 1;
  return engine;
}

export function freshId(world: World): string {
  world.made += 1;
  return `engine-${String(world.made).padStart(6, '0')}`;
}

/** Engines that bear it do not answer every fifth request. */
export const BAD_MARK = 'bad';

/** What Nova and the guest take until the agent calls. */
const BOOT = { from: 35 * SECOND, to: 75 * SECOND };
const NOVA_FAILS_AFTER = 20 * SECOND;
const RETRY = { least: 2 * SECOND, most: 30 * SECOND };

/** One run of the unit of an engine that is being built: asks for a server, waits for its call, gives up in time. */
export function buildEngine(world: World, engine: SimEngine): void {
  const { clock, chance, cloud, scenario } = world;
  const { faults, timers } = scenario;
  const left = engine.since + timers.createTimeout - clock.now;
  if (engine.attempts === 0)
    clock.after(timers.createTimeout + 1, 'an engine has not called', () => expire(world, engine));
  if (left <= 0 || isOver(world, engine)) return;
  engine.attempts += 1;
  const retry = (after: number): void => {
    const backOff = Math.min(RETRY.most, RETRY.least * 2 ** engine.attempts);
    clock.after(after + backOff, 'a server is asked for again', () => {
      if (!isOver(world, engine)) buildEngine(world, engine);
    });
  };
  const host = world.network.controllersUp && !cloud.away ? chooseHost(world, engine) : undefined;
  if (!host) {
    // The absence of a cloud uses up nobody's time.
    if (cloud.away) engine.since = clock.now;
    retry(0);
    return;
  }
  if (chance.happens(faults.bootFails)) {
    retry(NOVA_FAILS_AFTER * cloud.slowness);
    return;
  }
  if (chance.happens(faults.bootSilent)) return;
  const takes = chance.between(BOOT.from, BOOT.to) * cloud.slowness;
  clock.after(takes, 'a server has booted', () => {
    if (isOver(world, engine)) return;
    if (!host.up) {
      retry(0);
      return;
    }
    const machine: Machine = {
      ...{
        engineId: engine.id,
        host,
        alive: true,
        stopped: false,
        since: clock.now,
        held: new Set<string>(),
        routed: true,
      },
      ...{ quality: engine.mark === BAD_MARK ? 0.8 : 1, masterships: new Map() },
    };
    engine.machine = machine;
    engine.host = host.name;
    host.machines.add(machine);
    onReach(world, engine);
  });
}

function isOver(world: World, engine: SimEngine): boolean {
  return engine.deleting || engine.status !== 'BUILDING' || !world.engines.has(engine.id) || engine.machine !== null;
}

function expire(world: World, engine: SimEngine): void {
  if (engine.status !== 'BUILDING' || engine.deleting || !world.engines.has(engine.id)) return;
  const left = engine.since + world.scenario.timers.createTimeout - world.clock.now;
  if (left >= 0 || !world.network.controllersUp) {
    world.clock.after(Math.max(left, SECOND) + 1, 'an engine has not called', () => expire(world, engine));
    return;
  }
  engine.status = 'GHOST';
  world.tally.ghosts += 1;
  touchEngine(world, engine);
}

/** Anti-affinity: the host with the fewest engines of the group, then the emptiest. */
function chooseHost(world: World, { group }: SimEngine): SimHost | undefined {
  const able = world.hosts.filter(({ up, managementCuts }) => up && managementCuts === 0);
  const load = (host: SimHost): number => {
    const alike = [...host.machines].filter(({ engineId }) => group.engines.has(engineId)).length;
    return alike * 1_000 + host.machines.size;
  };
  const least = Math.min(...able.map(load));
  return world.chance.pick(able.filter((it) => load(it) === least));
}

/** Wants an engine gone: its load balancers move first. */
export function retireEngine(world: World, engine: SimEngine): void {
  if (engine.deleting) return;
  engine.deleting = true;
  touchEngine(world, engine);
  takeDown(world, engine);
}

/** One run of the unit of an engine that is to go. What lives goes on until its load balancers have left. */
function takeDown(world: World, engine: SimEngine): void {
  const { clock, cloud, network } = world;
  if (!world.engines.has(engine.id)) return;
  const again = (): void => {
    clock.after(2 * SECOND, 'an engine is to go', () => takeDown(world, engine));
  };
  if (!network.controllersUp || cloud.away) {
    again();
    return;
  }
  const serves = engine.connected && engine.placements.size > 0;
  engine.status = serves ? 'DRAINING' : 'DELETING';
  touchEngine(world, engine);
  if (serves) {
    for (const { loadBalancer } of engine.placements) hintLoadBalancer(world, loadBalancer);
    again();
    return;
  }
  world.touched.tornDown.push(engine);
  const { machine } = engine;
  if (machine) {
    engine.diedByUs = machine.alive;
    machine.alive = false;
    machine.routed = false;
    machine.host.machines.delete(machine);
  }
  const left = [...engine.placements].map(({ loadBalancer }) => loadBalancer);
  removePlacements(world, engine);
  world.engines.delete(engine.id);
  engine.group.engines.delete(engine.id);
  for (const lb of left) hintLoadBalancer(world, lb);
}
