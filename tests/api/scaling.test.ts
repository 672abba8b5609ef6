import { HINTS_TOPIC } from '../../driver/bus/port';
import { PROJECT, startTestApi, type TestApi } from '../support/api';
import { describeOnDatabases } from '../support/database';
import { insertEngine, insertGroup, insertLoadBalancer, insertPlacement } from '../support/rows';

const TABLES = ['event', 'placement', 'service_engine', 'service_engine_group', 'load_balancer'];
const UNKNOWN = '99999999-9999-4999-8999-999999999999';

describeOnDatabases('scaling by call', (database) => {
  let api: TestApi;
  let hints: unknown[];
  let group: string;
  let lb: string;
  beforeAll(async () => {
    api = await startTestApi({ db: await database.open() });
    await api.bus.subscribe(HINTS_TOPIC, (message) => void hints.push(message));
  });
  beforeEach(async () => {
    for (const table of TABLES) await api.db(table).delete();
    hints = [];
    group = (await insertGroup(api.db, { is_default: 1, name: 'gold' })).id;
    await setGroup({});
    lb = (await insertLoadBalancer(api.db, { project_id: PROJECT })).id;
  });
  afterAll(() => api.close());

  const setGroup = (properties: object) =>
    api.db('service_engine_group').update({ properties: JSON.stringify({ maxEngines: 10, ...properties }) });
  const ask = (word: string, body: object, headers?: Record<string, string>) =>
    api.post(`/v2/slipstream/loadbalancers/${lb}/${word}`, { [word]: body }, headers);
  /** An engine with the load balancer on it. */
  const serving = async (role: 'primary' | 'secondary' | 'standby', given = {}): Promise<string> => {
    const engine = await insertEngine(api.db, { service_engine_group_id: group, connected_to: 'hm', ...given });
    const minute = String(
      await api
        .db('placement')
        .count({ n: '*' })
        .first()
        .then((row) => row?.['n']),
    ).padStart(2, '0');
    await insertPlacement(api.db, {
      load_balancer_id: lb,
      service_engine_id: engine.id,
      role,
      created_at: `2026-01-01 00:${minute}:00.000`,
    });
    return engine.id;
  };
  const placements = () => api.db('placement').orderBy('created_at').select('service_engine_id', 'request', 'role');
  const row = () => api.db('load_balancer').where({ id: lb }).first();

  it('scales out: the load balancer is work, and wants one engine more', async () => {
    await serving('primary');

    const answer = await ask('scaleout', {});

    expect(answer.status).toBe(202);
    expect(answer.body.placement_plan).toMatchObject({ loadbalancer_id: lb, engines_wanted: 2, engines_kept: 1 });
    expect(await row()).toMatchObject({ provisioning_status: 'PENDING_UPDATE', scale_adjustment: 1 });
    expect(hints).toEqual([{ method: 'load_balancer', args: { id: lb }, loadBalancerId: lb }]);
    expect(await api.db('event').select('name', 'message', 'load_balancer_id', 'project_id')).toEqual([
      {
        name: 'SCALEOUT_REQUESTED',
        message: 'it is to be on 2 engines instead of 1',
        load_balancer_id: lb,
        project_id: PROJECT,
      },
    ]);
    expect((await api.db('event').first()).request_id).toMatch(/^req-/);
  });

  it.each([
    [{ maxScaleout: 2 }, 2, /from 1 engines to 3: max_scaleout_per_vs of service engine group gold is 2\.$/],
    [{ maxEngines: 1 }, 1, /from 1 engines to 2: max_se of service engine group gold is 1\.$/],
    [{ haMode: 'active_standby' }, 1, /from 2 engines to 3: a pair is two engines\.$/],
  ])('refuses to go beyond what the group %j allows', async (properties, count, expected) => {
    await setGroup(properties);
    await serving('primary');

    const answer = await ask('scaleout', { count });

    expect([answer.status, answer.body.faultstring]).toEqual([409, expect.stringMatching(expected)]);
    expect(await row()).toMatchObject({ provisioning_status: 'ACTIVE', generation: 1, scale_adjustment: null });
  });

  it('scales in from the engine that is missed least, and back out again', async () => {
    await setGroup({ maxScaleout: 4 });
    const [first, second, third] = [await serving('primary'), await serving('secondary'), await serving('secondary')];
    await api.db('load_balancer').update({ scale_adjustment: 2 });

    const answer = await ask('scalein', {});

    expect(answer.body.placement_plan).toMatchObject({ engines_wanted: 2, engines_kept: 2, engines_leaving: 1 });
    expect(await row()).toMatchObject({ scale_adjustment: 1 });
    expect(await placements()).toEqual([
      { service_engine_id: first, request: null, role: 'primary' },
      { service_engine_id: second, request: null, role: 'secondary' },
      { service_engine_id: third, request: 'scalein', role: 'secondary' },
    ]);
    await api.db('load_balancer').update({ provisioning_status: 'ACTIVE' });
    expect((await ask('scaleout', { count: 2 })).body.placement_plan).toMatchObject({ engines_wanted: 4 });
  });

  it('scales in from the engine that is named, whose role another one takes over', async () => {
    const [first, second] = [await serving('primary'), await serving('secondary')];
    await api.db('load_balancer').update({ scale_adjustment: 1 });

    expect((await ask('scalein', { service_engine_id: first })).status).toBe(202);

    expect(await placements()).toEqual([
      { service_engine_id: first, request: 'scalein', role: 'secondary' },
      { service_engine_id: second, request: null, role: 'primary' },
    ]);
  });

  it('leaves a dead engine before one that lives', async () => {
    const dead = await serving('primary', { connected_to: null, status: 'DOWN' });
    await serving('secondary');
    await api.db('load_balancer').update({ scale_adjustment: 1 });

    await ask('scalein', {});

    expect(await placements()).toContainEqual({ service_engine_id: dead, request: 'scalein', role: 'secondary' });
  });

  it('is on no fewer engines than its group starts everybody on', async () => {
    await serving('primary');
    const least = /from 1 engines to 0: a load balancer of service engine group gold is on 1 at least\.$/;
    expect((await ask('scalein', {})).body.faultstring).toMatch(least);
    await setGroup({ haMode: 'active_standby' });
    expect((await ask('scalein', {})).body.faultstring).toMatch(/a pair is two engines\.$/);
  });

  it('goes on from the engines that it is on, when its group has come to ask for fewer', async () => {
    await serving('primary');
    await serving('secondary');

    expect((await ask('scaleout', {})).body.placement_plan.engines_wanted).toBe(3);
  });

  it('migrates: the engine is to be left for the one that is named', async () => {
    const from = await serving('primary');
    const to = (await insertEngine(api.db, { service_engine_group_id: group, connected_to: 'hm' })).id;
    const idle = await insertEngine(api.db, { service_engine_group_id: group, connected_to: 'hm' });

    const answer = await ask('migrate', { from, to });

    expect(answer.status).toBe(202);
    const chosen = answer.body.placement_plan.engines.filter(({ chosen }: { chosen: boolean }) => chosen);
    expect(chosen).toEqual([{ id: to, chosen: true, obstacle: null }]);
    expect(idle.id).not.toBe(to);
    expect(await api.db('placement').first()).toMatchObject({ request: 'migrate', request_target: to });
    expect((await api.get('/v2/slipstream/placements')).body.placements[0]).toMatchObject({
      request: 'migrate',
      draining: false,
    });
  });

  it('refuses engines that do not serve it, and those it cannot go to', async () => {
    const from = await serving('primary');
    const full = (await insertEngine(api.db, { service_engine_group_id: group, connected_to: 'hm', slots_used: 10 }))
      .id;
    const fault = async (word: string, body: object) => {
      const answer = await ask(word, body);
      return [answer.status, answer.body.faultstring];
    };

    expect(await fault('migrate', { from: full })).toEqual([
      409,
      `Load Balancer ${lb} is not on service engine ${full}.`,
    ]);
    expect(await fault('scalein', { service_engine_id: UNKNOWN })).toEqual([
      409,
      `Load Balancer ${lb} is not on service engine ${UNKNOWN}.`,
    ]);
    expect(await fault('migrate', { from, to: full })).toEqual([
      409,
      `Load Balancer ${lb} cannot go to service engine ${full}, which is full.`,
    ]);
    expect(await fault('migrate', { from, to: UNKNOWN })).toEqual([
      409,
      `Service engine ${UNKNOWN} is not of service engine group gold.`,
    ]);
    await api.db('placement').update({ request: 'failover' });
    expect(await fault('migrate', { from })).toEqual([
      409,
      `Load Balancer ${lb} is leaving service engine ${from} already.`,
    ]);
    expect(await row()).toMatchObject({ provisioning_status: 'ACTIVE' });
  });

  it.each([
    ['scaleout', {}],
    ['scalein', {}],
    ['migrate', { from: UNKNOWN }],
  ])('is for operators, of load balancers that are there and not pending: %s', async (word, body) => {
    expect((await ask(word, body, { 'x-roles': 'member' })).status).toBe(403);
    await api.db('load_balancer').update({ provisioning_status: 'PENDING_UPDATE' });
    expect((await ask(word, body)).status).toBe(409);
    const absent = await api.post(`/v2/slipstream/loadbalancers/${UNKNOWN}/${word}`, { [word]: body });
    expect([absent.status, absent.body.faultstring]).toEqual([404, `Load Balancer ${UNKNOWN} not found.`]);
  });
});
