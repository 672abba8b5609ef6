import { nextReboot, type RebootView } from '../../driver/domain/reboot';

const TIMES = { drain: 100, soft: 50, hard: 200 };
const SEEN: RebootView = {
  ...{ step: 'draining', since: 1_000, isAsked: false, isLeft: false, isConnected: true, hasCalled: false },
  server: 'running',
};
const next = (seen: Partial<RebootView>, passed = 0) => nextReboot({ ...SEEN, ...seen }, TIMES, 1_000 + passed).kind;
const asked = (seen: Partial<RebootView>, passed = 0) => nextReboot({ ...SEEN, ...seen }, TIMES, 1_000 + passed);

describe('an engine that is to be rebooted', () => {
  it('is waited for until nothing depends on it, for a while', () => {
    expect(next({}, 99)).toBe('wait');
    expect(asked({}, 100)).toEqual({ kind: 'giveUp', reason: expect.stringContaining('have not left') });
  });

  it('is rebooted softly, unless its guest would not listen', () => {
    expect(asked({ isLeft: true })).toEqual({ kind: 'ask', how: 'soft' });
    expect(asked({ isLeft: true, isConnected: false })).toEqual({ kind: 'ask', how: 'hard' });
    expect(asked({ isLeft: true, server: 'stopped' })).toEqual({ kind: 'ask', how: 'hard' });
  });

  it('is asked for again when it is not known whether it was', () => {
    expect(asked({ step: 'soft' })).toEqual({ kind: 'ask', how: 'soft' });
    expect(asked({ step: 'hard' })).toEqual({ kind: 'ask', how: 'hard' });
  });

  it.each(['soft', 'hard'] as const)('is back from a %s reboot once it has called anew, and Nova is done', (step) => {
    const rebooting = { step, isAsked: true } as const;

    expect(next(rebooting)).toBe('wait');
    expect(next({ ...rebooting, hasCalled: true, server: 'rebooting' })).toBe('wait');
    expect(next({ ...rebooting, hasCalled: true, server: undefined })).toBe('wait');
    expect(next({ ...rebooting, hasCalled: true, isConnected: false })).toBe('wait');
    expect(next({ ...rebooting, hasCalled: true })).toBe('finish');
    expect(next({ ...rebooting, hasCalled: true, isAsked: false })).toBe('ask');
  });

  it('is rebooted hard when it does not come back, and given up after that', () => {
    const silent = { isAsked: true, isConnected: false } as const;

    expect(next({ ...silent, step: 'soft' }, 49)).toBe('wait');
    expect(asked({ ...silent, step: 'soft' }, 50)).toEqual({ kind: 'ask', how: 'hard' });
    expect(next({ ...silent, step: 'hard' }, 199)).toBe('wait');
    expect(asked({ ...silent, step: 'hard' }, 200)).toMatchObject({ kind: 'giveUp' });
  });

  it('is given up at once when its server is gone', () => {
    for (const step of ['draining', 'soft', 'hard'] as const) expect(next({ step, server: 'gone' })).toBe('giveUp');
  });
});
