import {
  judgeEngines,
  judgeReach,
  type KnownReach,
  learnReach,
  type ReachTimes,
  stateOfReach,
} from '../../driver/domain/reach';

const TIMES: ReachTimes = { cutAfter: 6_000, cutOverAfter: 30_000 };
const NOW = 1_000_000;
const LONG_AGO = NOW - 600_000;

function reach(engineId: string, over: Partial<KnownReach> = {}): KnownReach {
  const said = { gateway: null, heard: [], missed: [], ...over };
  const known = { networkId: 'net', since: LONG_AGO, mark: null };
  return { engineId, engineName: engineId, ...known, ...over, ...said, state: over.state ?? stateOfReach(said) };
}

const answered = (id: string, over: Partial<KnownReach> = {}) => reach(id, { gateway: true, ...over });
const silent = (id: string, over: Partial<KnownReach> = {}) =>
  reach(id, { gateway: false, since: NOW - 10_000, ...over });
const missing = (id: string, missed: string[], over: Partial<KnownReach> = {}) =>
  reach(id, { missed, since: NOW - 10_000, ...over });
const judge = (one: KnownReach, ...others: KnownReach[]) => judgeReach(one, others, TIMES, NOW);

describe('what an engine says', () => {
  it('is trouble only for what it had before', () => {
    expect(stateOfReach({ gateway: true, heard: [], missed: ['b'] })).toBe('well');
    expect(stateOfReach({ gateway: false, heard: ['b'], missed: [] })).toBe('trouble');
    expect(stateOfReach({ gateway: null, heard: ['b'], missed: ['c'] })).toBe('well');
    expect(stateOfReach({ gateway: null, heard: [], missed: ['c'] })).toBe('trouble');
    expect(stateOfReach({ gateway: null, heard: [], missed: [] })).toBe('unknown');
  });

  it('is taken for silence if a new agent is not answered by a gateway that the one before knew', () => {
    const report = { domainId: 'net', gateway: 'unanswered', heard: [], missed: [] } as const;
    expect(learnReach(report, undefined).gateway).toBeNull();
    expect(learnReach(report, { gateway: null }).gateway).toBeNull();
    expect(learnReach(report, { gateway: true }).gateway).toBe(false);
    expect(learnReach(report, { gateway: false }).gateway).toBe(false);
    expect(learnReach({ ...report, gateway: null }, { gateway: true }).gateway).toBeNull();
    expect(learnReach({ ...report, gateway: 'answers' }, undefined).gateway).toBe(true);
    expect(learnReach({ ...report, gateway: 'silent' }, undefined).gateway).toBe(false);
  });
});

describe('an engine is taken for cut', () => {
  it('when its gateway has stopped answering it and answers another', () => {
    expect(judge(silent('a', { missed: ['b'] }), answered('b'))).toMatchObject({ proven: true });
    expect(judge(silent('a', { heard: ['c'] }), silent('c', { heard: ['a'] }), answered('b'))).toMatchObject({
      ...{ proven: true, seen: expect.stringContaining('engine b') },
    });
  });

  it('when it is alone and its gateway has stopped answering, which proves nothing', () => {
    expect(judge(silent('a'))).toMatchObject({ proven: false });
    expect(judge(silent('a'), reach('new', { since: NOW - 5_000 }))).toMatchObject({ proven: false });
  });

  it('when it hears nobody any more, where somebody whom it has heard is answered, or hears others', () => {
    expect(judge(missing('a', ['b']), answered('b'))).toMatchObject({ proven: true });
    expect(judge(missing('a', ['b', 'c']), reach('b', { heard: ['c'] }), reach('c', { heard: ['b'] }))).toMatchObject({
      ...{ proven: true, seen: expect.stringContaining('hears others') },
    });
    expect(judge(silent('a'), reach('b', { heard: ['c'] }), reach('c', { heard: ['b'] }))).toMatchObject({
      proven: true,
    });
  });
});

describe('nothing follows', () => {
  it('from a gateway that never answered, and from neighbours that were never heard', () => {
    expect(judge(reach('a'), answered('b'))).toBeUndefined();
  });

  it('when two miss one another whose gateways answer, or of whom nothing else is known', () => {
    expect(judge(answered('a', { missed: ['b'] }), answered('b', { missed: ['a'] }))).toBeUndefined();
    expect(judge(missing('a', ['b']), missing('b', ['a']))).toBeUndefined();
    expect(judge(missing('a', ['b']), reach('b', { heard: ['a'] }))).toBeUndefined();
  });

  it('when its gateway answers it, whoever else misses it', () => {
    expect(judge(answered('a', { missed: ['b', 'c'] }), reach('b', { heard: ['c'] }))).toBeUndefined();
  });

  it('when all engines of a network have lost the gateway at once', () => {
    expect(judge(silent('a'), silent('b'))).toBeUndefined();
    expect(judge(silent('a', { heard: ['b'] }), reach('b', { heard: ['a'] }))).toBeUndefined();
  });

  it('from a gateway that is just back, of which another knows sooner', () => {
    expect(judge(silent('a'), answered('b', { since: NOW - 5_000 }))).toBeUndefined();
    expect(judge(silent('a'), answered('b', { since: NOW - 6_000 }))).toMatchObject({ proven: true });
  });

  it('when another one has been there for long whose gateway never answered it', () => {
    expect(judge(silent('a'), reach('b', { since: NOW - 30_000 }))).toBeUndefined();
  });

  it('when those it misses are not there themselves', () => {
    expect(judge(missing('a', ['gone']), answered('b'))).toBeUndefined();
  });
});

describe('in time', () => {
  const proven = { mark: { proven: true } };
  const kinds = (all: readonly KnownReach[], now = NOW) =>
    judgeEngines(all, ['a'], TIMES, now).flatMap(({ judged }) =>
      judged.map((it) => (it.kind === 'cut' ? [it.kind, it.isNews, it.cut.proven] : [it.kind])),
    );

  it('an engine is cut once it has lasted, told once, and again when others prove it', () => {
    const since = NOW - 6_000;
    expect(kinds([silent('a', { since: since + 1 })])).toEqual([]);
    expect(kinds([silent('a', { since })])).toEqual([['cut', true, false]]);
    const known = silent('a', { mark: { proven: false } });
    expect(kinds([known])).toEqual([['cut', false, false]]);
    expect(kinds([known, answered('b')])).toEqual([['cut', true, true]]);
    expect(kinds([silent('a', proven), answered('b')])).toEqual([['cut', false, true]]);
  });

  it('it is over when it has been well for a while', () => {
    expect(kinds([answered('a', { ...proven, since: NOW - 29_999 })])).toEqual([]);
    expect(kinds([answered('a', { ...proven, since: NOW - 30_000 })])).toEqual([['over']]);
  });

  it('it is over when all others there are no better off for a while', () => {
    const cut = silent('a', proven);
    expect(kinds([cut, silent('b', { since: NOW - 29_999 })])).toEqual([]);
    expect(kinds([cut, silent('b', { since: NOW - 30_000 })])).toEqual([['over']]);
    expect(kinds([cut])).toEqual([['cut', false, false]]);
  });

  it('of an engine that has left the network it is over if nobody had proven it, or it is well elsewhere', () => {
    const gone = (mark: { proven: boolean }) => reach('a', { mark });
    expect(kinds([gone({ proven: false })])).toEqual([['over']]);
    expect(kinds([gone({ proven: true })])).toEqual([]);
    expect(kinds([gone({ proven: true }), answered('a', { networkId: 'other' })])).toEqual([['over']]);
    expect(kinds([gone({ proven: true }), silent('a', { networkId: 'other', since: NOW - 1_000 })])).toEqual([]);
    const late = answered('a', { networkId: 'other', since: NOW - 29_999 });
    expect(kinds([gone({ proven: true }), late])).toEqual([]);
  });

  it('an engine counts as lost that has lost all networks of which anything is known', () => {
    const lostAt = (...all: KnownReach[]) => judgeEngines(all, ['a'], TIMES, NOW)[0]?.lostAt;
    expect(lostAt(silent('a'))).toBe(NOW - 10_000);
    expect(lostAt(silent('a'), reach('a', { networkId: 'other' }))).toBe(NOW - 10_000);
    expect(lostAt(silent('a'), answered('a', { networkId: 'other' }))).toBeNull();
    expect(lostAt(silent('a', { since: NOW - 3_000 }))).toBe(NOW - 3_000);
    expect(lostAt(silent('a', { since: NOW - 2_999 }))).toBeNull();
    expect(lostAt(silent('a'), silent('b'))).toBeNull();
  });
});
