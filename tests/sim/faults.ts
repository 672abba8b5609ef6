import { HOUR, MINUTE, SECOND } from './clock';
import { onReach, onTraffic, watchAll } from './health';
import { hintLoadBalancer, isUnsettled } from './hints';
import { watchPairs } from './pairs';
import { type Machine, type SimEngine, type SimHost, touchEngine, type World } from './world';

/** What goes wrong, and how it ends. */

/** Has everything of the scenario happen from now on. */
export function unleash(world: World, until: number): void {
  const { clock, chance, scenario } = world;
  const { faults } = scenario;
  const often = (name: string, mean: number, act: () => void): void => {
    if (!Number.isFinite(mean)) return;
    const source = chance.fork(name);
    const next = (): void => {
      const delay = source.waiting(mean);
      if (clock.now + delay > until) return;
      clock.after(delay, name, () => {
        world.tally.faults.set(name, (world.tally.faults.get(name) ?? 0) + 1);
        act();
        next();
      });
    };
    next();
  };
  const machine = (act: (machine: Machine) => void) => () => withMachine(world, act);
  const host = (act: (hosts: readonly SimHost[]) => void) => () =>
    act([chance.pick(world.hosts)].flatMap((it) => it ?? []));
  const rack = (act: (hosts: readonly SimHost[]) => void) => () => act(rackOf(world, chance.index(scenario.racks)));
  often(
    'engine crashes',
    faults.crash,
    machine((it) => crash(world, it)),
  );
  often(
    'engines that hang',
    faults.hang,
    machine((it) => stop(world, it, chance.between(2, 90) * SECOND)),
  );
  often(
    'hosts lost',
    faults.hostLost,
    host((it) => loseHosts(world, it, chance.between(5, 300) * MINUTE)),
  );
  often(
    'management cuts',
    faults.managementCut,
    host((it) => cut(world, it, 'managementCuts')),
  );
  often(
    'management cuts of a rack',
    faults.rackManagementCut,
    rack((it) => cut(world, it, 'managementCuts')),
  );
  often(
    'data cuts',
    faults.dataCut,
    host((it) => cut(world, it, 'dataCuts')),
  );
  often(
    'data cuts of a rack',
    faults.rackDataCut,
    rack((it) => cut(world, it, 'dataCuts')),
  );
  often('splits between racks', faults.peerSplit, () => split(world));
  often('controllers away', faults.controllersAway, () => stopControllers(world, chance.between(0.5, 30) * MINUTE));
  often('slow clouds', faults.cloudSlow, () => slowDown(world));
  often('clouds away', faults.cloudAway, () => stopCloud(world));
  often(
    'foreign moves',
    faults.foreignMove,
    machine((it) => moveAway(world, it)),
  );
  often(
    'foreign rebuilds',
    faults.foreignRebuild,
    machine((it) => rebuild(world, it)),
  );
  for (const at of faults.racksGone) {
    clock.after(at, 'a rack is gone', () => {
      world.tally.faults.set('racks gone', (world.tally.faults.get('racks gone') ?? 0) + 1);
      loseHosts(world, rackOf(world, chance.index(scenario.racks)), 2 * HOUR);
    });
  }
}

function rackOf({ hosts }: World, rack: number): SimHost[] {
  return hosts.filter((it) => it.rack === rack);
}

function withMachine(world: World, act: (machine: Machine) => void): void {
  const all = [...world.engines.values()].flatMap(({ machine }) => (machine?.alive ? machine : []));
  const machine = world.chance.pick(all);
  if (machine) act(machine);
}

function ownerOf(world: World, machine: Machine): SimEngine | undefined {
  const engine = world.engines.get(machine.engineId);
  return engine?.machine === machine ? engine : undefined;
}

/** Tells everybody of what has become of these machines. */
function changed(world: World, machines: Iterable<Machine>): void {
  const pairs = new Set([...machines].flatMap((machine) => [...machine.held]));
  for (const machine of machines) {
    const engine = ownerOf(world, machine);
    if (!engine) continue;
    onReach(world, engine);
    onTraffic(world, engine);
    for (const { loadBalancer } of engine.placements) pairs.add(loadBalancer.id);
  }
  watchPairs(
    world,
    [...pairs].flatMap((id) => world.loadBalancers.get(id) ?? []),
  );
}

function on(hosts: readonly SimHost[]): Machine[] {
  return hosts.flatMap(({ machines }) => [...machines]);
}

function setAlive(world: World, machine: Machine, alive: boolean): void {
  if (machine.alive === alive || !ownerOf(world, machine)) return;
  machine.alive = alive;
  machine.stopped = false;
  machine.since = world.clock.now;
  changed(world, [machine]);
}

function stop(world: World, machine: Machine, time: number): void {
  setAlive(world, machine, false);
  world.clock.after(time, 'an engine goes on', () => setAlive(world, machine, true));
}

/** Half of them boot again by themselves; of the others Nova shows half as stopped, some time later. */
function crash(world: World, machine: Machine): void {
  const { chance, clock } = world;
  if (chance.happens(0.5)) {
    stop(world, machine, chance.between(40, 120) * SECOND);
    return;
  }
  setAlive(world, machine, false);
  if (chance.happens(0.5)) return;
  clock.after(chance.between(5, 60) * SECOND, 'a server is seen stopped', () => {
    machine.stopped = !machine.alive;
  });
}

function loseHosts(world: World, hosts: readonly SimHost[], time: number): void {
  const { clock, chance } = world;
  const lost = hosts.filter(({ up }) => up);
  for (const host of lost) host.up = false;
  changed(world, on(lost));
  clock.after(time, 'hosts are back', () => {
    for (const host of lost) {
      host.up = true;
      for (const machine of host.machines) if (chance.happens(0.5)) machine.alive = false;
    }
    changed(world, on(lost));
  });
}

function cut(world: World, hosts: readonly SimHost[], what: 'managementCuts' | 'dataCuts'): void {
  for (const host of hosts) host[what] += 1;
  changed(world, on(hosts));
  world.clock.after(world.chance.between(0.2, 30) * MINUTE, 'a cut is mended', () => {
    for (const host of hosts) host[what] -= 1;
    changed(world, on(hosts));
  });
}

function split(world: World): void {
  const { network, chance, scenario, hosts } = world;
  if (network.side.size > 0) return;
  const racks = Array.from({ length: scenario.racks }, (_, rack) => rack);
  network.side = new Set(racks.filter(() => chance.happens(0.5)));
  changed(world, on(hosts));
  world.clock.after(chance.between(0.2, 15) * MINUTE, 'a split is mended', () => {
    network.side = new Set();
    changed(world, on(hosts));
  });
}

function stopControllers(world: World, time: number): void {
  const { network, clock } = world;
  if (!network.controllersUp) return;
  network.controllersUp = false;
  changed(world, on(world.hosts));
  clock.after(time, 'controllers are back', () => {
    network.controllersUp = true;
    world.controllersSince = clock.now;
    watchAll(world);
    changed(world, on(world.hosts));
    for (const lb of world.loadBalancers.values()) if (isUnsettled(lb)) hintLoadBalancer(world, lb);
  });
}

function slowDown({ cloud, clock, chance }: World): void {
  if (cloud.slowness > 1) return;
  cloud.slowness = chance.between(2, 10);
  clock.after(chance.between(10, 60) * MINUTE, 'the cloud is as fast as ever', () => {
    cloud.slowness = 1;
  });
}

function stopCloud({ cloud, clock, chance }: World): void {
  if (cloud.away) return;
  cloud.away = true;
  clock.after(chance.between(1, 30) * MINUTE, 'the cloud is back', () => {
    cloud.away = false;
  });
}

/** What audits find they find within so long. */
const AUDIT = MINUTE;

function moveAway(world: World, machine: Machine): void {
  const engine = ownerOf(world, machine);
  const host = world.chance.pick(world.hosts.filter(({ up }) => up));
  if (!engine || !host) return;
  machine.host.machines.delete(machine);
  machine.host = host;
  host.machines.add(machine);
  changed(world, [machine]);
  world.clock.after(world.chance.between(0, AUDIT), 'a move is noticed', () => {
    engine.host = machine.host.name;
    touchEngine(world, engine);
  });
}

function rebuild(world: World, machine: Machine): void {
  const engine = ownerOf(world, machine);
  if (!engine) return;
  setAlive(world, machine, false);
  engine.rebuilt = true;
  machine.held.clear();
  machine.masterships.clear();
  world.clock.after(world.chance.between(40, 90) * SECOND, 'a rebuilt server is up', () =>
    setAlive(world, machine, true),
  );
  world.clock.after(AUDIT + world.chance.between(0, AUDIT), 'a rebuild is noticed', () => {
    if (world.engines.has(engine.id)) world.onRebuilt(engine);
  });
}
