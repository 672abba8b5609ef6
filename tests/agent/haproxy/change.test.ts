import { planChange } from '../../../driver/agent/haproxy/change';
import { commandsFor } from '../../../driver/agent/haproxy/commands';
import { assignServerIds, layOut } from '../../../driver/agent/haproxy/layout';
import type { PoolSpec } from '../../../driver/protocol/spec';
import { aListener, aMember, aMonitor, aPool, aSpec } from '../../support/agentSpecs';

const one = aMember({ id: 'one', port: 1 });
const two = aMember({ id: 'two', port: 2 });

function plan(from: Partial<PoolSpec>, to: Partial<PoolSpec>): string[] | string {
  const change = planChange(layOut(aSpec({ pools: [aPool(from)] })), layOut(aSpec({ pools: [aPool(to)] })));
  return change.kind === 'members' ? change.steps.map(({ kind, member }) => `${kind} ${member.id}`) : change.kind;
}

describe('a change', () => {
  it('of nothing but the generation needs nothing', () => {
    expect(plan({ members: [one] }, { members: [one] })).toBe('none');
  });

  it('of members, weights and admin states needs commands', () => {
    const from = [one, two, aMember({ id: 'three', port: 3 })];
    const to = [{ ...one, weight: 0 }, { ...two, enabled: false }, aMember({ id: 'four', port: 4 })];
    expect(plan({ members: from }, { members: to })).toEqual(['remove three', 'weight one', 'enabled two', 'add four']);
  });

  it.each<[string, Partial<PoolSpec>]>([
    ['a member that becomes a backup', { members: [{ ...one, backup: true }] }],
    ['another algorithm', { members: [one], algorithm: 'LEAST_CONNECTIONS' }],
    ['a monitor', { members: [one], monitor: aMonitor() }],
    ['a disabled pool', { members: [one], enabled: false }],
  ])('to %s needs a reload', (_, to) => {
    expect(plan({ members: [one] }, to)).toBe('reload');
  });

  it.each<[string, Partial<PoolSpec>]>([
    ['another pace', { monitor: aMonitor({ delay: 9 }) }],
    ['other thresholds', { monitor: aMonitor({ riseThreshold: 9, fallThreshold: 9 }) }],
    ['another check port of a member', { members: [{ ...one, monitorPort: 9 }] }],
    ['another check address of a member', { members: [{ ...one, monitorAddress: '127.0.0.9' }] }],
  ])('of checks to %s needs a reload', (_, to) => {
    const from = { members: [one], monitor: aMonitor() };
    expect(plan(from, { ...from, ...to })).toBe('reload');
  });

  it('of a listener needs a reload', () => {
    const from = layOut(aSpec());
    expect(planChange(from, layOut(aSpec({ listeners: [aListener({ timeoutClientData: 1 })] })))).toEqual({
      kind: 'reload',
    });
  });

  it('is made in every backend of a pool that listeners with different timeouts share', () => {
    const listeners = [aListener(), aListener({ id: 'slow', port: 8081, timeoutMemberData: 1 })];
    const from = layOut(aSpec({ listeners, pools: [aPool({ members: [one] })] }));
    const to = layOut(aSpec({ listeners, pools: [aPool({ members: [one, two] })] }));
    const change = planChange(from, to);

    expect(change.kind === 'members' && change.steps.flatMap((step) => commandsFor(step, 100)[0]?.text)).toEqual([
      expect.stringMatching(/^add server pool-1\/two 127\.0\.0\.1:2 id \d+ weight 1$/),
      expect.stringMatching(/^add server pool-1:slow\/two 127\.0\.0\.1:2 id \d+ weight 1$/),
    ]);
  });
});

describe('numeric server ids', () => {
  const names = Array.from({ length: 2000 }, (_, index) => `member-${index}`);

  it('are unique, in the range that counts for the hash, and independent of the order of members', () => {
    const ids = assignServerIds(names);
    expect(new Set(ids.values()).size).toBe(names.length);
    expect([...ids.values()].every((id) => id > 0 && id < 2 ** 20)).toBe(true);
    expect(assignServerIds([...names].reverse())).toEqual(ids);
  });
});
