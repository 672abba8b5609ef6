import { PROVISIONING_TOPIC } from '../../driver/bus/port';
import { PROJECT, startTestApi, type TestApi } from '../support/api';
import { describeOnDatabases } from '../support/database';
import { insertEngine, insertGroup, insertLoadBalancer, insertPlacement } from '../support/rows';

const KEYS = [
  ...['id', 'loadbalancer_id', 'compute_id', 'lb_network_ip', 'vrrp_ip', 'ha_ip', 'vrrp_port_id', 'ha_port_id'],
  ...['cert_expiration', 'cert_busy', 'role', 'status', 'vrrp_interface', 'vrrp_id', 'vrrp_priority', 'cached_zone'],
  ...['created_at', 'updated_at', 'image_id', 'compute_flavor'],
];
const path = '/v2/octavia/amphorae';

const TABLES = [
  'listener_statistics',
  'placement',
  'se_vnic',
  'service_engine',
  'service_engine_group',
  'load_balancer',
];

describeOnDatabases('amphorae', (database) => {
  let api: TestApi;
  let lb: string;
  let engine: string;
  let spare: string;
  let placement: string;
  let casts: { method: string; args: unknown }[];
  beforeAll(async () => {
    api = await startTestApi({ db: await database.open() });
    await api.bus.subscribe(PROVISIONING_TOPIC, ({ method, args }) => void casts.push({ method, args }));
  });
  beforeEach(async () => {
    const { db } = api;
    await api.changes.deps.publisher.idle();
    for (const table of TABLES) await db(table).delete();
    casts = [];
    const { id: service_engine_group_id } = await insertGroup(db);
    const engineRow = { service_engine_group_id, compute_id: 'server-1', management_address: '192.168.1.2' };
    engine = (await insertEngine(db, engineRow)).id;
    spare = (await insertEngine(db, { service_engine_group_id })).id;
    lb = (await insertLoadBalancer(db, { project_id: PROJECT }, { network_id: 'network-1', ip_address: '10.0.0.9' }))
      .id;
    placement = (await insertPlacement(db, { load_balancer_id: lb, service_engine_id: engine })).id;
    await db('se_vnic').insert({
      id: 'vnic-1',
      service_engine_id: engine,
      network_id: 'network-1',
      port_id: 'port-1',
      ip_address: '10.0.0.3',
      deleting: 0,
      created_at: '2026-11-21 10:00:00.000',
    });
  });
  afterAll(() => api.close());

  it('show placements', async () => {
    const { body } = await api.get(`${path}/${placement}`);

    expect(Object.keys(body.amphora)).toEqual(KEYS);
    expect(body.amphora).toMatchObject({
      loadbalancer_id: lb,
      compute_id: 'server-1',
      lb_network_ip: '192.168.1.2',
      vrrp_ip: '10.0.0.3',
      vrrp_port_id: 'port-1',
      ha_ip: '10.0.0.9',
      role: 'STANDALONE',
      status: 'ALLOCATED',
      cert_busy: false,
    });
  });

  it('list spare engines beside them, and filter on what they show', async () => {
    const ids = async (query: string) =>
      (await api.get(`${path}${query}`)).body.amphorae.map(({ id }: { id: string }) => id).sort();

    expect(await ids('')).toEqual([placement, spare].sort());
    expect(await ids('?status=READY')).toEqual([spare]);
    expect(await ids(`?loadbalancer_id=${lb}&role=STANDALONE`)).toEqual([placement]);
    expect(await ids('?sort=role:desc&limit=1')).toEqual([placement]);
  });

  it('of a load balancer on two engines are master and backup', async () => {
    await insertPlacement(api.db, { load_balancer_id: lb, service_engine_id: spare, role: 'standby', stale: 1 });
    const { body } = await api.get(`${path}?loadbalancer_id=${lb}&sort=role`);

    expect(body.amphorae.map(({ role, status }: { role: string; status: string }) => [role, status])).toEqual([
      ['BACKUP', 'ERROR'],
      ['MASTER', 'ALLOCATED'],
    ]);
  });

  it('tell what their listeners have counted', async () => {
    const none = await api.get(`${path}/${placement}/stats`);
    await api.db('listener_statistics').insert({
      listener_id: 'listener-1',
      amphora_id: engine,
      load_balancer_id: lb,
      bytes_in: 5,
      bytes_out: 6,
      active_connections: 1,
      total_connections: 2,
      request_errors: 3,
    });
    const { text } = await api.get(`${path}/${placement}/stats`);

    expect([none.status, none.body.faultstring]).toEqual([404, `Amphora stats for ${placement} not found.`]);
    expect(text).toBe(
      JSON.stringify({
        amphora_stats: [
          {
            active_connections: 1,
            bytes_in: 5,
            bytes_out: 6,
            id: placement,
            listener_id: 'listener-1',
            loadbalancer_id: lb,
            request_errors: 3,
            total_connections: 2,
          },
        ],
      }),
    );
  });

  it('fail over with their load balancer, which must be free for it', async () => {
    const done = await api.request('PUT', `${path}/${placement}/failover`, { body: {} });
    const again = await api.request('PUT', `${path}/${placement}/failover`);
    await api.changes.deps.publisher.idle();

    expect([done.status, done.text]).toEqual([202, '']);
    expect([again.status, again.body.faultstring]).toEqual([
      409,
      `Load Balancer ${lb} is immutable and cannot be updated.`,
    ]);
    expect(casts).toEqual([{ method: 'failover_amphora', args: { amphora_id: placement } }]);
    expect(await api.db('placement').where({ id: placement }).first('request')).toEqual({ request: 'failover' });
  });

  it('are configured without a word to the load balancer', async () => {
    expect((await api.request('PUT', `${path}/${placement}/config`)).status).toBe(202);
    expect(await api.db('placement').where({ id: placement }).first('request')).toEqual({ request: 'configure' });
    expect((await api.get(`/v2/loadbalancers/${lb}`)).body.loadbalancer.provisioning_status).toBe('ACTIVE');
  });

  it('are deleted in ERROR alone', async () => {
    const refused = await api.delete(`${path}/${placement}`);
    await api.db('placement').where({ id: placement }).update({ stale: 1 });
    const done = await api.delete(`${path}/${placement}`);

    expect([refused.status, refused.body.faultstring]).toEqual([
      409,
      `amphora ${placement} is immutable and cannot be updated.`,
    ]);
    expect(done.status).toBe(204);
    expect(await api.db('placement').where({ id: placement }).first('request')).toEqual({ request: 'delete' });
  });

  it('that are spare engines go when they are in ERROR, and can be asked nothing else', async () => {
    expect((await api.request('PUT', `${path}/${spare}/failover`)).status).toBe(409);
    expect((await api.delete(`${path}/${spare}`)).status).toBe(409);
    await api.db('service_engine').where({ id: spare }).update({ status: 'GHOST' });
    expect((await api.delete(`${path}/${spare}`)).status).toBe(204);
    expect(await api.db('service_engine').where({ id: spare }).first('deleting')).toEqual({ deleting: 1 });
  });

  it('are for administrators', async () => {
    const member = { 'x-roles': 'member' };

    expect((await api.get(path, member)).status).toBe(403);
    expect((await api.get(`${path}/${placement}`, member)).status).toBe(403);
    expect((await api.get(`${path}/unknown`)).body.faultstring).toBe('Amphora unknown not found.');
    expect((await api.request('PUT', `${path}/${placement}/bogus`)).status).toBe(405);
    expect((await api.get(`${path}/${placement}/bogus`)).status).toBe(404);
  });
});
