import { loadDocument, resolveSchema, type Schema } from '../../api/openapi/document';
import type { Db } from '../../driver/db/connect';
import { PROJECT, startTestApi, type TestApi } from '../support/api';
import { type DatabaseUnderTest, describeOnDatabases } from '../support/database';
import {
  insertListener,
  insertLoadBalancer,
  insertMember,
  insertMonitor,
  insertPolicy,
  insertPool,
  insertRule,
} from '../support/rows';

const ids = Object.fromEntries(
  ['lb', 'listener', 'pool', 'spare', 'member', 'monitor', 'policy', 'rule', 'subnet', 'network', 'port', 'sg'].map(
    (name, index) => [name, `00000000-0000-4000-8000-0000000000${10 + index}`],
  ),
) as Record<string, string>;
const id = (name: string): string => ids[name] ?? '';
const own = { project_id: PROJECT, created_at: '2026-11-21 10:00:00.123', updated_at: '2026-11-21 10:00:01.000' };

/** One of everything, each field with a value of its own. */
async function insertTree(db: Db): Promise<void> {
  await insertLoadBalancer(
    db,
    { ...own, id: id('lb'), name: 'web', description: 'd', updated_at: null },
    { ip_address: '10.0.0.5', port_id: id('port'), subnet_id: id('subnet'), network_id: id('network') },
  );
  await db('vip_security_group').insert({ load_balancer_id: id('lb'), sg_id: id('sg') });
  await db('additional_vip').insert({
    load_balancer_id: id('lb'),
    subnet_id: id('spare'),
    ip_address: '10.9.0.5',
    port_id: null,
    network_id: id('network'),
    position: 0,
  });
  const below = { ...own, load_balancer_id: id('lb') };
  await insertPool(db, { ...below, id: id('pool'), name: 'p' });
  await insertPool(db, { ...below, id: id('spare'), created_at: '2026-11-21 10:00:01.000' });
  await db('session_persistence').insert({ pool_id: id('pool'), type: 'APP_COOKIE', cookie_name: 'c' });
  await insertListener(db, {
    ...below,
    id: id('listener'),
    default_pool_id: id('pool'),
    insert_headers: '{"X-Forwarded-For":"true"}',
    tls_versions: '["TLSv1.2"]',
  });
  await db('sni').insert({ listener_id: id('listener'), tls_container_id: 'ref-b', position: 0 });
  await db('sni').insert({ listener_id: id('listener'), tls_container_id: 'ref-a', position: 1 });
  await db('listener_cidr').insert({ listener_id: id('listener'), cidr: '10.0.0.0/8', position: 0 });
  await insertMember(db, { ...own, id: id('member'), pool_id: id('pool'), ip_address: '2001:DB8::1' });
  await insertMonitor(db, { ...own, id: id('monitor'), pool_id: id('pool'), http_version: 1.1 });
  await insertPolicy(db, {
    ...own,
    id: id('policy'),
    listener_id: id('listener'),
    action: 'REDIRECT_TO_POOL',
    redirect_pool_id: id('spare'),
  });
  await insertRule(db, { ...own, id: id('rule'), l7policy_id: id('policy'), key: null, value: '/x' });
  await db('tags').insert(['b', 'ä', 'a'].map((tag) => ({ resource_id: id('lb'), tag })));
}

const document = loadDocument();

/** The keys of a view as the document lists them, which is the order of Octavia. */
function keysOf(name: string): string[] {
  return Object.keys((resolveSchema(document, { $ref: `#/components/schemas/${name}` }) as Schema).properties ?? {});
}

describeOnDatabases('views', (database: DatabaseUnderTest) => {
  let api: TestApi;
  beforeAll(async () => {
    const db = await database.open();
    await insertTree(db);
    api = await startTestApi({ db });
  });
  afterAll(() => api.close());

  it.each([
    ['loadbalancers', 'loadbalancer', 'lb', 'LoadBalancerViewPart', 24],
    ['listeners', 'listener', 'listener', 'ListenerViewPart', 34],
    ['pools', 'pool', 'pool', 'PoolViewPart', 25],
    [`pools/${ids['pool']}/members`, 'member', 'member', 'MemberViewPart', 18],
    ['healthmonitors', 'healthmonitor', 'monitor', 'HealthMonitorViewPart', 21],
    ['l7policies', 'l7policy', 'policy', 'L7PolicyViewPart', 19],
    [`l7policies/${ids['policy']}/rules`, 'rule', 'rule', 'L7RuleViewPart', 14],
  ])('%s show all keys of a %s in order, alone and in the list', async (path, root, name, schema, count) => {
    const one = await api.get(`/v2/lbaas/${path}/${id(name)}`);
    const many = await api.get(`/v2/lbaas/${path}?id=${id(name)}`);
    const [plural = ''] = Object.keys(many.body);

    expect(one.status).toBe(200);
    expect(Object.keys(one.body[root])).toEqual(keysOf(schema));
    expect(Object.keys(one.body[root])).toHaveLength(count);
    expect(many.body).toEqual({ [plural]: [one.body[root]], [`${plural}_links`]: [] });
    expect(Object.keys(many.body[plural][0])).toEqual(keysOf(schema));
  });

  it('shows a load balancer with its VIPs, children, sorted tags and times without zone', async () => {
    const { body } = await api.get(`/v2/lbaas/loadbalancers/${id('lb')}`);

    expect(body.loadbalancer).toMatchObject({
      name: 'web',
      created_at: '2026-11-21T10:00:00',
      updated_at: null,
      admin_state_up: true,
      vip_address: '10.0.0.5',
      vip_sg_ids: [id('sg')],
      additional_vips: [{ subnet_id: id('spare'), ip_address: '10.9.0.5', port_id: null }],
      listeners: [{ id: id('listener') }],
      pools: [{ id: id('pool') }, { id: id('spare') }],
      tags: ['a', 'b', 'ä'],
      vip_vnic_type: 'normal',
      tenant_id: PROJECT,
    });
  });

  it('shows a listener with lists in the order they were given', async () => {
    const { body } = await api.get(`/v2/lbaas/listeners/${id('listener')}`);

    expect(body.listener).toMatchObject({
      sni_container_refs: ['ref-b', 'ref-a'],
      insert_headers: { 'X-Forwarded-For': 'true' },
      allowed_cidrs: ['10.0.0.0/8'],
      tls_versions: ['TLSv1.2'],
      alpn_protocols: null,
      l7policies: [{ id: id('policy') }],
      loadbalancers: [{ id: id('lb') }],
    });
  });

  it('shows a pool with its persistence, and leaves healthmonitor_id out without a monitor', async () => {
    const { body } = await api.get('/v2/lbaas/pools');
    const [pool, spare] = body.pools;

    expect(pool).toMatchObject({
      session_persistence: {
        type: 'APP_COOKIE',
        cookie_name: 'c',
        persistence_timeout: null,
        persistence_granularity: null,
      },
      listeners: [{ id: id('listener') }],
      members: [{ id: id('member') }],
      healthmonitor_id: id('monitor'),
    });
    expect(spare).not.toHaveProperty('healthmonitor_id');
    expect(spare.session_persistence).toBeNull();
  });

  it('shows what the other kinds hold', async () => {
    const member = await api.get(`/v2/lbaas/pools/${id('pool')}/members/${id('member')}`);
    const monitor = await api.get(`/v2/lbaas/healthmonitors/${id('monitor')}`);
    const policy = await api.get(`/v2/lbaas/l7policies/${id('policy')}`);

    expect(member.body.member).toMatchObject({ address: '2001:DB8::1', backup: false, tags: [] });
    expect(monitor.body.healthmonitor).toMatchObject({ http_version: 1.1, pools: [{ id: id('pool') }] });
    expect(policy.body.l7policy).toMatchObject({ rules: [{ id: id('rule') }], redirect_pool_id: id('spare') });
  });

  it.each(['status', 'statuses'])('shows the whole tree of statuses under %s', async (path) => {
    const { body } = await api.get(`/v2/lbaas/loadbalancers/${id('lb')}/${path}`);
    const status = { operating_status: 'OFFLINE', provisioning_status: 'ACTIVE' };

    expect(JSON.stringify(body)).toBe(
      JSON.stringify({
        statuses: {
          loadbalancer: {
            id: id('lb'),
            name: 'web',
            ...status,
            listeners: [
              {
                id: id('listener'),
                name: '',
                ...status,
                pools: [
                  {
                    id: id('pool'),
                    name: 'p',
                    provisioning_status: 'ACTIVE',
                    operating_status: 'OFFLINE',
                    health_monitor: {
                      id: id('monitor'),
                      name: '',
                      type: 'HTTP',
                      provisioning_status: 'ACTIVE',
                      operating_status: 'OFFLINE',
                    },
                    members: [{ id: id('member'), name: '', ...status, address: '2001:DB8::1', protocol_port: 9000 }],
                  },
                  {
                    id: id('spare'),
                    name: '',
                    provisioning_status: 'ACTIVE',
                    operating_status: 'OFFLINE',
                    health_monitor: null,
                    members: [],
                  },
                ],
              },
            ],
          },
        },
      }),
    );
  });

  it('sums statistics over engines, zeros where nothing was counted', async () => {
    const none = await api.get(`/v2/lbaas/listeners/${id('listener')}/stats`);
    for (const [engine, bytes] of [
      ['e1', 4],
      ['e2', 9_000_000_000],
    ] as const) {
      await api.db('listener_statistics').insert({
        listener_id: id('listener'),
        amphora_id: engine,
        load_balancer_id: id('lb'),
        bytes_in: bytes,
        bytes_out: 1,
        active_connections: 0,
        total_connections: 2,
        request_errors: 0,
      });
    }
    const stats = {
      bytes_in: 9_000_000_004,
      bytes_out: 2,
      active_connections: 0,
      total_connections: 4,
      request_errors: 0,
    };

    expect(Object.values(none.body.stats)).toEqual([0, 0, 0, 0, 0]);
    expect((await api.get(`/v2/lbaas/listeners/${id('listener')}/stats`)).text).toBe(JSON.stringify({ stats }));
    expect((await api.get(`/v2/lbaas/loadbalancers/${id('lb')}/stats`)).body).toEqual({ stats });
  });

  it('answers with the fields asked for, less unknown ones and tenant_id', async () => {
    const { body } = await api.get(`/v2/pools/${id('pool')}?fields=tenant_id&fields=name&fields=id&fields=x`);

    expect(JSON.stringify(body)).toBe(JSON.stringify({ pool: { id: id('pool'), name: 'p' } }));
  });

  it('does not show what says DELETED', async () => {
    const gone = await insertLoadBalancer(api.db, { ...own, provisioning_status: 'DELETED' });

    expect((await api.get(`/v2/lbaas/loadbalancers/${gone.id}`)).body.faultstring).toBe(
      `Load Balancer ${gone.id} not found.`,
    );
    expect((await api.get('/v2/lbaas/loadbalancers')).body.loadbalancers).toHaveLength(1);
  });
});
