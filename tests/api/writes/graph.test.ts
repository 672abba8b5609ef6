import { startTestApi, type TestApi } from '../../support/api';
import { describeOnDatabases } from '../../support/database';

/** Load balancers that are created with everything below them. */

describeOnDatabases('graphs', ({ open }) => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startTestApi({ open });
  });
  afterAll(() => api.close());

  const subnet = '77777777-7777-4777-8777-777777777777';
  const create = (body: object) =>
    api.post('/v2/lbaas/loadbalancers', { loadbalancer: { vip_subnet_id: subnet, ...body } });
  const fault = async (body: object): Promise<string> => {
    const { status, body: answer } = await create(body);
    return `${status} ${answer.faultstring}`;
  };
  const http = { protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN' };
  const listener = (more: object = {}) => ({ protocol: 'HTTP', protocol_port: 80, ...more });
  const names = (objects: { name: string }[]) => objects.map(({ name }) => name);

  describe('a fully populated create', () => {
    it('makes the whole tree, pending, in one change', async () => {
      const { status, body } = await create({
        name: 'web',
        listeners: [
          listener({
            name: 'l1',
            default_pool: { name: 'p1' },
            l7policies: [
              {
                action: 'REDIRECT_TO_POOL',
                redirect_pool: { name: 'p2', ...http, members: [{ address: '10.0.0.3', protocol_port: 3 }] },
                rules: [{ type: 'PATH', compare_type: 'STARTS_WITH', value: '/api', tags: ['t'] }],
              },
              { name: 'first', action: 'REJECT', position: 1 },
            ],
          }),
          listener({ name: 'l2', protocol_port: 81, default_pool: { name: 'p1' } }),
        ],
        pools: [
          {
            name: 'p1',
            ...http,
            session_persistence: { type: 'SOURCE_IP' },
            healthmonitor: { type: 'HTTP', delay: 1, timeout: 1, max_retries: 1 },
            members: [
              { address: '10.0.0.1', protocol_port: 1 },
              { address: '10.0.0.2', protocol_port: 2, weight: 7 },
            ],
          },
        ],
      });
      const { listeners, pools } = body.loadbalancer;

      expect(status).toBe(201);
      expect(names(listeners)).toEqual(['l1', 'l2']);
      expect(names(pools)).toEqual(['p1', 'p2']);
      expect(listeners[0].default_pool_id).toBe(pools[0].id);
      expect(listeners[1].default_pool_id).toBe(pools[0].id);
      expect(listeners[0].l7policies).toMatchObject([
        { name: 'first', position: 1, action: 'REJECT', rules: [] },
        { name: '', position: 2, redirect_pool_id: pools[1].id, rules: [{ value: '/api', tags: ['t'] }] },
      ]);
      expect(pools[0]).toMatchObject({
        healthmonitor: { http_method: 'GET', url_path: '/' },
        members: [{ address: '10.0.0.1' }, { address: '10.0.0.2', weight: 7 }],
        session_persistence: { type: 'SOURCE_IP' },
      });
      const statuses = JSON.stringify(body).match(/"provisioning_status":"\w+"/g);
      expect(new Set(statuses)).toEqual(new Set(['"provisioning_status":"PENDING_CREATE"']));
      await api.changes.deps.publisher.idle();
    });

    it('counts every kind in the quota', async () => {
      await api.db('quotas').delete();
      await create({
        listeners: [listener({ default_pool: { ...http, members: [{ address: '10.0.0.1', protocol_port: 1 }] } })],
      });

      expect(await api.db('quotas').first()).toMatchObject({
        in_use_load_balancer: 1,
        in_use_listener: 1,
        in_use_pool: 1,
        in_use_member: 1,
        in_use_l7policy: 0,
      });
    });

    it('takes null lists as absent', async () => {
      expect((await create({ listeners: null, pools: null })).body.loadbalancer).toMatchObject({
        listeners: [],
        pools: [],
      });
    });
  });

  describe('is refused as a whole', () => {
    const member = { address: '10.0.0.1', protocol_port: 1 };
    const pool = (more: object = {}) => ({ name: 'p', ...http, ...more });

    it.each<[string, object, string]>([
      [
        'when two pools have one name',
        { pools: [pool(), pool()] },
        '400 Validation failure: Pool names must be unique when creating a fully populated loadbalancer.',
      ],
      [
        'when nobody defines a pool that is referred to',
        { listeners: [listener({ default_pool: { name: 'ghost' } })] },
        "400 Validation failure: Pool 'ghost' was referenced but no full definition was found.",
      ],
      [
        'when a pool has no protocol',
        { pools: [{ name: 'p', lb_algorithm: 'ROUND_ROBIN' }] },
        "400 Validation failure: Pool definition for 'p' missing required attribute: protocol",
      ],
      [
        'when a pool does not fit its listener',
        { listeners: [listener({ default_pool: { ...pool(), protocol: 'TCP' } })] },
        "400 Validation failure: The pool protocol 'TCP' is invalid while the listener protocol is 'HTTP'.",
      ],
      [
        'when two listeners want one port',
        { listeners: [listener(), listener({ protocol: 'TCP' })] },
        '409 Another Listener on this Load Balancer is already using protocol HTTP and protocol_port 80',
      ],
      [
        'when a pool has a member twice',
        { pools: [pool({ members: [member, member] })] },
        '409 Another member on this pool is already using ip 10.0.0.1 on protocol_port 1',
      ],
      [
        'when a member s address is reserved',
        { pools: [pool({ members: [{ address: '169.254.169.254', protocol_port: 1 }] })] },
        '400 169.254.169.254 is not a valid option for member address',
      ],
      [
        'when a monitor does not fit its pool',
        { pools: [pool({ healthmonitor: { type: 'UDP-CONNECT', delay: 5, timeout: 1, max_retries: 1 } })] },
        '400 Validation failure: The UDP-CONNECT type is only supported for pools of type UDP/SCTP.',
      ],
      [
        'when a redirect has no target',
        { listeners: [listener({ l7policies: [{ action: 'REDIRECT_TO_POOL' }] })] },
        '400 Invalid L7 Policy arguments: redirect_pool_id or redirect_pool must not be None',
      ],
      [
        'when an allowed CIDR has no VIP of its version',
        { listeners: [listener({ allowed_cidrs: ['fd00::/8'] })] },
        '400 Validation failure: CIDR fd00::/8 IP version incompatible with all VIPs',
      ],
    ])('%s', async (_, body, text) => {
      const before = await api.db('load_balancer').count({ count: '*' });

      expect(await fault(body)).toContain(text);

      expect(await api.db('load_balancer').count({ count: '*' })).toEqual(before);
      expect(await api.network.listPorts({})).toHaveLength(Number(before[0]?.['count']));
    });

    it('when one kind is over its quota', async () => {
      await api.db('quotas').update({ member: 1, in_use_member: 0 });
      const two = { pools: [{ ...http, members: [member, { ...member, protocol_port: 2 }] }] };

      expect(await fault(two)).toBe('403 Quota has been met for resources: Member');
      await api.db('quotas').update({ member: null });
    });
  });

  it.each([
    ['listeners', { listener: { protocol: 'TCP', protocol_port: 80, l7policies: [{ action: 'REJECT' }] } }],
    ['pools', { pool: { ...http, members: [{ address: '10.0.0.1', protocol_port: 1 }] } }],
  ])('nested objects in a POST of %s are refused', async (path, body) => {
    const { id } = (await create({})).body.loadbalancer;
    await api.settle();
    const [[root, object] = ['', {}]] = Object.entries(body);

    expect((await api.post(`/v2/lbaas/${path}`, { [root]: { ...object, loadbalancer_id: id } })).status).toBe(400);
  });
});
