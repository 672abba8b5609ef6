import { loadDocument } from '../../api/openapi/document';
import { HINTS_TOPIC } from '../../driver/bus/port';
import { recordEvents } from '../../driver/db/events';
import { findGroupFor } from '../../driver/db/groups';
import { FIXED_GROUP_FIELDS, GROUP_FIELDS, REFUSED_GROUP_FIELDS } from '../../driver/domain/groupFields';
import { PROJECT, startTestApi, type TestApi } from '../support/api';
import { describeOnDatabases } from '../support/database';
import { insertEngine, insertGroup, insertLoadBalancer, insertPlacement } from '../support/rows';

const GROUPS = '/v2/slipstream/service-engine-groups';
const ENGINES = '/v2/slipstream/service-engines';
const PLACEMENTS = '/v2/slipstream/placements';
const EVENTS = '/v2/slipstream/events';
const TABLES = [
  'event',
  'placement',
  'service_engine',
  'service_engine_group',
  'load_balancer',
  'flavor',
  'flavor_profile',
  'availability_zone',
  'availability_zone_profile',
];
const UNKNOWN = '99999999-9999-4999-8999-999999999999';

describeOnDatabases('the operator API', (database) => {
  let api: TestApi;
  let hints: { method: string; args: unknown }[];
  beforeAll(async () => {
    api = await startTestApi({ db: await database.open() });
    await api.bus.subscribe(HINTS_TOPIC, ({ method, args }) => void hints.push({ method, args }));
  });
  beforeEach(async () => {
    await api.changes.deps.publisher.idle();
    for (const table of TABLES) await api.db(table).delete();
    hints = [];
  });
  afterAll(() => api.close());

  const make = (fields: object = {}) => api.post(GROUPS, { service_engine_group: { name: 'gold', ...fields } });
  const change = (id: string, fields: object) => api.put(`${GROUPS}/${id}`, { service_engine_group: fields });
  // biome-ignore lint/suspicious/noExplicitAny: looks into answers of every shape
  const ids = (items: any[]): string[] => items.map(({ id }) => id);

  describe('service engine groups', () => {
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
        se_name_prefix: null,
        placement_mode: 'PLACEMENT_MODE_AUTO',
        active_standby: false,
        distribute_load_active_standby: false,
        auto_redistribute_active_standby_load: false,
        hm_on_standby: true,
        self_se_election: false,
        bgp_peer_monitor_failover_enabled: false,
        auto_rebalance: false,
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
      [{ se_name_prefix: 'no spaces' }, /se_name_prefix/],
      [{ colour: 'red' }, /Unknown attribute .*: colour/],
      [{ name: null }, /name/],
      [{ min_se: 4, max_se: 3 }, /min_se is greater than max_se/],
      [{ min_scaleout_per_vs: 5 }, /min_scaleout_per_vs is greater than max_scaleout_per_vs/],
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
        (await findGroupFor(api.db, { flavorId: flavorOrNull, availabilityZone }))?.id;

      expect(await chosen(flavorId, 'az')).toBe(gold.id);
      expect(await chosen(null, 'az')).toBe(silver.id);
      expect(await chosen(null, null)).toBe(defaultId);
    });

    it('must be there for a profile to name them', async () => {
      const refused = await api.post('/v2/lbaas/flavorprofiles', {
        flavorprofile: { name: 'p', provider_name: 'octavia', flavor_data: '{"service_engine_group": "iron"}' },
      });

      expect([refused.status, refused.body.faultstring]).toEqual([400, 'Service engine group iron not found.']);
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

  describe('service engines and placements', () => {
    let group: string;
    let engine: string;
    let spare: string;
    let lb: string;
    let placement: string;
    beforeEach(async () => {
      const { db } = api;
      group = (await insertGroup(db)).id;
      const row = { service_engine_group_id: group, connected_to: 'hm-1', host: 'compute-1', token_hash: 'secret' };
      engine = (await insertEngine(db, row)).id;
      spare = (await insertEngine(db, { service_engine_group_id: group, connected_to: null, status: 'DOWN' })).id;
      lb = (await insertLoadBalancer(db, { project_id: PROJECT })).id;
      const refusals = JSON.stringify([{ kind: 'listener', id: 'l', reason: 'port taken' }]);
      placement = (await insertPlacement(db, { load_balancer_id: lb, service_engine_id: engine, refusals })).id;
    });

    it('are shown, without what is secret', async () => {
      const shown = await api.get(`${ENGINES}/${engine}`);

      expect(shown.body.service_engine).toMatchObject({
        id: engine,
        service_engine_group_id: group,
        status: 'READY',
        connected: true,
        host: 'compute-1',
        deleting: false,
      });
      expect(shown.text).not.toContain('secret');
      expect((await api.get(`${PLACEMENTS}/${placement}`)).body.placement).toMatchObject({
        id: placement,
        loadbalancer_id: lb,
        service_engine_id: engine,
        project_id: PROJECT,
        role: 'primary',
        refusals: [{ kind: 'listener', id: 'l', reason: 'port taken' }],
      });
    });

    it('are listed by what they show', async () => {
      const engines = async (query: string) => ids((await api.get(`${ENGINES}?${query}`)).body.service_engines);
      const placements = async (query: string) => ids((await api.get(`${PLACEMENTS}?${query}`)).body.placements);

      expect((await engines(`service_engine_group_id=${group}`)).sort()).toEqual([engine, spare].sort());
      expect(await engines('connected=true')).toEqual([engine]);
      expect(await engines('status=DOWN')).toEqual([spare]);
      expect(await placements(`loadbalancer_id=${lb}&project_id=${PROJECT}`)).toEqual([placement]);
      expect(await placements(`service_engine_id=${spare}`)).toEqual([]);
      const { body } = await api.get(`${ENGINES}?limit=1&sort_key=name&fields=id`);
      expect([body.service_engines.length, body.service_engines_links[0].rel]).toEqual([1, 'next']);
      expect((await api.get(`${ENGINES}?colour=red`)).status).toBe(400);
    });

    it('of an engine that is retired are moved by a worker, who is told once', async () => {
      const before = await api.db('service_engine').where({ id: engine }).first();

      expect((await api.delete(`${ENGINES}/${engine}`)).status).toBe(204);
      expect((await api.delete(`${ENGINES}/${engine}`)).status).toBe(204);

      const after = await api.db('service_engine').where({ id: engine }).first();
      expect(Number(after.generation)).toBe(Number(before.generation) + 1);
      expect((await api.get(`${ENGINES}/${engine}`)).body.service_engine.deleting).toBe(true);
      expect(hints).toContainEqual({ method: 'engine', args: { id: engine } });
      expect((await api.get(`${EVENTS}?name=ENGINE_RETIRED`)).body.events).toHaveLength(1);
      expect((await api.delete(`${ENGINES}/${UNKNOWN}`)).body.faultstring).toBe(`Service engine ${UNKNOWN} not found.`);
    });
  });

  describe('events', () => {
    beforeEach(async () => {
      const about = { projectId: PROJECT, loadBalancerId: UNKNOWN, requestId: 'req-1' };
      await recordEvents(api.db, [{ name: 'ENGINE_DOWN', severity: 'error', message: 'it is silent' }], about);
      await recordEvents(api.db, [{ name: 'ENGINE_UP', severity: 'info', message: 'it is back' }]);
      await api.db('event').where({ name: 'ENGINE_DOWN' }).update({ at: '2026-01-01 00:00:00.500' });
      await api.db('event').where({ name: 'ENGINE_UP' }).update({ at: '2026-01-02 00:00:00.500' });
    });
    const names = async (query: string): Promise<string[]> =>
      (await api.get(`${EVENTS}?${query}`)).body.events.map(({ name }: { name: string }) => name);

    it('are listed in the order they happened, and shown', async () => {
      expect(await names('')).toEqual(['ENGINE_DOWN', 'ENGINE_UP']);
      expect(await names('sort=created_at:desc')).toEqual(['ENGINE_UP', 'ENGINE_DOWN']);
      const [event] = (await api.get(EVENTS)).body.events;
      expect((await api.get(`${EVENTS}/${event.id}`)).body.event).toEqual({
        id: event.id,
        created_at: '2026-01-01T00:00:00',
        name: 'ENGINE_DOWN',
        severity: 'error',
        project_id: PROJECT,
        loadbalancer_id: UNKNOWN,
        service_engine_id: null,
        resource_type: null,
        resource_id: null,
        message: 'it is silent',
        request_id: 'req-1',
        user_id: null,
      });
    });

    it.each([
      [`loadbalancer_id=${UNKNOWN}`, ['ENGINE_DOWN']],
      ['severity=info', ['ENGINE_UP']],
      ['request_id=req-1', ['ENGINE_DOWN']],
      ['created_at=2026-01-01T00:00:00', ['ENGINE_DOWN']],
      ['since=2026-01-01T00:00:00', ['ENGINE_DOWN', 'ENGINE_UP']],
      ['since=2026-01-01T00:00:01', ['ENGINE_UP']],
      ['until=2026-01-01T00:00:00', ['ENGINE_DOWN']],
      ['since=2026-01-01T00:00:01&until=2026-01-01T23:00:00', []],
      ['since=yesterday', []],
    ])('are filtered by %s', async (query, expected) => {
      expect(await names(query)).toEqual(expected);
    });
  });

  it.each([GROUPS, ENGINES, PLACEMENTS, EVENTS])('is for operators: %s', async (path) => {
    const member = { 'x-roles': 'member,reader' };

    for (const below of ['', `/${UNKNOWN}`]) expect((await api.get(path + below, member)).status).toBe(403);
    expect((await api.get(path, { 'x-roles': 'admin' })).status).toBe(200);
    expect((await api.get(`${path}/${UNKNOWN}`, { 'x-roles': 'admin' })).status).toBe(404);
  });

  it('is for operators to change, too', async () => {
    const member = { 'x-roles': 'member' };

    expect((await api.post(GROUPS, { service_engine_group: { name: 'x' } }, member)).status).toBe(403);
    expect((await api.put(`${GROUPS}/${UNKNOWN}`, { service_engine_group: {} }, member)).status).toBe(403);
    expect((await api.delete(`${GROUPS}/${UNKNOWN}`, member)).status).toBe(403);
    expect((await api.delete(`${ENGINES}/${UNKNOWN}`, member)).status).toBe(403);
  });
});

it.each(['Create', 'Update'])('documents every field of a group’s %s', (request) => {
  const { properties = {} } = loadDocument().components.schemas[`ServiceEngineGroup${request}`] ?? {};
  const known = [GROUP_FIELDS, FIXED_GROUP_FIELDS, REFUSED_GROUP_FIELDS].flatMap((fields) => Object.keys(fields));

  expect(Object.keys(properties).sort()).toEqual(['name', 'description', ...known].sort());
});
