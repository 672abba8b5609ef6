import {
  type ElasticEngine,
  type ElasticGroup,
  type ElasticityPlan,
  type ElasticitySettings,
  type ElasticityState,
  type ElasticityView,
  type ElasticLoadBalancer,
  NOTHING_SEEN,
  planElasticity,
} from '../../driver/domain/elasticity';

const MINUTE = 60_000;
const SETTINGS: ElasticitySettings = {
  autoRebalance: true,
  interval: 5 * MINUTE,
  maxLoad: 80,
  minLoad: 30,
  deprovisionDelay: 120 * MINUTE,
};
const GROUP: ElasticGroup = {
  maxEngines: 10,
  minEngines: 0,
  bufferEngines: 0,
  slotsPerEngine: 10,
  algorithm: 'packed',
  hostRedundancy: false,
  tenancy: 'shared',
  perApp: false,
  maxVnics: 10,
};

function engine(id: string, load: number | null, slotsUsed = 1, more: Partial<ElasticEngine> = {}): ElasticEngine {
  return {
    ...{ id, load, slotsUsed, status: 'READY', deleting: false, connected: true, slots: 10, host: null, zone: null },
    ...{ computeFlavor: null, imageTag: null, projectId: null, perApp: false, ownerProjectId: null, vnics: [] },
    ...more,
  };
}

function balancer(id: string, shares: Record<string, number>, more: Partial<ElasticLoadBalancer> = {}) {
  return {
    id,
    demand: {
      ...{ projectId: 'p', ownerProjectId: null, perApp: false, zone: null, computeFlavor: null, imageTag: null },
      vnics: [],
    },
    placements: Object.entries(shares).map(([engineId, share]) => ({ engineId, share })),
    ...{ least: 1, most: 4, settled: true },
    ...more,
  };
}

interface Scene {
  readonly engines: readonly ElasticEngine[];
  readonly loadBalancers?: readonly ElasticLoadBalancer[];
  readonly group?: Partial<ElasticGroup>;
  readonly settings?: Partial<ElasticitySettings>;
  readonly state?: ElasticityState;
}

/** Engines have been like this for two looks, or as loaded as is said. */
function seenBefore(engines: readonly ElasticEngine[], loads: Record<string, number> = {}): ElasticityState {
  const notes = engines.map(({ id, load }): [string, ElasticityState['lately'][string]] => [
    id,
    load === null ? [] : [[-10 * MINUTE, loads[id] ?? load]],
  ]);
  return { ...NOTHING_SEEN, lately: Object.fromEntries(notes) };
}

function look({ engines, loadBalancers = [], group, settings, state }: Scene, now = 0): ElasticityPlan {
  const view: ElasticityView = {
    group: { ...GROUP, ...group },
    engines,
    loadBalancers,
    state: state ?? seenBefore(engines),
  };
  return planElasticity(view, { ...SETTINGS, ...settings }, now);
}

describe('an engine with too much to do', () => {
  it('has the load balancer scaled out that makes up most of its load', () => {
    const { decisions } = look({ engines: [engine('a', 90)], loadBalancers: [balancer('hot', { a: 1 })] });

    expect(decisions).toEqual([expect.objectContaining({ kind: 'scaleOut', loadBalancerId: 'hot', count: 1 })]);
  });

  it('gets as many engines as bring the load between the bounds at once', () => {
    const { decisions } = look({
      engines: [engine('a', 100), engine('b', 100)],
      loadBalancers: [balancer('hot', { a: 1, b: 1 })],
    });

    expect(decisions).toEqual([expect.objectContaining({ kind: 'scaleOut', count: 2 })]);
  });

  it('gives one of several load balancers to the engine that has least to do', () => {
    const { decisions } = look({
      engines: [engine('a', 90, 3), engine('b', 50), engine('c', 35)],
      loadBalancers: ['1', '2', '3'].map((id) => balancer(id, { a: 1 / 3 })),
    });

    expect(decisions).toEqual([expect.objectContaining({ kind: 'migrate', engineId: 'a', to: 'c' })]);
  });

  it('does not load another engine to its own bound', () => {
    const { decisions } = look({
      engines: [engine('a', 90, 3), engine('b', 65)],
      loadBalancers: ['1', '2', '3'].map((id) => balancer(id, { a: 1 / 3 }, { most: 1 })),
    });

    expect(decisions).toEqual([expect.objectContaining({ kind: 'makeEngine', engineId: 'a' })]);
  });

  it('waits for an engine that is being built', () => {
    const { decisions, stuck } = look({
      engines: [engine('a', 90, 3), engine('b', null, 0, { status: 'BUILDING', slots: 0 })],
      loadBalancers: ['1', '2', '3'].map((id) => balancer(id, { a: 1 / 3 }, { most: 1 })),
    });

    expect([decisions, stuck]).toEqual([[], []]);
  });

  it('is told of once when nothing can be done for it', () => {
    const scene = { engines: [engine('a', 95)], loadBalancers: [balancer('hot', { a: 1 }, { most: 1 })] };
    const first = look(scene);

    expect(first.stuck).toEqual([expect.objectContaining({ engineId: 'a' })]);
    expect(look({ ...scene, state: first.state }, SETTINGS.interval).stuck).toEqual([]);
  });

  it('is left alone while something is under way with what is on it', () => {
    const { decisions } = look({
      engines: [engine('a', 95), engine('b', 35)],
      loadBalancers: [balancer('hot', { a: 1 }, { settled: false })],
    });

    expect(decisions).toEqual([]);
  });

  it('has nothing concluded from it while it does not tell its load', () => {
    const { decisions } = look({ engines: [engine('a', null)], loadBalancers: [balancer('hot', { a: 1 })] });

    expect(decisions).toEqual([]);
  });
});

describe('engines with too little to do', () => {
  it('are left by load balancers that were scaled out to them, never below what these need', () => {
    const scaledOut = (least: number) => ({
      engines: [engine('a', 20), engine('b', 25)],
      loadBalancers: [balancer('calm', { a: 1, b: 1 }, { least })],
    });

    expect(look(scaledOut(1)).decisions).toEqual([expect.objectContaining({ kind: 'scaleIn', engineId: 'a' })]);
    expect(look(scaledOut(2)).decisions).toEqual([]);
  });

  it('keep what would come to the others too close to their bound', () => {
    const { decisions } = look({
      engines: [engine('a', 29), engine('b', 29)],
      loadBalancers: [balancer('calm', { a: 1, b: 1 })],
    });

    expect(decisions).toEqual([]);
  });

  it('are emptied onto the fullest that has room, as a whole', () => {
    const { decisions } = look({
      engines: [engine('a', 10, 2), engine('b', 30, 5), engine('c', 32, 4)],
      loadBalancers: [balancer('1', { a: 0.5 }), balancer('2', { a: 0.5 })],
    });

    expect(decisions).toEqual([
      expect.objectContaining({ kind: 'migrate', loadBalancerId: '1', engineId: 'a', to: 'b' }),
      expect.objectContaining({ kind: 'migrate', loadBalancerId: '2', engineId: 'a', to: 'b' }),
    ]);
  });

  it.each([
    ['the buffer needs its slots', { bufferEngines: 2 }],
    ['the group is to have so many', { minEngines: 3 }],
    ['load balancers are to be spread out', { algorithm: 'distributed' as const }],
  ])('are kept as they are when %s', (_, group) => {
    const { decisions } = look({
      engines: [engine('a', 10, 2), engine('b', 32, 5), engine('c', 32, 4)],
      loadBalancers: [balancer('1', { a: 0.5 }), balancer('2', { a: 0.5 })],
      group,
    });

    expect(decisions).toEqual([]);
  });

  it('do not send each other what is on them', () => {
    const { decisions } = look({
      engines: [engine('a', 10), engine('b', 10)],
      loadBalancers: [balancer('1', { a: 1 }), balancer('2', { b: 1 })],
    });

    expect(decisions).toEqual([expect.objectContaining({ kind: 'migrate', engineId: 'b', to: 'a' })]);
  });
});

describe('an engine that has just become quiet', () => {
  const calm = [balancer('calm', { a: 1, b: 1 })];
  const engines = [engine('a', 10), engine('b', 15)];

  it('is left only when it has been quiet for a while', () => {
    const ofLate = (loads: Record<string, number>) =>
      look({ engines, loadBalancers: calm, state: seenBefore(engines, loads) }).decisions;

    expect(ofLate({})).toEqual([expect.objectContaining({ kind: 'scaleIn', engineId: 'a' })]);
    expect(ofLate({ a: 60 })).toEqual([]);
    expect(ofLate({ b: 60 })).toEqual([]);
  });

  it('is not left, and takes nothing over, as long as it is new', () => {
    expect(look({ engines, loadBalancers: calm, state: NOTHING_SEEN }).decisions).toEqual([]);
  });

  it('is not where others go', () => {
    const fleet = [engine('a', 90, 3), engine('b', 0), engine('c', 30)];
    const loadBalancers = ['1', '2', '3'].map((id) => balancer(id, { a: 1 / 3 }));
    const to = (loads: Record<string, number>) =>
      look({ engines: fleet, loadBalancers, state: seenBefore(fleet, loads) }).decisions;

    expect(to({})).toEqual([expect.objectContaining({ kind: 'migrate', to: 'b' })]);
    expect(to({ b: 75 })).toEqual([expect.objectContaining({ kind: 'migrate', to: 'c' })]);
  });

  it('is believed to be cut off when others of the load balancer have their part to do', () => {
    const uneven = [engine('a', 0), engine('b', 36)];
    const cutOff = { engines: uneven, loadBalancers: [balancer('hot', { a: 0, b: 1 })] };
    const even = [engine('a', 18), engine('b', 18)];
    const calm = { engines: even, loadBalancers: [balancer('hot', { a: 1, b: 1 })] };

    expect(look(cutOff).decisions).toEqual([]);
    expect(look(calm).decisions).toEqual([expect.objectContaining({ kind: 'scaleIn' })]);
  });

  it('has what is remembered of it forgotten after three looks', () => {
    let state = seenBefore(engines, { a: 60, b: 60 });
    const kinds: string[] = [];
    for (const minute of [0, 5, 10]) {
      const plan = look({ engines, loadBalancers: calm, state }, minute * MINUTE);
      kinds.push(...plan.decisions.map(({ kind }) => kind));
      state = plan.state;
    }

    expect(kinds).toEqual(['scaleIn']);
    expect(state.lately['a']).toHaveLength(3);
  });
});

describe('an engine that serves nobody', () => {
  const idle = (count: number) => Array.from({ length: count }, (_, index) => engine(`idle-${index}`, 0, 0));
  const idleFor = (minutes: number, scene: Scene): ElasticityPlan => {
    const { state } = look(scene);
    return look({ ...scene, state }, minutes * MINUTE);
  };

  it('goes after its delay, and not before', () => {
    expect(idleFor(119, { engines: idle(1) }).decisions).toEqual([]);
    expect(idleFor(120, { engines: idle(1) }).decisions).toEqual([
      expect.objectContaining({ kind: 'retireEngine', engineId: 'idle-0' }),
    ]);
  });

  it('goes also where nothing is moved by load', () => {
    expect(idleFor(120, { engines: idle(1), settings: { autoRebalance: false } }).decisions).toHaveLength(1);
  });

  it('stays where engines are never retired', () => {
    expect(idleFor(9_999, { engines: idle(1), settings: { deprovisionDelay: 0 } }).decisions).toEqual([]);
  });

  it('stays as far as the minimum and the buffer need it', () => {
    expect(idleFor(120, { engines: idle(3), group: { minEngines: 2 } }).decisions).toHaveLength(1);
    expect(idleFor(120, { engines: idle(3), group: { bufferEngines: 2 } }).decisions).toHaveLength(1);
    expect(idleFor(120, { engines: idle(3), group: { bufferEngines: 3 } }).decisions).toEqual([]);
  });
});

describe('without auto-rebalance', () => {
  const scene = {
    engines: [engine('a', 90)],
    loadBalancers: [balancer('hot', { a: 1 })],
    settings: { autoRebalance: false },
  };

  it('says once a crossing what it would do, and does nothing', () => {
    const first = look(scene);
    const second = look({ ...scene, state: first.state }, 5 * MINUTE);
    const calm = look({ ...scene, engines: [engine('a', 60)], state: second.state }, 10 * MINUTE);
    const again = look({ ...scene, state: calm.state }, 15 * MINUTE);

    expect(first).toMatchObject({ decisions: [], advice: [{ kind: 'scaleOut' }], crossings: [{ level: 'high' }] });
    expect(second).toMatchObject({ decisions: [], advice: [], crossings: [] });
    expect(calm.crossings).toEqual([expect.objectContaining({ level: 'normal' })]);
    expect(again.advice).toHaveLength(1);
  });

  it('does not take a load that trembles about a bound for news', () => {
    let state = look(scene).state;
    for (const load of [79, 81, 75, 82, 71]) {
      const seen = look({ ...scene, engines: [engine('a', load)], state }, 0);
      expect([seen.crossings, seen.advice]).toEqual([[], []]);
      state = seen.state;
    }
  });
});

/** A load balancer whose demand follows a curve, spread evenly over its engines: what a group makes of it in the long run. */
function runDays(demandAt: (minute: number) => number, days: number) {
  let engines = 1;
  let state = NOTHING_SEEN;
  const counts: number[] = [];
  const kinds: string[] = [];
  for (let minute = 0; minute < days * 1440; minute += 5) {
    const load = Math.min(100, demandAt(minute) / engines);
    const ids = Array.from({ length: engines }, (_, index) => `e${index}`);
    const plan = look(
      {
        engines: ids.map((id) => engine(id, load)),
        loadBalancers: [balancer('lb', Object.fromEntries(ids.map((id) => [id, 1])))],
        state,
      },
      minute * MINUTE,
    );
    for (const decision of plan.decisions) {
      if (decision.kind === 'scaleOut') engines += decision.count;
      if (decision.kind === 'scaleIn') engines -= 1;
      if (decision.kind !== 'retireEngine') kinds.push(decision.kind);
    }
    state = plan.state;
    counts.push(engines);
  }
  return { counts, kinds };
}

it('follows day and night without swinging', () => {
  const { counts, kinds } = runDays((minute) => 110 + 90 * Math.sin((2 * Math.PI * minute) / 1440), 3);

  expect(Math.max(...counts)).toBeLessThanOrEqual(4);
  expect(Math.min(...counts)).toBe(1);
  // Once up and once down a day, in two steps at most each.
  expect(kinds.length).toBeLessThanOrEqual(3 * 6);
});

it.each([25, 40, 55, 70, 85, 110, 140, 165, 200, 300])('comes to rest at a demand of %i %% of an engine', (demand) => {
  const { kinds, counts } = runDays(() => demand, 1);

  expect(new Set(kinds).size).toBeLessThanOrEqual(1);
  expect(new Set(counts.slice(-100)).size).toBe(1);
});
