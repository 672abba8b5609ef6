import { HINTS_TOPIC } from '../../driver/bus/port';
import { saveBgpSession } from '../../driver/db/bgpSessions';
import { recordEvents } from '../../driver/db/events';
import { PROJECT, startTestApi, type TestApi } from '../support/api';
import { describeOnDatabases } from '../support/database';
import { insertEngine, insertGroup, insertLoadBalancer, insertPlacement } from '../support/rows';

const GROUPS = '/v2/slipstream/service-engine-groups';
const ENGINES = '/v2/slipstream/service-engines';
const PLACEMENTS = '/v2/slipstream/placements';
const EVENTS = '/v2/slipstream/events';
const TABLES = ['event', 'placement', 'service_engine', 'service_engine_group', 'load_balancer'];
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

  // biome-ignore lint/suspicious/noExplicitAny: looks into answers of every shape
  const ids = (items: any[]): string[] => items.map(({ id }) => id);

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

    it('are shown with their BGP sessions', async () => {
      const session = { engineId: engine, domainId: 'net-1', announced: ['10.0.0.60/32'] };
      const peer = (peerAddress: string, reason: string | null) => ({
        peerAddress,
        established: reason === null,
        reason,
      });
      await saveBgpSession(api.db, { ...session, ...peer('10.0.0.2', 'no answer') }, true);
      await saveBgpSession(api.db, { ...session, ...peer('10.0.0.1', null) }, true);

      const network = { network_id: 'net-1' };
      expect((await api.get(`${ENGINES}/${engine}`)).body.service_engine.bgp_sessions).toEqual([
        { ...network, peer_address: '10.0.0.1', established: true, reason: null },
        { ...network, peer_address: '10.0.0.2', established: false, reason: 'no answer' },
      ]);
      expect((await api.get(`${ENGINES}/${spare}`)).body.service_engine.bgp_sessions).toEqual([]);
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

    it('are explained for a load balancer: what it would be given, and what keeps engines from taking it', async () => {
      const second = await insertLoadBalancer(api.db, { project_id: PROJECT });
      const properties = '{"maxEngines":2,"slotsPerEngine":10}';
      await api.db('service_engine_group').update({ properties, is_default: 1 });
      await api.db('service_engine').where({ id: engine }).update({ slots_used: 10 });
      const full = await api.get(`/v2/slipstream/placement-plans/${second.id}`);

      expect(full.body.placement_plan).toMatchObject({
        loadbalancer_id: second.id,
        service_engine_group_id: group,
        ha_mode: 'n_plus_m',
        engines_wanted: 1,
        engines_kept: 0,
        engines_missing: 1,
        reason: 'group full: 2 of 2 engines, 10 of 20 slots; of its engines 1 down',
      });
      const obstacles = { [engine]: 'full', [spare]: 'down' };
      for (const it of full.body.placement_plan.engines) expect(it.obstacle).toBe(obstacles[it.id]);
      const placed = (await api.get(`/v2/slipstream/placement-plans/${lb}?fields=engines_kept&fields=reason`)).body;
      expect(placed.placement_plan).toEqual({ engines_kept: 1, reason: null });
      expect((await api.get(`/v2/slipstream/placement-plans/${UNKNOWN}`)).status).toBe(404);
      await api.db('service_engine_group').update({ is_default: 0 });
      const nowhere = await api.get(`/v2/slipstream/placement-plans/${lb}`);
      expect(nowhere.body.placement_plan.reason).toBe('there is no service engine group to place it in');
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
