import { loadDocument } from '../../api/openapi/document';
import { findGroupFor } from '../../driver/db/groups';
import { FIXED_GROUP_FIELDS, GROUP_FIELDS, REFUSED_GROUP_FIELDS } from '../../driver/domain/groupFields';
import { startTestApi, type TestApi } from '../support/api';
import { describeOnDatabases } from '../support/database';
import { insertEngine, insertGroup } from '../support/rows';

const GROUPS = '/v2/slipstream/service-engine-groups';
const EVENTS = '/v2/slipstream/events';
const TABLES = [
  'event',
  'service_engine',
  'service_engine_group',
  'flavor',
  'flavor_profile',
  'availability_zone',
  'availability_zone_profile',
];

describeOnDatabases('service engine groups', (database) => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startTestApi({ db: await database.open() });
  });
  beforeEach(async () => {
    for (const table of TABLES) await api.db(table).delete();
  });
  afterAll(() => api.close());

  const make = (fields: object = {}) => api.post(GROUPS, { service_engine_group: { name: 'gold', ...fields } });
  const change = (id: string, fields: object) => api.put(`${GROUPS}/${id}`, { service_engine_group: fields });

  it('are made with Avi’s defaults, shown, listed, changed and deleted', async () => {
    const { status, body } = await make();
    const group = body.service_engine_group;

    expect(status).toBe(201);
    expect(group).toEqual({
      id: expect.any(String),
      name: 'gold',
      description: '',
      is_default: false,
      ha_mode: 'n_plus_m',
      algo: 'packed',
      min_se: 1,
      max_se: 10,
      max_vs_per_se: 10,
      buffer_se: 1,
      min_scaleout_per_vs: 1,
      max_scaleout_per_vs: 4,
      per_app: false,
      vs_host_redundancy: true,
      tenancy: 'shared',
      max_vnics_per_se: 10,
      se_name_prefix: null,
      vs_scalein_timeout: 30,
      vs_scaleout_timeout: null,
      placement_mode: 'PLACEMENT_MODE_AUTO',
      active_standby: false,
      distribute_load_active_standby: false,
      auto_redistribute_active_standby_load: false,
      dp_hb_frequency: 100,
      dp_hb_timeout_count: 10,
      hm_on_standby: true,
      self_se_election: false,
      bgp_peer_monitor_failover_enabled: false,
      auto_rebalance: false,
      auto_rebalance_interval: 300,
      auto_rebalance_criteria: [],
      auto_rebalance_capacity_per_se: [],
      max_cpu_usage: 80,
      min_cpu_usage: 30,
      se_deprovision_delay: 120,
      aggressive_failure_detection: false,
      dedicated_dispatcher_core: false,
      cpu_reserve: false,
      enable_gratarp_permanent: false,
      created_at: expect.any(String),
      updated_at: null,
    });
    expect((await api.get(`${GROUPS}/${group.id}`)).body).toEqual(body);
    expect((await api.get(`${GROUPS}?name=gold&is_default=false`)).body).toEqual({
      service_engine_groups: [group],
      service_engine_groups_links: [],
    });
    const changed = await change(group.id, { algo: 'distributed', max_se: '3', description: 'd' });
    expect(changed.body.service_engine_group).toMatchObject({ algo: 'distributed', max_se: 3, description: 'd' });
    expect((await api.delete(`${GROUPS}/${group.id}`)).status).toBe(204);
    const gone = await api.get(`${GROUPS}/${group.id}`);
    expect([gone.status, gone.body.faultstring]).toEqual([404, `Service engine group ${group.id} not found.`]);
  });

  it('keep what a change does not name, and take null for the default', async () => {
    const { id } = (await make({ max_se: 5, buffer_se: 0, per_app: true })).body.service_engine_group;

    const { body } = await change(id, { max_se: null });

    expect(body.service_engine_group).toMatchObject({ max_se: 10, buffer_se: 0, per_app: true });
  });

  it('say what load is in words of Avi, too', async () => {
    const load = {
      auto_rebalance: true,
      auto_rebalance_criteria: ['SE_AUTO_REBALANCE_OPEN_CONNS', 'mbps'],
      auto_rebalance_capacity_per_se: [5_000, 900],
    };
    const { id, ...made } = (await make(load)).body.service_engine_group;
    expect(made).toMatchObject({ ...load, auto_rebalance_criteria: ['open_conns', 'mbps'] });

    const { body } = await change(id, { auto_rebalance_criteria: null, auto_rebalance_capacity_per_se: null });

    expect(body.service_engine_group).toMatchObject({
      auto_rebalance_criteria: [],
      auto_rebalance_capacity_per_se: [],
    });
  });

  it('boot nothing ahead for engines of one project at a time, unless it is said', async () => {
    const { id, ...made } = (await make({ tenancy: 'exclusive' })).body.service_engine_group;
    expect(made).toMatchObject({ tenancy: 'exclusive', buffer_se: 0 });
    expect((await change(id, { buffer_se: 2 })).body.service_engine_group).toMatchObject({ buffer_se: 2 });
    expect((await change(id, { buffer_se: null })).body.service_engine_group).toMatchObject({ buffer_se: 0 });
    const shared = await change(id, { tenancy: 'shared', buffer_se: null });
    expect(shared.body.service_engine_group).toMatchObject({ tenancy: 'shared', buffer_se: 1 });
    const ahead = await make({ name: 'silver', tenancy: 'exclusive', buffer_se: 3 });
    expect(ahead.body.service_engine_group).toMatchObject({ buffer_se: 3 });
  });

  it('boot nothing ahead in the projects of users, and show where they are', async () => {
    const { body } = await make({ tenancy: 'tenant' });
    expect(body.service_engine_group).toMatchObject({ tenancy: 'tenant', buffer_se: 0 });
    const group = body.service_engine_group.id;
    await insertEngine(api.db, { service_engine_group_id: group, owner_project_id: 'theirs' });
    const shown = await api.get('/v2/slipstream/service-engines?owner_project_id=theirs');
    expect(shown.body.service_engines).toMatchObject([{ owner_project_id: 'theirs' }]);
  });

  it('understand Avi’s words', async () => {
    const { body } = await make({
      ha_mode: 'HA_MODE_LEGACY_ACTIVE_STANDBY',
      algo: 'PLACEMENT_ALGO_DISTRIBUTED',
      placement_mode: 'PLACEMENT_MODE_AUTO',
      auto_rebalance: false,
    });

    expect(body.service_engine_group).toMatchObject({ ha_mode: 'active_standby', algo: 'distributed' });
  });

  it.each(Object.entries(REFUSED_GROUP_FIELDS))('refuse %s and say why', async (field, reason) => {
    const made = await make({ [field]: 1 });

    expect([made.status, made.body.faultstring]).toEqual([
      400,
      `Validation failure: ${field} does not apply here: ${reason}.`,
    ]);
    expect(await api.db('service_engine_group').select('id')).toEqual([]);
  });

  it.each(Object.entries(FIXED_GROUP_FIELDS))('have one value of %s', async (field, { value, reason }) => {
    const other = typeof value === 'boolean' ? !value : 'PLACEMENT_MODE_OTHER';

    expect((await make({ [field]: other })).body.faultstring).toBe(
      `Validation failure: ${field} can only be ${value} here: ${reason}.`,
    );
    expect((await make({ [field]: value })).status).toBe(201);
  });

  it.each([
    [{ max_se: 1001 }, /max_se/],
    [{ max_vs_per_se: 0 }, /max_vs_per_se/],
    [{ max_scaleout_per_vs: 65 }, /max_scaleout_per_vs/],
    [{ ha_mode: 'best' }, /ha_mode/],
    [{ min_se: 'many' }, /min_se/],
    [{ tenancy: 'private' }, /tenancy/],
    [{ max_vnics_per_se: 1 }, /max_vnics_per_se/],
    [{ se_name_prefix: 'no spaces' }, /se_name_prefix/],
    [{ colour: 'red' }, /Unknown attribute .*: colour/],
    [{ name: null }, /name/],
    [{ min_se: 4, max_se: 3 }, /min_se is greater than max_se/],
    [{ min_scaleout_per_vs: 5 }, /min_scaleout_per_vs is greater than max_scaleout_per_vs/],
    [{ max_cpu_usage: 91 }, /max_cpu_usage/],
    [{ max_cpu_usage: 50, min_cpu_usage: 50 }, /min_cpu_usage is not less than max_cpu_usage/],
    [{ auto_rebalance_criteria: ['luck'] }, /auto_rebalance_criteria/],
    [{ auto_rebalance_criteria: ['mbps', 'cps'], auto_rebalance_capacity_per_se: [100] }, /one value for each/],
  ])('refuse %j', async (fields, text) => {
    const { status, body } = await make(fields);

    expect([status, body.faultstring]).toEqual([400, expect.stringMatching(text)]);
  });

  it('have names of their own, and keep a name that a flavor has', async () => {
    const { id } = (await make()).body.service_engine_group;
    const again = await make();
    expect([again.status, again.body.faultstring]).toEqual([409, 'A service engine group of gold already exists.']);

    const profile = { name: 'p', provider_name: 'octavia', flavor_data: '{"service_engine_group": "gold"}' };
    await api.create('/v2/lbaas/flavorprofiles', 'flavorprofile', profile);
    const text = `Service engine group ${id} is in use and cannot be modified.`;

    expect((await change(id, { name: 'silver' })).body.faultstring).toBe(text);
    expect((await api.delete(`${GROUPS}/${id}`)).body.faultstring).toBe(text);
    expect((await change(id, { max_se: 2 })).status).toBe(200);
  });

  it('stay while they have engines or are the default', async () => {
    const { id } = await insertGroup(api.db, { is_default: 1 });
    const other = (await make()).body.service_engine_group.id;
    await insertEngine(api.db, { service_engine_group_id: other });

    expect((await api.delete(`${GROUPS}/${id}`)).body.faultstring).toMatch(/is the default group/);
    expect((await api.delete(`${GROUPS}/${other}`)).status).toBe(409);
  });

  it('are chosen by flavor, else by availability zone, else by default', async () => {
    const defaultId = (await insertGroup(api.db, { is_default: 1 })).id;
    const gold = (await make()).body.service_engine_group;
    const silver = (await make({ name: 'silver' })).body.service_engine_group;
    const profile = await api.create('/v2/lbaas/flavorprofiles', 'flavorprofile', {
      name: 'p',
      provider_name: 'octavia',
      flavor_data: '{"service_engine_group": "gold"}',
    });
    const flavor = { name: 'f', flavor_profile_id: profile.id };
    const { id: flavorId } = await api.create('/v2/lbaas/flavors', 'flavor', flavor);
    const zoneProfile = await api.create('/v2/lbaas/availabilityzoneprofiles', 'availability_zone_profile', {
      name: 'p',
      provider_name: 'octavia',
      availability_zone_data: JSON.stringify({ service_engine_group: silver.id }),
    });
    const zone = { name: 'az', availability_zone_profile_id: zoneProfile.id };
    await api.create('/v2/lbaas/availabilityzones', 'availability_zone', zone);
    const chosen = async (flavorOrNull: string | null, availabilityZone: string | null) =>
      (await findGroupFor(api.db, { flavorId: flavorOrNull, availabilityZone }))?.group.id;

    expect(await chosen(flavorId, 'az')).toBe(gold.id);
    expect(await chosen(null, 'az')).toBe(silver.id);
    expect(await chosen(null, null)).toBe(defaultId);
  });

  it('must be there for a profile to name them', async () => {
    const refused = await api.post('/v2/lbaas/flavorprofiles', {
      flavorprofile: { name: 'p', provider_name: 'octavia', flavor_data: '{"service_engine_group": "iron"}' },
    });

    expect([refused.status, refused.body.faultstring]).toEqual([400, 'Service engine group iron not found.']);
    const senseless = await api.post('/v2/lbaas/availabilityzoneprofiles', {
      availability_zone_profile: {
        name: 'p',
        provider_name: 'octavia',
        availability_zone_data: '{"service_engine_group": 5}',
      },
    });
    expect(senseless.status).toBe(501);
    expect(senseless.body.faultstring).toContain("'service_engine_group' is not one it can have");
  });

  it('leave an event of every change, with request and user', async () => {
    const { headers, body } = await api.request('POST', GROUPS, {
      body: { service_engine_group: { name: 'gold' } },
      headers: { 'x-user-id': 'operator', 'x-roles': 'admin' },
    });
    const { id } = body.service_engine_group;
    await change(id, { max_se: 4 });
    await api.delete(`${GROUPS}/${id}`);

    const { events } = (await api.get(`${EVENTS}?resource_id=${id}&sort=created_at,name`)).body;
    expect(events.map(({ name }: { name: string }) => name).sort()).toEqual([
      'GROUP_CHANGED',
      'GROUP_CREATED',
      'GROUP_DELETED',
    ]);
    expect(events.find(({ name }: { name: string }) => name === 'GROUP_CREATED')).toMatchObject({
      user_id: 'operator',
      request_id: headers.get('x-openstack-request-id'),
      resource_type: 'service_engine_group',
      severity: 'info',
    });
  });
});

it.each(['Create', 'Update'])('documents every field of a group’s %s', (request) => {
  const { properties = {} } = loadDocument().components.schemas[`ServiceEngineGroup${request}`] ?? {};
  const known = [GROUP_FIELDS, FIXED_GROUP_FIELDS, REFUSED_GROUP_FIELDS].flatMap((fields) => Object.keys(fields));

  expect(Object.keys(properties).sort()).toEqual(['name', 'description', ...known].sort());
});
