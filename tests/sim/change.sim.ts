import { DAY, HOUR, MINUTE } from './clock';
import { type LoadScenario, type Scenario, smallCloud, withoutTrouble } from './scenario';
import { simulate } from './simulate';
import type { World } from './world';

/** Upgrades, elasticity and cut engines where nothing else goes on. */

const IDLE: LoadScenario = { interval: 5 * MINUTE, mean: 0.02, swing: 1, spike: Number.POSITIVE_INFINITY, hot: 1 };

function calm(duration: number, given: Partial<Scenario> = {}): Scenario {
  return { ...withoutTrouble(smallCloud(1, duration)), load: IDLE, upgrades: [], ...given };
}

function marksOf({ groups }: World, name: string): (string | null)[] {
  const group = groups.find((it) => it.name === name);
  return [...new Set([...(group?.engines.values() ?? [])].map(({ mark }) => mark))];
}

/** A pair hands over by messages to both; the longest way is a grant that comes too late and is given again. Milliseconds. */
const LONGEST_HAND_OVER = 10_000;

it.each(['shared', 'twice', 'pairs'])(
  'upgrades every engine of the group "%s", and nobody is away but for the hand-over of a pair',
  (group) => {
    const world = simulate(calm(2 * HOUR, { upgrades: [{ group, at: MINUTE, bad: false }] }));

    expect(world.tally.upgrades).toEqual([expect.stringMatching(/DONE, [1-9]\d* replaced$/)]);
    expect(marksOf(world, group)).toEqual([expect.stringMatching(/^image of/)]);
    expect(world.tally.violations).toEqual([]);
    const most = group === 'pairs' ? LONGEST_HAND_OVER : 0;
    expect(world.tally.outages.filter((it) => it > most)).toEqual([]);
  },
);

it('stops the upgrade to an image that is worse, with one load balancer on it, and takes that back', () => {
  const world = simulate(calm(2 * HOUR, { upgrades: [{ group: 'shared', at: MINUTE, bad: true }] }));

  expect(world.tally.upgrades).toEqual([expect.stringMatching(/STOPPED, 0 replaced: 20\.0 % of the requests/)]);
  expect(marksOf(world, 'shared')).toEqual([null]);
  expect(world.tally.outages).toHaveLength(1);
  expect(world.tally.violations).toEqual([]);
});

it.each([0.01, 0.03, 0.05, 0.08])('comes to rest under a load that stays as it is: %d of an engine each', (mean) => {
  const world = simulate(calm(DAY, { load: { ...IDLE, mean, hot: 10 } }));
  const late = [...world.tally.turns.values()].flat().filter(({ at }) => at > 12 * HOUR);

  expect(late).toEqual([]);
  expect(world.tally.violations).toEqual([]);
});

it('follows day and night without swinging, and has fewer engines too busy for it', () => {
  const load: LoadScenario = { ...IDLE, mean: 0.05, swing: 2, spike: HOUR, hot: 10 };
  const scenario = calm(2 * DAY, { load });
  const groups = scenario.groups.map((it) => ({ ...it, properties: { ...it.properties, autoRebalance: false } }));

  const following = simulate(scenario);
  const still = simulate({ ...scenario, groups });

  expect(following.tally.violations).toEqual([]);
  expect([...still.tally.acts.keys()].filter((kind) => kind !== 'retireEngine')).toEqual([]);
  expect(following.tally.overloadedTime).toBeLessThan(0.7 * still.tally.overloadedTime);
  // Two days of moves: those of pairs are hand-overs.
  expect(following.tally.outages.filter((it) => it > LONGEST_HAND_OVER)).toEqual([]);
});

it('heals engines whose data network alone is cut, and trusts them again', () => {
  const scenario = calm(6 * HOUR);
  const world = simulate({ ...scenario, faults: { ...scenario.faults, dataCut: 30 * MINUTE } });
  const { tally } = world;
  const outages = [...tally.outages].sort((a, b) => a - b);

  expect(tally.violations).toEqual([]);
  expect(tally.cut).toBeGreaterThan(5);
  expect(outages.length).toBeGreaterThan(50);
  // Cuts last 15 minutes on average.
  expect(outages[Math.floor(0.9 * outages.length)]).toBeLessThan(MINUTE);
  expect([...world.engines.values()].filter(({ cut }) => cut)).toEqual([]);
});
