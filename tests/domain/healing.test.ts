import { CLOSED_BREAKER, resumeBreaker } from '../../driver/domain/breaker';
import { DEFAULT_HEALING, type HealingEngine, type HealingView, planHealing } from '../../driver/domain/healing';

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
