import {
  DEFAULT_MASTERSHIP,
  grantMastership,
  type MastershipEvent,
  type MastershipState,
  newMastership,
  nextMastership,
  type PairMember,
} from '../../driver/domain/mastership';

const later = (state: MastershipState, ...events: readonly [number, MastershipEvent][]): MastershipState =>
  events.reduce((now, [at, event]) => nextMastership(now, event, at, DEFAULT_MASTERSHIP), state);

const master = (term = 5): MastershipState =>
  later(newMastership(0), [0, { kind: 'granted', term, master: true }], [0, { kind: 'gateway' }]);
const standby = (term = 5): MastershipState =>
  later(
    newMastership(0),
    [0, { kind: 'granted', term, master: false }],
    [0, { kind: 'gateway' }],
    [0, { kind: 'peer', term, master: true, first: false }],
  );

describe('on an engine', () => {
  it('follows the controllers, unless it knows of a higher term', () => {
    expect(later(standby(), [10, { kind: 'granted', term: 6, master: true }])).toMatchObject({
      role: 'master',
      term: 6,
    });
    expect(later(standby(7), [10, { kind: 'granted', term: 6, master: true }])).toMatchObject({
      role: 'standby',
      term: 7,
    });
  });

  it('takes over with the next term when controllers and peer are away and the gateway answers', () => {
    expect(later(standby(), [3_500, { kind: 'gateway' }])).toMatchObject({ role: 'master', term: 6 });
  });

  it.each<[string, MastershipEvent]>([
    ['the peer is heard', { kind: 'peer', term: 5, master: true, first: false }],
    ['a controller is there', { kind: 'controller' }],
  ])('does not take over while %s', (_what, event) => {
    expect(later(standby(), [3_400, event], [3_500, { kind: 'gateway' }])).toMatchObject({ role: 'standby', term: 5 });
  });

  it('does not take over when the gateway does not answer, or never did', () => {
    expect(later(standby(), [60_000, { kind: 'tick' }])).toMatchObject({ role: 'standby' });
    const without = later(newMastership(0), [0, { kind: 'granted', term: 5, master: false }]);
    expect(later(without, [60_000, { kind: 'tick' }])).toMatchObject({ role: 'standby' });
  });

  it('gives up at the sight of a higher term, and of the same one of whom goes first', () => {
    const seen = (term: number, first: boolean) =>
      later(master(), [10, { kind: 'peer', term, master: true, first }]).role;

    expect([seen(6, false), seen(5, true), seen(5, false), seen(4, true)]).toEqual([
      'standby',
      'standby',
      'master',
      'master',
    ]);
  });

  it('goes on until the peer has what was granted to it, as long as the peer is there', () => {
    const asked = (event: MastershipEvent, at = 20) =>
      later(
        later(master(), [5, { kind: 'peer', term: 5, master: false, first: true }]),
        [10, { kind: 'granted', term: 6, master: false }],
        [at, event],
      );
    expect(asked({ kind: 'controller' })).toMatchObject({ role: 'master', term: 5 });
    expect(asked({ kind: 'peer', term: 6, master: true, first: true })).toMatchObject({ role: 'standby', term: 6 });
    expect(asked({ kind: 'tick' }, 3_500)).toMatchObject({ role: 'standby', term: 6 });
    expect(later(master(), [10, { kind: 'granted', term: 6, master: false }])).toMatchObject({ role: 'standby' });
  });

  it('gives up by itself only when it reaches neither peer nor gateway nor controller', () => {
    expect(later(master(), [10_000, { kind: 'tick' }])).toMatchObject({ role: 'standby', term: 5 });
    expect(later(master(), [10_000, { kind: 'gateway' }])).toMatchObject({ role: 'master' });
    expect(later(master(), [10_000, { kind: 'controller' }])).toMatchObject({ role: 'master' });
    const silent = later(newMastership(0), [0, { kind: 'granted', term: 5, master: true }]);
    expect(later(silent, [10_000, { kind: 'tick' }])).toMatchObject({ role: 'master' });
  });

  it('of two who have given up one becomes the master again while no controller is there', () => {
    const run = (first: boolean) => {
      let state = later(master(), [10_000, { kind: 'tick' }]);
      for (let at = 10_100; at < 12_000; at += 100) {
        state = later(state, [at, { kind: 'peer', term: 5, master: false, first }], [at, { kind: 'gateway' }]);
      }
      return state;
    };
    expect(run(false)).toMatchObject({ role: 'master', term: 6 });
    expect(run(true)).toMatchObject({ role: 'standby', term: 5 });
  });
});

describe('at the controllers', () => {
  const one: PairMember = {
    ...{ engineId: 'a', primary: true, live: true, heard: true, preferred: true, liveSince: 0 },
    claim: { term: 5, master: true },
  };
  const two: PairMember = {
    ...one,
    engineId: 'b',
    primary: false,
    preferred: false,
    claim: { term: 5, master: false },
  };
  const grant = (members: readonly PairMember[], givesBack = false) =>
    grantMastership({ members, term: 5, givesBack }, 60_000);

  it('leaves a pair alone that is well', () => {
    expect(grant([one, two], true)).toBeUndefined();
  });

  it('learns of a standby that took over alone', () => {
    const claim = { term: 8, master: true };
    expect(grant([one, { ...two, claim }])).toMatchObject({ engineId: 'b', term: 8, why: 'learnt' });
  });

  it('grants the next term to the standby of a master that nobody hears', () => {
    const gone = { ...one, live: false, heard: false, liveSince: null };
    expect(grant([gone, two])).toMatchObject({ engineId: 'b', term: 6, why: 'takeover' });
    expect(grant([{ ...gone, heard: true }, two])).toBeUndefined();
    expect(grant([gone, { ...two, live: false }])).toBeUndefined();
  });

  it('gives back to the engine that is to have it, if it may, once that has been well for a while', () => {
    const members = [
      { ...one, primary: false, claim: { term: 5, master: false } },
      { ...two, primary: true, claim: { term: 5, master: true } },
    ];
    expect(grant(members)).toBeUndefined();
    expect(grant(members, true)).toMatchObject({ engineId: 'a', term: 6, why: 'giveback' });
    expect(grant([{ ...members[0], liveSince: 55_000 } as PairMember, members[1] as PairMember], true)).toBeUndefined();
  });

  it('grants a master that gave up a new term', () => {
    expect(grant([{ ...one, claim: { term: 5, master: false } }, two])).toMatchObject({ engineId: 'a', term: 6 });
  });
});
