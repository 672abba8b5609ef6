import type { StatRow } from '../../../driver/agent/haproxy/stats';
import { createCounters } from '../../../driver/agent/serve/counters';

function frontend(bytesIn: string, currentSessions = 0): StatRow {
  return {
    proxy: 'listener-1',
    server: 'FRONTEND',
    status: 'OPEN',
    checkStatus: '',
    weight: 0,
    currentSessions,
    sessionLimit: 0,
    bytesIn,
    bytesOut: '0',
    totalSessions: '1',
    requestErrors: '0',
  };
}

const total = (counters: ReturnType<typeof createCounters>) => counters.totals('lb-1')[0];

it('adds up workers of before and after a reload, and keeps what ended ones have counted', () => {
  const counters = createCounters(null);
  counters.observe('old', [frontend('100', 2)]);
  counters.observe('new', [frontend('5', 1)]);
  expect(total(counters)).toMatchObject({ bytesIn: '105', totalConnections: '2', activeConnections: 3 });

  counters.observe('old', [frontend('110', 1)]);
  counters.retire('old');
  expect(total(counters)).toMatchObject({ bytesIn: '115', activeConnections: 1 });
});

it('never falls, and counts beyond what a number can hold', () => {
  const counters = createCounters(null);
  counters.observe('worker', [frontend('9007199254740993')]);
  counters.observe('worker', [frontend('7')]);
  expect(total(counters)?.bytesIn).toBe('9007199254740993');
});

it('knows a worker again after a restart of the agent', () => {
  const before = createCounters(null);
  before.observe('ended', [frontend('1')]);
  before.retire('ended');
  before.observe('living', [frontend('10')]);

  const after = createCounters(JSON.parse(JSON.stringify(before.stored())));
  expect(total(after)?.bytesIn).toBe('11');
  after.observe('living', [frontend('12')]);
  expect(total(after)?.bytesIn).toBe('13');
});

describe('the count of a member', () => {
  const member = (bytesIn: string): StatRow => ({ ...frontend(bytesIn), proxy: 'pool-1', server: 'member-1' });
  const bytes = (counters: ReturnType<typeof createCounters>) => counters.sums().get('pool-1/member-1')?.get('bin');

  it('goes on when the member is deleted and comes again to the same worker', () => {
    const counters = createCounters(null);
    counters.observe('worker', [member('100')]);
    counters.deleted('worker', 'pool-1/member-1');
    counters.observe('worker', [member('150')]);
    expect(bytes(counters)).toBe(250n);
  });

  it('goes on when that happened between two looks', () => {
    const counters = createCounters(null);
    counters.observe('worker', [member('100')]);
    counters.observe('worker', [member('20')]);
    expect(bytes(counters)).toBe(120n);
  });

  it('is forgotten only when nobody will ask for it', () => {
    const counters = createCounters(null);
    counters.observe('worker', [member('100'), frontend('5')]);
    counters.retire('worker');
    counters.prune((series) => !series.startsWith('pool-1/'));
    expect(bytes(counters)).toBeUndefined();
    expect(total(counters)?.bytesIn).toBe('5');
  });
});
