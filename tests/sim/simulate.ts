import { CLOSED_BREAKER } from '../../driver/domain/breaker';
import { NOTHING_SEEN } from '../../driver/domain/elasticity';
import { account, shareServed } from './availability';
import { createChance } from './chance';
import { HOUR, MINUTE, SimClock } from './clock';
import { followLoad } from './elasticity';
import { retireEngine } from './engineUnit';
import { unleash } from './faults';
import { startJobs } from './fleetJobs';
import { isUnsettled, serviceOf } from './hints';
import { lookAfter, touchAll } from './invariants';
import { spike } from './load';
import { runLoadBalancer } from './loadBalancerUnit';
import type { Scenario } from './scenario';
import { newTally } from './tally';
import { startUpgrade } from './upgrades';
import { comeAndGo, settleIn } from './users';
import type { SimGroup, World } from './world';

/** Load balancers are made, and engines booted, before anything goes wrong. */
const WARM_UP = 20 * MINUTE;
/** After the last trouble everything has to come to rest. */
const CALM = 8 * HOUR;

/** A whole simulation. The same scenario gives the same course, event by event. */
export function simulate(scenario: Scenario): World {
  const world = createWorld(scenario);
  const { clock } = world;
  const look = (what: string): void => lookAfter(world, what);
  settleIn(world, WARM_UP / 2);
  startJobs(world);
  clock.every(10 * MINUTE, 'all is looked at', () => touchAll(world));
  clock.every(5 * MINUTE, 'engines are counted', () => countEngines(world));
  clock.runUntil(WARM_UP, look);
  const end = WARM_UP + scenario.duration;
  followLoad(world);
  for (const upgrade of scenario.upgrades) startUpgrade(world, upgrade);
  unleash(world, end);
  spike(world, end);
  comeAndGo(world, end);
  clock.runUntil(end, look);
  closeBooks(world);
  clock.runUntil(end + CALM, look);
  lookAtRest(world);
  return world;
}

function createWorld(scenario: Scenario): World {
  const groups = scenario.groups.map(
    ({ name, properties }): SimGroup => ({
      name,
      properties,
      engines: new Map(),
      mark: null,
      extra: 0,
      elasticity: NOTHING_SEEN,
      breaker: CLOSED_BREAKER,
      changed: true,
    }),
  );
  const world: World = {
    ...{ scenario, groups, clock: new SimClock(), chance: createChance(scenario.seed), tally: newTally() },
    hosts: Array.from({ length: scenario.hosts }, (_, index) => ({
      ...{ name: `host-${index}`, rack: index % scenario.racks, up: true },
      ...{ managementCuts: 0, dataCuts: 0, machines: new Set() },
    })),
    ...{ engines: new Map(), loadBalancers: new Map() },
    ...{ network: { controllersUp: true, side: new Set() }, cloud: { away: false, slowness: 1 } },
    ...{
      touched: { loadBalancers: new Set(), engines: new Set(), tornDown: [] },
      suspects: new Set(),
      controllersSince: -HOUR,
      made: 0,
    },
    run: (lb) => runLoadBalancer(world, lb),
    onRebuilt: (engine) => retireEngine(world, engine),
  };
  return world;
}

/** How few engines would do: every load balancer's slots, packed, in each group. */
function countEngines({ groups, loadBalancers, tally, engines }: World): void {
  const slots = new Map(groups.map((group) => [group, 0]));
  for (const lb of loadBalancers.values()) slots.set(lb.group, (slots.get(lb.group) ?? 0) + serviceOf(lb).engines);
  const ideal = [...slots].reduce(
    (sum, [{ properties }, used]) => sum + Math.ceil(used / properties.slotsPerEngine),
    0,
  );
  tally.sizes.push({ engines: [...engines.values()].filter(({ machine }) => machine?.alive).length, ideal });
}

/** What is counted is counted up to now. */
function closeBooks(world: World): void {
  const { loadBalancers, tally, clock } = world;
  for (const lb of loadBalancers.values()) {
    const known = tally.availability.get(lb.id);
    if (known) account(known, shareServed(world, lb), clock.now);
  }
  tally.booksClosedAt = clock.now;
}

/** Long after the last trouble everybody is served whole, and nothing is left to be done. */
function lookAtRest(world: World): void {
  const { clock, tally } = world;
  for (const lb of world.loadBalancers.values()) {
    const share = shareServed(world, lb);
    const troubled =
      share < 1 ? `is served to ${Math.round(100 * share)} %` : isUnsettled(lb) ? 'is not settled' : undefined;
    if (troubled) tally.violations.push({ at: clock.now, what: `${lb.id} ${troubled} at the end`, after: 'the calm' });
  }
  for (const { name, breaker } of world.groups) {
    if (breaker.state !== 'closed') {
      tally.violations.push({
        at: clock.now,
        what: `the breaker of ${name} is ${breaker.state} at the end`,
        after: 'the calm',
      });
    }
  }
}
