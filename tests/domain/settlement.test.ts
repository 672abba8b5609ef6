import { isIdle, settleApplied, settleDeleted, settleFailed } from '../../driver/domain/settlement';
import type { LoadBalancerTree } from '../../driver/domain/tree';
import { aListener, aMember, aMonitor, aPolicy, aPool, aRule, aTree } from '../support/build';

const cause = { event: 'CHANGE_FAILED', reason: 'it broke' };
const PC = { provisioningStatus: 'PENDING_CREATE' } as const;
const PU = { provisioningStatus: 'PENDING_UPDATE' } as const;
const PD = { provisioningStatus: 'PENDING_DELETE', deleting: true } as const;

/** Provisioning status each object ends with, by id; those that keep theirs are left out. */
function statuses({ changes }: ReturnType<typeof settleApplied>): Record<string, string | undefined> {
  return Object.fromEntries(
    changes.flatMap(({ ids, set }) => (set.provisioningStatus ? ids.map((id) => [id, set.provisioningStatus]) : [])),
  );
}

/** A listener with a policy and its rule, and the pool it uses with a member and a monitor. */
function aWhole(given: Partial<Record<'lb' | 'listener' | 'policy' | 'rule' | 'pool' | 'member' | 'monitor', object>>) {
  const rule = aRule({ id: 'rule', ...given.rule });
  const policy = aPolicy({ id: 'policy', rules: [rule], ...given.policy });
  const pool = aPool({
    id: 'pool',
    members: [aMember({ id: 'member', ...given.member })],
    monitor: aMonitor({ id: 'monitor', ...given.monitor }),
    ...given.pool,
  });
  const listener = aListener({ id: 'listener', defaultPoolId: 'pool', policies: [policy], ...given.listener });
  return aTree({ id: 'lb', listeners: [listener], pools: [pool], ...given.lb });
}

describe('a change that fails', () => {
  // Operation; what is pending; what ends in ERROR. The rest of what was pending is ACTIVE again.
  const cases: [string, LoadBalancerTree, string[]][] = [
    ['listener POST', aWhole({ lb: PU, listener: PC }), ['listener']],
    ['listener PUT', aWhole({ lb: PU, listener: PU }), ['listener']],
    ['listener DELETE', aWhole({ lb: PU, listener: PD }), ['listener']],
    ['pool POST', aWhole({ lb: PU, listener: PU, pool: PC }), ['pool']],
    ['pool PUT', aWhole({ lb: PU, listener: PU, pool: PU }), ['pool']],
    ['member POST', aWhole({ lb: PU, listener: PU, pool: PU, member: PC }), ['member']],
    ['member PUT', aWhole({ lb: PU, listener: PU, pool: PU, member: PU }), ['member']],
    ['monitor DELETE', aWhole({ lb: PU, listener: PU, pool: PU, monitor: PD }), ['monitor']],
    ['policy PUT', aWhole({ lb: PU, listener: PU, policy: PU }), ['policy']],
    ['rule POST', aWhole({ lb: PU, listener: PU, policy: PU, rule: PC }), ['rule']],
    ['LB PUT', aWhole({ lb: PU }), ['lb']],
    ['LB DELETE', aWhole({ lb: PD }), ['lb']],
    ['graph POST', aWhole({ lb: PC, listener: PC, pool: PC, member: PC }), ['lb', 'listener', 'member', 'pool']],
  ];
  it.each(cases)('%s: only its object is in ERROR', (_operation, tree, guilty) => {
    const settlement = settleFailed(tree, cause);
    const ends = { ...statuses(settlement), lb: settlement.loadBalancer.provisioningStatus };
    const inError = Object.entries(ends).flatMap(([id, status]) => (status === 'ERROR' ? [id] : []));
    expect(inError.sort()).toEqual(guilty);
    expect(Object.values(ends).every((status) => status === 'ERROR' || status === 'ACTIVE')).toBe(true);
    expect(settlement).toMatchObject({ done: false, removals: [] });
    expect(settlement.happenings).toContainEqual(
      expect.objectContaining({ name: 'CHANGE_FAILED', message: 'it broke', severity: 'error' }),
    );
  });

  it('that failed before changes and tells nothing again', () => {
    const tree = aWhole({ listener: { provisioningStatus: 'ERROR' } });
    expect(isIdle(settleFailed(tree, cause))).toBe(true);
  });
});

describe('a change that is in force', () => {
  it('makes everything ACTIVE that was pending', () => {
    const tree = aWhole({ lb: PC, listener: PC, policy: PC, rule: PC, pool: PC, member: PC, monitor: PC });
    const settlement = settleApplied(tree, []);
    expect(settlement).toMatchObject({ done: true, loadBalancer: { provisioningStatus: 'ACTIVE' }, happenings: [] });
    expect(new Set(Object.values(statuses(settlement)))).toEqual(new Set(['ACTIVE']));
    expect(Object.keys(statuses(settlement))).toHaveLength(6);
  });

  it('leaves what is refused in ERROR, with its reason, and heals what is refused no more', () => {
    const tree = aWhole({ lb: PU, listener: PU, member: { provisioningStatus: 'ERROR' } });
    const settlement = settleApplied(tree, [{ kind: 'listener', id: 'listener', reason: 'port taken' }]);
    expect(statuses(settlement)).toEqual({ listener: 'ERROR', member: 'ACTIVE' });
    expect(settlement.happenings).toEqual([
      expect.objectContaining({ name: 'OBJECT_REFUSED', resourceId: 'listener', message: 'port taken' }),
      expect.objectContaining({ name: 'OBJECT_HEALED', resourceId: 'member' }),
    ]);
  });

  it('says nothing about what is refused still', () => {
    const tree = aWhole({ listener: { provisioningStatus: 'ERROR' } });
    expect(isIdle(settleApplied(tree, [{ kind: 'listener', id: 'listener', reason: 'port taken' }]))).toBe(true);
  });

  it('has nothing to do about a tree that is settled', () => {
    expect(isIdle(settleApplied(aWhole({}), []))).toBe(true);
  });

  it('what is disabled is OFFLINE', () => {
    const disabled = { ...PU, enabled: false };
    const tree = aWhole({ lb: disabled, member: disabled, monitor: disabled });
    const settlement = settleApplied(tree, []);
    expect(settlement.loadBalancer.operatingStatus).toBe('OFFLINE');
    expect(settlement.changes.every(({ set }) => set.operatingStatus === 'OFFLINE')).toBe(true);
  });

  it('removes a pool with its parts and the reference to it', () => {
    const settlement = settleApplied(aWhole({ lb: PU, listener: PU, pool: PD }), []);
    expect(settlement.removals).toEqual([
      { table: 'member', ids: ['member'] },
      { table: 'health_monitor', ids: ['monitor'] },
      { table: 'pool', ids: ['pool'] },
    ]);
    expect(settlement.changes).toContainEqual({ table: 'listener', ids: ['listener'], set: { defaultPoolId: null } });
  });

  it('removes a listener with its policies and their rules, and keeps its pool', () => {
    const settlement = settleApplied(aWhole({ lb: PU, listener: PD }), []);
    expect(settlement.removals.map(({ table }) => table)).toEqual(['l7rule', 'l7policy', 'listener']);
  });
});

describe('a load balancer that is gone', () => {
  it('takes everything with it, parts before what they are part of', () => {
    const settlement = settleDeleted(aWhole({ lb: PD }));
    expect(settlement.loadBalancer.provisioningStatus).toBe('DELETED');
    expect(settlement.removals.map(({ table }) => table)).toEqual([
      'l7rule',
      'l7policy',
      'member',
      'health_monitor',
      'listener',
      'pool',
    ]);
  });
});
