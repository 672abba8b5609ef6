import {
  type EngineReport,
  judgeStatuses,
  type ReportedMember,
  type StatusObject,
  type StatusPool,
  type StatusTree,
} from '../../driver/domain/operatingStatus';
import type { OperatingStatus } from '../../driver/domain/status';

const OBJECT: StatusObject = {
  id: 'o',
  provisioningStatus: 'ACTIVE',
  operatingStatus: 'OFFLINE',
  enabled: true,
  deleting: false,
};
const MONITOR = { enabled: true, deleting: false };

function anObject(id: string, changes: Partial<StatusObject> = {}): StatusObject {
  return { ...OBJECT, id, ...changes };
}

function aPool(changes: Partial<StatusPool> = {}): StatusPool {
  return { ...OBJECT, id: 'pool', monitor: MONITOR, members: [anObject('m1')], ...changes };
}

function aTree(changes: Partial<StatusTree> = {}): StatusTree {
  return { ...OBJECT, id: 'lb', settledGeneration: 1, listeners: [anObject('listener')], pools: [aPool()], ...changes };
}

function aReport(changes: Partial<EngineReport> = {}): EngineReport {
  return {
    engineId: 'e1',
    generation: 1,
    listeners: { listener: 'OPEN' },
    pools: { pool: { state: 'UP', members: { m1: 'UP' } } },
    ...changes,
  };
}

function members(states: Record<string, ReportedMember>, state: 'UP' | 'DOWN' = 'UP'): Partial<EngineReport> {
  return { pools: { pool: { state, members: states } } };
}

/** Every object's status after the judgement. */
function statusesOf(tree: StatusTree, reports: readonly EngineReport[], abandoned = false) {
  const { changes } = judgeStatuses(tree, { reports, abandoned });
  const after = (object: StatusObject): OperatingStatus =>
    changes.find(({ id }) => id === object.id)?.to ?? object.operatingStatus;
  return {
    lb: after(tree),
    listeners: tree.listeners.map(after),
    pools: tree.pools.map(after),
    members: tree.pools.flatMap((pool) => pool.members.map(after)),
  };
}

describe('one engine', () => {
  it('makes everything ONLINE that works', () => {
    expect(statusesOf(aTree(), [aReport()])).toEqual({
      lb: 'ONLINE',
      listeners: ['ONLINE'],
      pools: ['ONLINE'],
      members: ['ONLINE'],
    });
  });

  it('changes nothing that is as it should be', () => {
    const online = { operatingStatus: 'ONLINE' as const };
    const tree = aTree({
      ...online,
      listeners: [anObject('listener', online)],
      pools: [aPool({ ...online, members: [anObject('m1', online)] })],
    });

    expect(judgeStatuses(tree, { reports: [aReport()], abandoned: false })).toEqual({ changes: [], disagreements: [] });
  });

  it('makes a load balancer without listeners ONLINE', () => {
    const tree = aTree({ listeners: [], pools: [] });

    expect(statusesOf(tree, [aReport({ listeners: {}, pools: {} })]).lb).toBe('ONLINE');
  });

  it.each<[ReportedMember, OperatingStatus, OperatingStatus]>([
    ['UP', 'OFFLINE', 'ONLINE'],
    ['DOWN', 'ONLINE', 'ERROR'],
    ['DRAIN', 'ONLINE', 'DRAINING'],
    ['MAINT', 'ONLINE', 'OFFLINE'],
    ['NO_CHECK', 'ONLINE', 'NO_MONITOR'],
    ['RESTARTING', 'ONLINE', 'ONLINE'],
    ['RESTARTING', 'ERROR', 'ERROR'],
  ])('takes a monitored member that is %s from %s to %s', (state, from, to) => {
    const tree = aTree({ pools: [aPool({ members: [anObject('m1', { operatingStatus: from })] })] });

    expect(statusesOf(tree, [aReport(members({ m1: state }))]).members).toEqual([to]);
  });

  it.each<[ReportedMember, OperatingStatus]>([
    ['UP', 'NO_MONITOR'],
    ['DOWN', 'NO_MONITOR'],
    ['NO_CHECK', 'NO_MONITOR'],
    ['DRAIN', 'DRAINING'],
    ['MAINT', 'OFFLINE'],
  ])('takes a member without a monitor that is %s to %s', (state, to) => {
    for (const monitor of [null, { enabled: false, deleting: false }, { enabled: true, deleting: true }]) {
      const tree = aTree({ pools: [aPool({ monitor })] });
      expect(statusesOf(tree, [aReport(members({ m1: state }))]).members).toEqual([to]);
    }
  });

  it('degrades pool and load balancer when a member is down', () => {
    const tree = aTree({ pools: [aPool({ members: [anObject('m1'), anObject('m2')] })] });

    expect(statusesOf(tree, [aReport(members({ m1: 'UP', m2: 'DOWN' }))])).toEqual({
      lb: 'DEGRADED',
      listeners: ['ONLINE'],
      pools: ['DEGRADED'],
      members: ['ONLINE', 'ERROR'],
    });
  });

  it('puts pool and load balancer into ERROR when all members are down', () => {
    expect(statusesOf(aTree(), [aReport(members({ m1: 'DOWN' }, 'DOWN'))])).toEqual({
      lb: 'ERROR',
      listeners: ['ONLINE'],
      pools: ['ERROR'],
      members: ['ERROR'],
    });
  });

  it('degrades listener and load balancer when a listener is full', () => {
    expect(statusesOf(aTree(), [aReport({ listeners: { listener: 'FULL' } })])).toMatchObject({
      lb: 'DEGRADED',
      listeners: ['DEGRADED'],
    });
  });

  it('misses a listener that ought to be there', () => {
    expect(statusesOf(aTree(), [aReport({ listeners: {} })])).toMatchObject({ lb: 'ERROR', listeners: ['ERROR'] });
  });

  it('degrades a load balancer of which one listener of two is missing', () => {
    const tree = aTree({ listeners: [anObject('listener'), anObject('other')] });

    expect(statusesOf(tree, [aReport()])).toMatchObject({ lb: 'DEGRADED', listeners: ['ONLINE', 'ERROR'] });
  });

  it('shows a missing listener of a load balancer in ERROR as OFFLINE', () => {
    const tree = aTree({
      provisioningStatus: 'ERROR',
      listeners: [anObject('listener', { operatingStatus: 'ONLINE' })],
    });

    expect(statusesOf(tree, [aReport({ listeners: {} })]).listeners).toEqual(['OFFLINE']);
  });

  it('shows what is not reported as OFFLINE, but a member that has no monitor as such', () => {
    const online = { operatingStatus: 'ONLINE' as const };
    const unused = { ...online, members: [anObject('m1', online), anObject('m2', { operatingStatus: 'NO_MONITOR' })] };
    const tree = aTree({ pools: [aPool(unused)] });

    expect(statusesOf(tree, [aReport({ pools: {} })])).toMatchObject({
      pools: ['OFFLINE'],
      members: ['OFFLINE', 'NO_MONITOR'],
    });
  });
});

describe('what is switched off', () => {
  it('shows disabled objects as OFFLINE, whatever is reported', () => {
    const off = { enabled: false, operatingStatus: 'ONLINE' as const };
    const tree = aTree({
      listeners: [anObject('listener', off)],
      pools: [aPool({ ...off, members: [anObject('m1', off)] })],
    });

    expect(statusesOf(tree, [aReport(members({ m1: 'DOWN' }, 'DOWN'))])).toEqual({
      lb: 'ONLINE',
      listeners: ['OFFLINE'],
      pools: ['OFFLINE'],
      members: ['OFFLINE'],
    });
  });

  it('shows a disabled load balancer, its listeners and pools as OFFLINE', () => {
    const online = { operatingStatus: 'ONLINE' as const };
    const tree = aTree({
      ...online,
      enabled: false,
      listeners: [anObject('listener', online)],
      pools: [aPool({ ...online, members: [] })],
    });

    expect(statusesOf(tree, [aReport({ listeners: {}, pools: {} })])).toMatchObject({
      lb: 'OFFLINE',
      listeners: ['OFFLINE'],
      pools: ['OFFLINE'],
    });
  });

  it('leaves what is being deleted as it is', () => {
    const going = { deleting: true, operatingStatus: 'ONLINE' as const };
    const tree = aTree({
      listeners: [anObject('listener', going)],
      pools: [aPool({ ...going, members: [anObject('m1', going)] })],
    });

    expect(statusesOf(tree, [aReport({ listeners: {}, pools: {} })])).toMatchObject({
      listeners: ['ONLINE'],
      pools: ['ONLINE'],
      members: ['ONLINE'],
    });
    expect(judgeStatuses(aTree({ deleting: true }), { reports: [aReport()], abandoned: true }).changes).toEqual([]);
  });
});

describe('changes that are under way', () => {
  const creating = { provisioningStatus: 'PENDING_CREATE' as const };

  it('does not judge a load balancer before it is created', () => {
    const tree = aTree({ ...creating, settledGeneration: 0, listeners: [], pools: [] });

    expect(statusesOf(tree, [aReport({ listeners: {}, pools: {} })]).lb).toBe('OFFLINE');
  });

  it('does not miss what is being created, and believes what is reported of it', () => {
    const tree = aTree({
      listeners: [anObject('listener'), anObject('new', creating), anObject('early', creating)],
      pools: [
        aPool({ members: [anObject('m1'), anObject('m2', creating)] }),
        aPool({ id: 'p2', members: [], ...creating }),
      ],
    });
    const report = aReport({ listeners: { listener: 'OPEN', early: 'OPEN' } });

    expect(statusesOf(tree, [report])).toEqual({
      lb: 'ONLINE',
      listeners: ['ONLINE', 'OFFLINE', 'ONLINE'],
      pools: ['ONLINE', 'OFFLINE'],
      members: ['ONLINE', 'OFFLINE'],
    });
  });

  it('misses nothing while the load balancer is changed', () => {
    const tree = aTree({
      provisioningStatus: 'PENDING_UPDATE',
      listeners: [anObject('listener', { operatingStatus: 'ERROR' })],
      pools: [aPool({ operatingStatus: 'ONLINE', members: [anObject('m1', { operatingStatus: 'ONLINE' })] })],
    });

    expect(statusesOf(tree, [aReport({ listeners: {}, pools: {} })])).toMatchObject({
      listeners: ['ERROR'],
      pools: ['ONLINE'],
      members: ['ONLINE'],
    });
  });

  it('misses nothing by a report that is older than what is settled', () => {
    const tree = aTree({ settledGeneration: 5, listeners: [anObject('listener'), anObject('new')] });

    expect(statusesOf(tree, [aReport({ generation: 4 })]).listeners).toEqual(['ONLINE', 'OFFLINE']);
    expect(statusesOf(tree, [aReport({ generation: 5 })]).listeners).toEqual(['ONLINE', 'ERROR']);
  });
});

describe('several engines', () => {
  const [one, two] = ['e1', 'e2'];

  it('holds a member for down when all say so', () => {
    const down = members({ m1: 'DOWN' }, 'DOWN');
    const reports = [aReport({ engineId: one, ...down }), aReport({ engineId: two, ...down })];

    expect(statusesOf(aTree(), reports)).toMatchObject({ lb: 'ERROR', pools: ['ERROR'], members: ['ERROR'] });
  });

  it('keeps a member ONLINE, degrades what is above it and names the engine when they disagree', () => {
    const reports = [aReport({ engineId: one }), aReport({ engineId: two, ...members({ m1: 'DOWN' }) })];

    expect(statusesOf(aTree(), reports)).toEqual({
      lb: 'DEGRADED',
      listeners: ['ONLINE'],
      pools: ['DEGRADED'],
      members: ['ONLINE'],
    });
    expect(judgeStatuses(aTree(), { reports, abandoned: false }).disagreements).toEqual([
      { memberId: 'm1', engineIds: ['e2'] },
    ]);
  });

  it('degrades a pool that is down on some', () => {
    const reports = [aReport({ engineId: one }), aReport({ engineId: two, ...members({ m1: 'MAINT' }, 'DOWN') })];

    expect(statusesOf(aTree(), reports)).toMatchObject({ lb: 'DEGRADED', pools: ['DEGRADED'], members: ['ONLINE'] });
  });

  it('degrades a listener that one of them lacks', () => {
    const reports = [aReport({ engineId: one }), aReport({ engineId: two, listeners: {} })];

    expect(statusesOf(aTree(), reports)).toMatchObject({ lb: 'DEGRADED', listeners: ['DEGRADED'] });
  });

  it('goes by the others while one has not the newest state yet', () => {
    const tree = aTree({ settledGeneration: 2 });
    const reports = [aReport({ engineId: one, generation: 2 }), aReport({ engineId: two, listeners: {} })];

    expect(statusesOf(tree, reports)).toMatchObject({ lb: 'ONLINE', listeners: ['ONLINE'] });
  });
});

describe('no engine', () => {
  it('changes nothing before the first report', () => {
    expect(judgeStatuses(aTree(), { reports: [], abandoned: false }).changes).toEqual([]);
  });

  it('shows load balancer and listeners of dead engines in ERROR, and leaves what nobody checks', () => {
    const online = { operatingStatus: 'ONLINE' as const };
    const tree = aTree({
      ...online,
      listeners: [anObject('listener', online), anObject('off', { enabled: false })],
      pools: [aPool({ ...online, members: [anObject('m1', online)] })],
    });

    expect(statusesOf(tree, [], true)).toEqual({
      lb: 'ERROR',
      listeners: ['ERROR', 'OFFLINE'],
      pools: ['ONLINE'],
      members: ['ONLINE'],
    });
  });
});
