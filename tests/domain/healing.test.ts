import { CLOSED_BREAKER, resumeBreaker } from '../../driver/domain/breaker';
import { DEFAULT_HEALING, type HealingEngine, type HealingView, planHealing } from '../../driver/domain/healing';
import type { KnownReach } from '../../driver/domain/reach';

const NOW = 1_000_000;

function engine(id: string, over: Partial<HealingEngine> = {}): HealingEngine {
  return {
    ...{ id, name: id, status: 'READY', deleting: false, silentSince: null, heard: null, server: 'running' },
    ...{ wired: false, knownIsolated: false },
    ...over,
  };
}

const down = (id: string, over: Partial<HealingEngine> = {}): HealingEngine =>
  engine(id, { status: 'DOWN', silentSince: NOW - 1_000, ...over });
const on = (engineId: string, leaving = false, mayServe = true) => ({
  ...{ id: `p-${engineId}`, loadBalancerId: `lb-${engineId}`, engineId, leaving, mayServe },
});
const plan = (given: Partial<HealingView>, now = NOW) =>
  planHealing({ engines: [], placements: [], breaker: CLOSED_BREAKER, ...given }, DEFAULT_HEALING, now);

it('moves what is placed on an engine that nobody hears, and nothing else', () => {
  const { decisions } = plan({ engines: [engine('a'), down('b')], placements: [on('a'), on('b')] });
  expect(decisions).toMatchObject([{ kind: 'move', engineId: 'b', placementId: 'p-b', loadBalancerId: 'lb-b' }]);
});

it('leaves an engine alone that its neighbours hear, and tells of it once', () => {
  const engines = [down('a', { heard: true })];
  expect(plan({ engines, placements: [on('a')] }).decisions).toMatchObject([{ kind: 'isolated', engineId: 'a' }]);
  const known = [down('a', { heard: true, knownIsolated: true })];
  expect(plan({ engines: known, placements: [on('a')] }).decisions).toEqual([]);
});

it('moves what an isolated engine had not put in force before, for it never will', () => {
  const placements = [
    on('a'),
    { ...on('a', false, false), id: 'p-new', loadBalancerId: 'lb-new' },
    on('a', true, false),
  ];
  const engines = [down('a', { heard: true, knownIsolated: true })];
  expect(plan({ engines, placements }).decisions).toEqual([
    expect.objectContaining({ kind: 'move', engineId: 'a', placementId: 'p-new', loadBalancerId: 'lb-new' }),
  ]);
  const back = [engine('a', { knownIsolated: true })];
  expect(plan({ engines: back, placements }).decisions).toMatchObject([{ kind: 'rejoined' }]);
});

it('moves nothing of isolated engines while healing has stopped', () => {
  const engines = [down('a', { heard: true, knownIsolated: true }), down('b'), engine('c')];
  const breaker = { state: 'open' as const, since: NOW, forgiven: 0 };
  expect(plan({ engines, placements: [on('a', false, false), on('b')], breaker }).decisions).toEqual([]);
});

it('goes on believing what was last said of an engine whose neighbours have fallen silent, too', () => {
  const engines = [down('a', { knownIsolated: true }), down('b')];
  const { decisions } = plan({ engines, placements: [on('a'), on('b')] });
  expect(decisions).toMatchObject([{ kind: 'move', engineId: 'b' }]);
});

it('does not believe neighbours of an engine whose server is gone', () => {
  const engines = [down('a', { heard: true, server: 'gone' })];
  expect(plan({ engines, placements: [on('a')] }).decisions).toMatchObject([{ kind: 'move' }]);
});

it('tells of an engine that is heard again', () => {
  const engines = [engine('a', { knownIsolated: true })];
  expect(plan({ engines }).decisions).toMatchObject([{ kind: 'rejoined', engineId: 'a' }]);
});

it('takes a server down only when it is certain that it serves nothing', () => {
  const kinds = (over: Partial<HealingEngine>, placements = [] as ReturnType<typeof on>[]) =>
    plan({ engines: [down('a', over)], placements }).decisions.map(({ kind }) => kind);

  expect(kinds({})).toEqual([]);
  expect(kinds({ server: 'gone' })).toEqual(['retire']);
  expect(kinds({ server: 'stopped' })).toEqual(['retire']);
  expect(kinds({ silentSince: NOW - 400_000 })).toEqual(['retire']);
  expect(kinds({ silentSince: NOW - 400_000, wired: true })).toEqual([]);
  expect(kinds({ silentSince: NOW - 400_000, heard: true })).toEqual(['isolated']);
  expect(kinds({ server: 'gone' }, [on('a', true)])).toEqual([]);
});

describe('the breaker', () => {
  const ids = ['a', 'b', 'c', 'd', 'e', 'f'];
  const group = (lost: number, at = NOW - 1_000) =>
    ids.map((id, index) => (index < lost ? down(id, { silentSince: at + index }) : engine(id)));

  it('keeps all as it is when more than half of a group is lost at once', () => {
    const { decisions, breaker } = plan({ engines: group(4), placements: ids.map((id) => on(id)) });
    expect(decisions).toEqual([]);
    expect(breaker).toMatchObject({ change: 'tripped', breaker: { state: 'open' } });
  });

  it('heals what is less once it is known to be, and of two engines both at once', () => {
    const three = { engines: group(3), placements: [on('a')] };
    expect(plan(three).decisions).toHaveLength(0);
    expect(plan(three, NOW + DEFAULT_HEALING.settle).decisions).toHaveLength(1);
    const two = [down('a'), down('b')];
    expect(plan({ engines: two, placements: [on('a'), on('b')] }).decisions).toHaveLength(2);
  });

  it('lets one engine after the other be healed once nothing more is lost', () => {
    const view = { engines: group(5), placements: ids.map((id) => on(id)) };
    let { breaker } = plan(view).breaker;
    const moved = (now: number): number => {
      const next = plan({ ...view, breaker }, now);
      breaker = next.breaker.breaker;
      return next.decisions.length;
    };
    const { quiet, stepEvery } = DEFAULT_HEALING.breaker;
    expect(moved(NOW + quiet - 1)).toBe(0);
    expect(moved(NOW + quiet)).toBe(1);
    expect(moved(NOW + quiet + stepEvery)).toBe(2);
    expect(moved(NOW + quiet + 10 * stepEvery)).toBe(5);
  });

  it('closes when the engines are back, or an operator says so', () => {
    const { breaker } = plan({ engines: group(5) }).breaker;
    expect(plan({ engines: group(0), breaker }).breaker).toMatchObject({ change: 'closed' });
    const resumed = plan({ engines: group(5), placements: [on('a')], breaker: resumeBreaker(NOW) }, NOW + 1);
    expect(resumed).toMatchObject({ decisions: [{ kind: 'move' }], breaker: { change: null } });
  });

  it('trips again when more is lost while it resumes', () => {
    const { quiet } = DEFAULT_HEALING.breaker;
    const breaker = { state: 'resuming', since: NOW, forgiven: NOW } as const;
    const later = NOW + quiet;
    expect(plan({ engines: group(5, later - 10), breaker }, later).breaker).toMatchObject({ change: 'tripped' });
  });
});

describe('an engine whose data network alone is cut', () => {
  const LASTING = NOW - DEFAULT_HEALING.cutAfter;
  const reach = (engineId: string, over: Partial<KnownReach> = {}): KnownReach => ({
    ...{ engineId, engineName: engineId, networkId: 'net', gateway: true, heard: [], missed: [], state: 'well' },
    ...{ since: 0, mark: null },
    ...over,
  });
  const cut = (engineId: string, over: Partial<KnownReach> = {}) =>
    reach(engineId, { gateway: false, state: 'trouble', since: LASTING, ...over });
  const served = (engineId: string, networkId = 'net', leaving = false) => ({
    ...{ ...on(engineId, leaving), id: `p-${engineId}-${networkId}`, networkId },
  });

  it('is left by what it serves in that network, told first, and is not taken down', () => {
    const placements = [served('a'), served('a', 'other'), served('a', 'net', true), served('b')];
    const view = { engines: [engine('a'), engine('b')], placements, reach: [cut('a'), reach('b')] };
    expect(plan(view).decisions).toEqual([
      expect.objectContaining({ kind: 'cut', engineId: 'a', networkId: 'net', proven: true }),
      expect.objectContaining({ kind: 'move', engineId: 'a', placementId: 'p-a-net' }),
    ]);
    const known = { ...view, reach: [cut('a', { mark: { proven: true } }), reach('b')] };
    expect(plan(known).decisions).toMatchObject([{ kind: 'move', placementId: 'p-a-net' }]);
    expect(plan({ ...known, placements: [] }, NOW + 10 * DEFAULT_HEALING.retireAfter).decisions).toEqual([]);
  });

  it('tells what it has seen', () => {
    const { decisions } = plan({ engines: [engine('a')], reach: [cut('a')] });
    expect(decisions).toMatchObject([
      { reason: expect.stringMatching(/engine a, in network net, is not answered by its gateway any more.* for 6 s/) },
    ]);
  });

  it('is left alone while it is silent for the controllers, on its way out, or leaves already', () => {
    for (const it of [
      down('a', { heard: true }),
      engine('a', { status: 'DRAINING' }),
      engine('a', { deleting: true }),
    ]) {
      const { decisions } = plan({ engines: [it], placements: [served('a')], reach: [cut('a')] });
      expect(decisions.map(({ kind }) => kind)).not.toContain('cut');
      expect(decisions.map(({ kind }) => kind)).not.toContain('move');
    }
  });

  it('takes load balancers again when it has been well for a while', () => {
    const mark = { proven: true };
    const since = NOW - DEFAULT_HEALING.cutOverAfter;
    const view = { engines: [engine('a')], placements: [served('a')], reach: [reach('a', { mark, since })] };
    expect(plan(view).decisions).toMatchObject([{ kind: 'cutOver', engineId: 'a', networkId: 'net' }]);
    expect(plan({ ...view, reach: [reach('a', { mark, since: since + 1 })] }).decisions).toEqual([]);
  });

  it('counts as lost: of many at once nothing is moved', () => {
    const ids = ['a', 'b', 'c', 'd', 'e'];
    const engines = ids.map((id) => engine(id));
    const alone = (lost: number) =>
      ids.map((id, index) => (index < lost ? cut : reach)(id, { networkId: `net-${id}`, heard: [] }));
    const placements = ids.map((id) => served(id, `net-${id}`));
    const { decisions, breaker } = plan({ engines, placements, reach: alone(3) });
    expect(breaker.change).toBe('tripped');
    expect(decisions).toEqual([]);

    const two = plan({ engines, placements, reach: alone(2) });
    expect(two.breaker.change).toBeNull();
    expect(two.decisions.map(({ kind }) => kind)).toEqual(['cut', 'move', 'cut', 'move']);

    const healing = plan({ engines, placements, reach: alone(3), breaker: resumeBreaker(NOW) });
    expect(healing.decisions).toHaveLength(6);
  });

  it('waits for the breaker also when it has lost one of its networks alone', () => {
    const engines = [engine('a'), engine('b')];
    const breaker = { state: 'open' as const, since: NOW, forgiven: 0 };
    const lost = [cut('a'), reach('a', { networkId: 'other' }), reach('b')];
    expect(plan({ engines, placements: [served('a')], reach: lost }).decisions).toHaveLength(2);
    const silent = [...engines, down('c')];
    expect(plan({ engines: silent, placements: [served('a')], reach: lost, breaker }).decisions).toEqual([]);
  });
});
