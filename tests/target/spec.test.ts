import { buildSpec } from '../../driver/target/spec';
import { aListener, aMember, aMonitor, aPool, aTree, aVip } from '../support/build';

const version = { generation: 3, epoch: 5 };

describe('buildSpec', () => {
  it('carries the version and every VIP, the main one first', () => {
    const tree = aTree({
      vip: aVip({ ipAddress: '10.0.0.1' }),
      additionalVips: [{ ipAddress: 'fd00::1', subnetId: 's', portId: null, networkId: null }],
    });
    expect(buildSpec(tree, version)).toMatchObject({
      id: tree.id,
      generation: 3,
      epoch: 5,
      vips: ['10.0.0.1', 'fd00::1'],
    });
  });

  it('tells of other engines only where clients are learnt', () => {
    const peers = {
      engineId: 'a',
      address: '10.0.0.5',
      port: 12_000,
      others: [{ engineId: 'b', address: '10.0.0.6' }],
    };
    const at = { ...version, place: { domainId: 'front', firewall: null, peers } };
    const treeWith = (type: string, enabled = true) => {
      const persistence = { type, cookieName: 'session', timeout: null, granularity: null };
      return aTree({
        pools: [aPool({ id: 'p', persistence })],
        listeners: [aListener({ defaultPoolId: 'p', enabled })],
      });
    };
    expect(buildSpec(treeWith('APP_COOKIE'), at).peers).toEqual({
      ...{ name: 'a', address: '10.0.0.5', port: 12_000 },
      others: [{ name: 'b', address: '10.0.0.6' }],
    });
    const without = [
      buildSpec(treeWith('HTTP_COOKIE'), at),
      buildSpec(treeWith('APP_COOKIE', false), at),
      buildSpec(treeWith('APP_COOKIE'), version),
    ];
    expect(without.map((spec) => 'peers' in spec)).toEqual([false, false, false]);
  });

  it('orders members by id, whatever order they came in', () => {
    const pool = aPool({ id: 'p', members: [aMember({ id: 'b' }), aMember({ id: 'a' })] });
    const spec = buildSpec(aTree({ pools: [pool], listeners: [aListener({ defaultPoolId: 'p' })] }), version);
    expect(spec.pools[0]?.members.map(({ id }) => id)).toEqual(['a', 'b']);
  });

  it('leaves out what is being deleted, and the reference to it', () => {
    const pools = [
      aPool({ id: 'going', deleting: true }),
      aPool({ id: 'p', members: [aMember({ deleting: true })], monitor: aMonitor({ deleting: true }) }),
    ];
    const listeners = [
      aListener({ id: 'l0', deleting: true }),
      aListener({ id: 'l1', defaultPoolId: 'going' }),
      aListener({ id: 'l2', defaultPoolId: 'p' }),
    ];
    expect(buildSpec(aTree({ pools, listeners }), version)).toMatchObject({
      listeners: [
        { id: 'l1', defaultPoolId: null },
        { id: 'l2', defaultPoolId: 'p' },
      ],
      pools: [{ id: 'p', members: [], monitor: null }],
    });
  });

  it('leaves out disabled listeners and monitors, keeps disabled pools and members as such', () => {
    const pool = aPool({
      id: 'p',
      enabled: false,
      members: [aMember({ id: 'm', enabled: false })],
      monitor: aMonitor({ enabled: false }),
    });
    const listeners = [aListener({ enabled: false }), aListener({ id: 'on', defaultPoolId: 'p' })];
    expect(buildSpec(aTree({ pools: [pool], listeners }), version)).toMatchObject({
      listeners: [{ id: 'on' }],
      pools: [{ id: 'p', enabled: false, members: [{ id: 'm', enabled: false }], monitor: null }],
    });
  });

  it('leaves out pools that no served listener uses', () => {
    const pools = [aPool({ id: 'unused' }), aPool({ id: 'of-disabled' })];
    const listeners = [aListener({ enabled: false, defaultPoolId: 'of-disabled' })];
    expect(buildSpec(aTree({ pools, listeners }), version).pools).toEqual([]);
  });

  it.each([{ enabled: false }, { deleting: true }])('serves nothing of a load balancer that is %p', (given) => {
    const tree = aTree({ ...given, pools: [aPool({ id: 'p' })], listeners: [aListener({ defaultPoolId: 'p' })] });
    expect(buildSpec(tree, version)).toMatchObject({ listeners: [], pools: [] });
  });

  it('gives equal digests to equal content, whatever the version, and others to other content', () => {
    const tree = aTree({ listeners: [aListener({ id: 'l', insertHeaders: { A: 'true', B: 'true' } })] });
    const same = aTree({ ...tree, listeners: [aListener({ id: 'l', insertHeaders: { B: 'true', A: 'true' } })] });
    const other = aTree({ ...tree, listeners: [aListener({ id: 'l', protocolPort: 81 })] });
    const { digest } = buildSpec(tree, version);
    expect(buildSpec(same, { generation: 9, epoch: 9 }).digest).toBe(digest);
    expect(buildSpec(other, version).digest).not.toBe(digest);
  });
});
