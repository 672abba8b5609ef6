import { newMastership } from '../../driver/domain/mastership';
import { HOUR, MINUTE } from './clock';
import { lookAfter, touchAll } from './invariants';
import { isPair, machinesOf } from './pairs';
import { smallCloud, withoutTrouble } from './scenario';
import { simulate } from './simulate';
import type { SimEngine, SimLoadBalancer, World } from './world';

/** What the simulation looks at it has to find: each rule is broken here by hand. */

function quietWorld(): World {
  const world = simulate({ ...withoutTrouble(smallCloud(1, 10 * MINUTE)), upgrades: [] });
  expect(world.tally.violations).toEqual([]);
  return world;
}

function look(world: World, what = 'a test'): readonly string[] {
  touchAll(world);
  lookAfter(world, what);
  return world.tally.violations.map((it) => it.what);
}

function find<T>(all: Iterable<T>, is: (it: T) => boolean): T {
  for (const it of all) if (is(it)) return it;
  throw new Error('there is none');
}

const busy = ({ engines }: World): SimEngine => find(engines.values(), ({ placements }) => placements.size > 1);
const pair = ({ loadBalancers }: World): SimLoadBalancer => find(loadBalancers.values(), isPair);

it('finds an engine with more load balancers than slots', () => {
  const world = quietWorld();
  const engine = busy(world);
  Object.assign(engine, { slots: engine.placements.size - 1 });

  expect(look(world)).toEqual([expect.stringContaining(`${engine.id} has ${engine.placements.size} load balancers`)]);
});

it('finds a group with more engines than it may have', () => {
  const world = quietWorld();
  const [group] = world.groups;
  if (group) group.properties = { ...group.properties, maxEngines: 1 };

  expect(look(world)).toContainEqual(expect.stringMatching(/^shared has \d+ engines$/));
});

it('finds two masters of one term, and two that see each other', () => {
  const world = quietWorld();
  const lb = pair(world);
  const [one, two] = machinesOf(lb).flatMap((it) => it.masterships.get(lb.id) ?? []);
  const master = { ...newMastership(0), role: 'master' as const };
  if (one && two) Object.assign(one, { state: { ...master, term: 7 } });
  if (two) two.state = { ...master, term: 7 };

  expect(look(world)).toEqual([expect.stringContaining(`${lb.id} has two masters of term 7`)]);

  if (two) two.state = { ...master, term: 8 };

  expect(look(world, 'pairs look at each other')).toContainEqual(
    expect.stringContaining(`${lb.id} has two masters that see each other`),
  );
});

it('finds an engine that is torn down while it serves', () => {
  const world = quietWorld();
  const engine = busy(world);
  engine.diedByUs = true;
  world.touched.tornDown.push(engine);

  expect(look(world)).toHaveLength(engine.placements.size);
});

it('finds a load balancer with too few engines that nobody heals, once that was to be noticed', () => {
  const world = quietWorld();
  const lb = find(world.loadBalancers.values(), ({ group }) => group.name === 'twice');
  const [, second] = lb.placements;
  lb.placements = lb.placements.filter((it) => it !== second);
  world.clock.now += HOUR;

  expect(look(world)).toEqual([]);
  world.clock.now += MINUTE;

  expect(look(world)).toEqual([`${lb.id} has 1 live engines of 2, and nobody does anything about it`]);
});

it('takes an isolated engine for one that serves only if it has said so', () => {
  const world = quietWorld();
  const lb = find(world.loadBalancers.values(), ({ group }) => group.name === 'twice');
  const [first, second] = lb.placements;
  if (first) first.engine.isolated = true;
  if (second) Object.assign(second, { stale: true }).engine.isolated = true;

  look(world);
  world.clock.now += MINUTE;
  expect(look(world)).toEqual([]);

  if (second) second.confirmedGeneration = -1;
  look(world);
  world.clock.now += MINUTE;

  expect(look(world)).toEqual([`${lb.id} has 1 live engines of 2, and nobody does anything about it`]);
});

it('takes an engine that is back and has yet to answer for one that is being told', () => {
  const world = quietWorld();
  const lb = find(world.loadBalancers.values(), ({ group }) => group.name === 'twice');
  const [, second] = lb.placements;
  if (second) Object.assign(second, { stale: true, tells: 1 });

  look(world);
  world.clock.now += MINUTE;
  expect(look(world)).toEqual([]);

  if (second) second.tells = 0;
  look(world);
  world.clock.now += MINUTE;

  expect(look(world)).toEqual([`${lb.id} has 1 live engines of 2, and nobody does anything about it`]);
});
