import { startTestApi, type TestApi } from '../../support/api';
import { describeOnDatabases } from '../../support/database';

/** A bare load balancer's answer is put together without reading it back; it must not tell from one that is read. */
describeOnDatabases('the answer to a new load balancer', ({ open }) => {
  const SUBNET = '0b6d4d0e-7f43-4d8e-9a53-1c2b3a4d5e6f';
  let api: TestApi;
  beforeEach(async () => {
    api = await startTestApi({ db: await open() });
  });
  afterEach(() => api.close());

  it.each([
    ['without anything', {}],
    [
      'with every field of its own',
      { name: 'w\u00e9b \u{1f600}', description: 'd|,"\\', admin_state_up: false, tags: ['z', 'a,b', '"'] },
    ],
    ['with an address', { vip_address: '10.9.8.7', vip_network_id: SUBNET }],
    ['with a QoS policy', { vip_qos_policy_id: SUBNET }],
    ['with security groups', { vip_sg_ids: [SUBNET] }],
    ['with additional VIPs', { additional_vips: [{ subnet_id: '7f430b6d-4d8e-4d0e-9a53-1c2b3a4d5e6f' }] }],
    ['with a pool', { pools: [{ name: 'p', protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN', members: [] }] }],
  ])('is what GET answers, %s', async (_, fields) => {
    const created = await api.create('/v2/lbaas/loadbalancers', 'loadbalancer', { vip_subnet_id: SUBNET, ...fields });

    const { body } = await api.get(`/v2/lbaas/loadbalancers/${created.id}`);

    const { listeners, pools, ...own } = body.loadbalancer;
    expect(created).toEqual({ ...own, listeners: expect.any(Array), pools: expect.any(Array) });
    expect([created.listeners.length, created.pools.length]).toEqual([listeners.length, pools.length]);
    expect(Object.keys(created)).toEqual(['listeners', 'pools', ...Object.keys(own)]);
  });
});
