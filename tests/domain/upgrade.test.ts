import {
  newUpgrade,
  planUpgrade,
  type UpgradeAction,
  type UpgradeEngine,
  type UpgradeLoadBalancer,
  type UpgradeState,
  undoUpgrade,
} from '../../driver/domain/upgrade';

const TIMES = { boot: 900_000, move: 300_000, soak: 30_000 };
const TICK = 2_000;

type Guest = { -readonly [Key in keyof UpgradeLoadBalancer]: UpgradeLoadBalancer[Key] };
type Host = { -readonly [Key in keyof UpgradeEngine]: UpgradeEngine[Key] };

/** What an image is like, and what happens in the world between two plans. */
interface Behaviour {
  readonly boots?: boolean;
  readonly refuses?: string;
  readonly losesMembers?: number;
  readonly errors?: number;
}

/** A group that does what it is told, a little later. */
function createWorld(state: UpgradeState, spread: readonly number[], behaviour: Behaviour = {}) {
  const world = {
    now: 0,
    state,
    engines: spread.map((_, index): Host => host(`old-${index}`, null)),
    guests: spread.flatMap((count, index) => Array.from({ length: count }, (_, n) => guest(`lb-${index}-${n}`, index))),
    done: [] as UpgradeAction[],
    fresh: 0,
    /** Engines of an old image that served nobody were never there: each load balancer always has one. */
    unserved: 0,
    most: 0,
  };
  const engineOf = (id: string): Host | undefined => world.engines.find((it) => it.id === id);
  const count = (): void => {
    for (const it of world.engines)
      it.slotsUsed = world.guests.filter(({ engineIds }) => engineIds.includes(it.id)).length;
  };
  const act = (action: UpgradeAction): void => {
    world.done.push(action);
    if (action.kind === 'make') {
      world.engines.push({ ...host(action.newEngineId, world.state.mark), status: 'BUILDING', connected: false });
    }
    if (action.kind === 'retire') {
      const engine = engineOf(action.engineId);
      if (engine && engine.slotsUsed === 0) engine.deleting = true;
    }
    if (action.kind === 'move') {
      for (const it of world.guests.filter(({ id }) => action.loadBalancerIds.includes(id))) {
        it.leaving = [...it.leaving, action.from];
        it.leaving = it.leaving.filter((id) => id !== action.to);
        if (action.to !== null && !it.engineIds.includes(action.to)) it.engineIds = [...it.engineIds, action.to];
      }
    }
  };
  const live = (): void => {
    world.engines = world.engines.filter(({ deleting }) => !deleting);
    for (const it of world.engines) {
      if (it.status === 'BUILDING' && behaviour.boots !== false)
        Object.assign(it, { status: 'READY', connected: true });
    }
    for (const it of world.guests) settle(it, behaviour);
    world.unserved += world.guests.filter(({ confirmed }) => confirmed.length === 0).length;
    count();
    world.most = Math.max(world.most, world.engines.length);
  };
  count();
  return {
    world,
    /** One round; `keeps` false is a process that died before it kept or did anything. */
    tick(keeps = true) {
      world.now += TICK;
      const freshIds = [0, 1, 2, 3].map((n) => `new-${world.fresh + n}`);
      const view = { engines: world.engines, loadBalancers: world.guests, freshIds, times: TIMES };
      const { actions, state: next } = planUpgrade(view, world.state, world.now);
      if (keeps) {
        world.fresh += actions.filter(({ kind }) => kind === 'make').length;
        for (const action of actions) act(action);
        world.state = next;
      }
      live();
    },
    run(rounds = 5_000) {
      for (
        let round = 0;
        round < rounds && ['RUNNING', 'STOPPING', 'UNDOING'].includes(world.state.status);
        round += 1
      ) {
        this.tick();
      }
      return world;
    },
  };
}

function host(id: string, mark: string | null): Host {
  return { id, mark, status: 'READY', deleting: false, connected: true, slotsUsed: 0, ownImage: false };
}

function guest(id: string, engine: number): Guest {
  const on = `old-${engine}`;
  const traffic = { [on]: { requests: 1_000, errors: 10 } };
  return { id, engineIds: [on], leaving: [], confirmed: [on], refusals: {}, membersDown: 0, traffic };
}

/** Make before break: the old engine is left once the new one has confirmed. */
function settle(it: Guest, behaviour: Behaviour): void {
  for (const id of it.engineIds.filter((engineId) => !it.confirmed.includes(engineId))) {
    if (id.startsWith('new') && behaviour.refuses !== undefined)
      it.refusals = { ...it.refusals, [id]: behaviour.refuses };
    else it.confirmed = [...it.confirmed, id];
  }
  if (it.confirmed.some((id) => !it.leaving.includes(id))) {
    it.engineIds = it.engineIds.filter((id) => !it.leaving.includes(id));
    it.confirmed = it.confirmed.filter((id) => it.engineIds.includes(id));
    it.leaving = [];
  }
  const fresh = it.confirmed.find((id) => id.startsWith('new'));
  if (fresh === undefined) it.membersDown = 0;
  else if (!(fresh in it.traffic)) {
    it.membersDown = behaviour.losesMembers ?? 0;
    it.traffic = { ...it.traffic, [fresh]: { requests: 200, errors: behaviour.errors ?? 2 } };
  }
}

const made = (actions: readonly UpgradeAction[]): number => actions.filter(({ kind }) => kind === 'make').length;

it('replaces every engine one at a time and leaves nobody unserved', () => {
  const { world } = { world: createWorld(newUpgrade('mark', 1), [2, 3, 0, 1]).run() };

  expect(world.state).toMatchObject({ status: 'DONE', replaced: 4, proven: true, steps: [] });
  expect(world.engines.map(({ mark }) => mark)).toEqual(['mark', 'mark', 'mark', 'mark']);
  expect([world.unserved, world.most]).toEqual([0, 5]);
});

it('tries the first new engine with one load balancer of the engine that serves fewest', () => {
  const { world, tick } = createWorld(newUpgrade('mark', 3), [2, 3, 0, 1]);
  while (!world.done.some(({ kind }) => kind === 'prove')) tick();

  const before = world.done.slice(
    0,
    world.done.findIndex(({ kind }) => kind === 'prove'),
  );
  expect(before).toEqual([
    { kind: 'make', oldEngineId: 'old-3', newEngineId: 'new-0' },
    { kind: 'move', loadBalancerIds: ['lb-3-0'], from: 'old-3', to: 'new-0' },
  ]);
  expect(world.now).toBeGreaterThanOrEqual(TIMES.soak);
});

it('replaces so many at a time as it was asked to, once the first one has proved itself', () => {
  const world = createWorld(newUpgrade('mark', 3), [2, 3, 1, 1, 2, 2]).run();

  expect(world.state).toMatchObject({ status: 'DONE', replaced: 6 });
  expect(world.most).toBe(9);
});

it.each<[string, Behaviour, RegExp]>([
  ['never comes up', { boots: false }, /was not READY within 900 s/],
  ['refuses what the old one serves', { refuses: 'unknown keyword' }, /refuses load balancer .*: unknown keyword/],
  ['does not reach members that were up', { losesMembers: 2 }, /2 members of load balancer .* are down/],
  ['answers with more errors', { errors: 40 }, /20\.0 % of the requests .* fail/],
])('stops by itself when the first new engine %s, and takes back what it has done', (_, behaviour, reason) => {
  const world = createWorld(newUpgrade('mark', 2), [2, 2], behaviour).run();

  expect(world.state).toMatchObject({ status: 'STOPPED', proven: false, steps: [] });
  expect(world.state.reason).toMatch(reason);
  expect(world.engines.map(({ id }) => id)).toEqual(['old-0', 'old-1']);
  expect(world.guests.map(({ engineIds }) => engineIds[0])).toEqual(['old-0', 'old-0', 'old-1', 'old-1']);
  expect([made(world.done), world.unserved]).toEqual([1, 0]);
});

it('takes an engine that served nobody for no proof while another one serves somebody', () => {
  const scene = createWorld(newUpgrade('mark', 2), [2, 2], { errors: 40 });
  scene.tick();
  // Its guests go elsewhere before the new engine is up.
  for (const it of scene.world.guests.filter(({ engineIds }) => engineIds.includes('old-0'))) {
    Object.assign(it, { engineIds: ['old-1'], confirmed: ['old-1'] });
  }
  const world = scene.run();
  expect(world.state).toMatchObject({ status: 'STOPPED', proven: false, replaced: 0 });
  expect(world.engines.map(({ id }) => id)).toEqual(['old-0', 'old-1']);
  expect(world.guests.map(({ engineIds }) => engineIds)).toEqual([['old-1'], ['old-1'], ['old-1'], ['old-1']]);
});

it('does not take a handful of errors for a rate', () => {
  const scene = createWorld(newUpgrade('mark', 1), [1], { errors: 6 });
  expect(scene.run().state.status).toBe('DONE');
});

it('does nothing while it is paused, and goes on where it was', () => {
  const scene = createWorld(newUpgrade('mark', 1), [2, 2]);
  for (let round = 0; round < 20; round += 1) scene.tick();
  const { world } = scene;
  const before = world.done.length;
  world.state = { ...world.state, status: 'PAUSED' };
  for (let round = 0; round < 20; round += 1) scene.tick();
  expect(world.done).toHaveLength(before);

  world.state = { ...world.state, status: 'RUNNING' };
  expect(scene.run().state).toMatchObject({ status: 'DONE', replaced: 2 });
});

it.each(Array.from({ length: 60 }, (_, round) => round))('comes to the same end after a crash in round %i', (round) => {
  const scene = createWorld(newUpgrade('mark', 2), [2, 1, 1]);
  for (let n = 0; n < round; n += 1) scene.tick();
  scene.tick(false);
  const world = scene.run();

  expect(world.state).toMatchObject({ status: 'DONE', replaced: 3 });
  expect([world.engines.length, made(world.done), world.unserved]).toEqual([3, 3, 0]);
});

it.each([0, 1, 5, 10, 20, 25, 30, 40, 60, 90, 200])('is undone from wherever it is after %i rounds', (rounds) => {
  const scene = createWorld(newUpgrade('mark', 2), [2, 1, 1]);
  for (let n = 0; n < rounds; n += 1) scene.tick();
  scene.world.state = undoUpgrade(scene.world.state, 'back', scene.world.now);
  const world = scene.run();

  expect(world.state).toMatchObject({ status: 'UNDONE', steps: [] });
  expect(world.engines.map(({ mark }) => mark)).not.toContain('mark');
  expect([world.engines.length, world.unserved]).toEqual([3, 0]);
});

it('leaves engines alone whose image is that of a flavor, and replaces such as are made meanwhile with the old one', () => {
  const scene = createWorld(newUpgrade('mark', 1), [1, 1]);
  const [first] = scene.world.engines;
  if (first) first.ownImage = true;
  for (let n = 0; n < 10; n += 1) scene.tick();
  scene.world.engines.push(host('late', null));
  const world = scene.run();

  expect(world.state).toMatchObject({ status: 'DONE', replaced: 2 });
  expect(world.engines.map(({ id }) => id)).toContain('old-0');
  expect(world.engines.map(({ id }) => id)).not.toContain('late');
});
