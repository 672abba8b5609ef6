import { PROJECT, startTestApi, type TestApi } from '../support/api';
import { describeOnDatabases } from '../support/database';

const DEFAULTS = {
  load_balancer: 10,
  listener: -1,
  pool: 20,
  member: 30,
  health_monitor: 40,
  l7policy: 50,
  l7rule: 60,
};
const KEYS = [
  'project_id',
  'loadbalancer',
  'load_balancer',
  'listener',
  'member',
  'pool',
  'healthmonitor',
  'health_monitor',
  'l7policy',
  'l7rule',
  'tenant_id',
];
const path = '/v2/lbaas/quotas';

describeOnDatabases('quotas', (database) => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startTestApi({ db: await database.open(), changes: { defaultQuotas: DEFAULTS } });
  });
  beforeEach(async () => {
    await api.db('quotas').delete();
  });
  afterAll(() => api.close());

  const set = (project: string, quota: object) => api.put(`${path}/${project}`, { quota });

  it('are the defaults for a project nobody has heard of', async () => {
    const { body } = await api.get(`${path}/new`);

    expect(Object.keys(body.quota)).toEqual(KEYS);
    expect(body.quota).toMatchObject({ ...DEFAULTS, loadbalancer: 10, healthmonitor: 40, tenant_id: 'new' });
    expect((await api.get(path)).body).toEqual({ quotas: [], quotas_links: [] });
  });

  it('are set by either spelling, and answered with both', async () => {
    const { status, body } = await set('p', { load_balancer: '3', healthmonitor: 4, pool: -1 });

    expect(status).toBe(202);
    expect(Object.keys(body.quota)).toEqual(KEYS);
    expect(body.quota).toMatchObject({ loadbalancer: 3, load_balancer: 3, health_monitor: 4, pool: -1, member: 30 });
    expect((await api.get(`${path}/p`)).body).toEqual(body);
  });

  it('go back to the default one by one with null, and all at once with DELETE', async () => {
    await set('p', { load_balancer: 3, member: 4 });

    expect((await set('p', { loadbalancer: null })).body.quota).toMatchObject({ load_balancer: 10, member: 4 });
    const gone = await api.delete(`${path}/p`);
    expect([gone.status, gone.text]).toEqual([202, '']);
    expect((await api.get(`${path}/p`)).body.quota.member).toBe(30);
    expect((await api.get(path)).body.quotas).toMatchObject([{ project_id: 'p', member: null, load_balancer: null }]);
    expect((await api.delete(`${path}/q`)).body.faultstring).toBe('Quotas q not found.');
  });

  it('are listed for projects that have a row, null where nothing was ever set', async () => {
    await set('p', { pool: 1 });
    await api.create('/v2/lbaas/loadbalancers', 'loadbalancer', {
      vip_subnet_id: '99999999-9999-4999-8999-999999999999',
    });
    const { body } = await api.get(`${path}?sort=project_id`);

    expect(body.quotas).toMatchObject([
      { project_id: PROJECT, pool: null, l7rule: null },
      { project_id: 'p', pool: 1, l7rule: 60 },
    ]);
    expect((await api.get(`${path}?limit=1`)).body.quotas_links[0].href).toContain(`marker=${PROJECT}`);
  });

  it('keep what is in use when they change', async () => {
    const subnet = { vip_subnet_id: '99999999-9999-4999-8999-999999999999' };
    await api.create('/v2/lbaas/loadbalancers', 'loadbalancer', subnet);
    await set(PROJECT, { load_balancer: 1 });
    const refused = await api.post('/v2/lbaas/loadbalancers', { loadbalancer: subnet });

    expect([refused.status, refused.body.faultstring]).toEqual([
      403,
      'Quota has been met for resources: Load Balancer',
    ]);
  });

  it.each([`${path}/defaults`, `${path}/${PROJECT}/default`])('show the defaults under %s', async (url) => {
    const { body } = await api.get(url);

    expect(Object.keys(body.quota)).toEqual(KEYS.slice(1, -1));
    expect(body.quota).toMatchObject(DEFAULTS);
  });

  it.each([
    [{ load_balancer: -2 }, 'Value should be greater or equal to -1'],
    [{ pool: 2_000_000_001 }, 'Value should be lower or equal to 2000000000'],
  ])('refuse %j', async (quota, reason) => {
    const answer = await set('p', quota);

    expect(answer.status).toBe(400);
    expect(answer.body.faultstring).toMatch(new RegExp(`^Invalid input for field/attribute .*${reason}$`));
  });

  it('refuse what sets nothing, and a project no column could hold', async () => {
    expect((await set('p', {})).status).toBe(400);
    expect((await set('p'.repeat(37), { pool: 1 })).status).toBe(400);
    expect((await api.get(path)).body.quotas).toEqual([]);
  });

  it('may be read by their project and written by administrators', async () => {
    const member = { 'x-roles': 'member' };
    const quotaAdmin = { 'x-roles': 'load-balancer_quota_admin' };
    const statusOf = async (url: string, headers: Record<string, string>) => (await api.get(url, headers)).status;

    expect(await statusOf(`${path}/${PROJECT}`, member)).toBe(200);
    expect(await statusOf(`${path}/foreign`, member)).toBe(403);
    expect(await statusOf(`${path}/defaults`, member)).toBe(403);
    expect(await statusOf(`${path}/defaults`, quotaAdmin)).toBe(200);
    expect(await statusOf(`${path}/foreign`, quotaAdmin)).toBe(200);
    expect((await api.put(`${path}/${PROJECT}`, { quota: { pool: 1 } }, member)).status).toBe(403);
    expect((await api.put(`${path}/${PROJECT}`, { quota: { pool: 1 } }, quotaAdmin)).status).toBe(202);
    expect((await api.delete(`${path}/${PROJECT}`, member)).status).toBe(403);
  });

  it('of a project are all that project sees in the list', async () => {
    await set(PROJECT, { pool: 1 });
    await set('foreign', { pool: 2 });
    const { body } = await api.get(path, { 'x-roles': 'member' });

    expect(body.quotas).toMatchObject([{ project_id: PROJECT, pool: 1 }]);
  });
});
