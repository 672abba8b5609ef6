import { randomUUID } from 'node:crypto';
import { noteCut, recordReach } from '../../driver/db/engineReach';
import { PROJECT, startTestApi, type TestApi } from '../support/api';
import { describeOnDatabases } from '../support/database';
import { insertEngine, insertGroup, insertLoadBalancer, insertPlacement } from '../support/rows';

const TABLES = [
  'engine_reboot',
  'event',
  'placement',
  'service_engine',
  'flavor',
  'flavor_profile',
  'service_engine_group',
  'load_balancer',
];

describeOnDatabases('what operators do with engines', (database) => {
  let api: TestApi;
  let group: string;
  let lb: string;
  let engines: string[];
  beforeAll(async () => {
    api = await startTestApi({ db: await database.open(), changes: { enginesAreAlike: false } });
  });
  beforeEach(async () => {
    for (const table of TABLES) await api.db(table).delete();
    group = (await insertGroup(api.db, { is_default: 1, name: 'gold', properties: '{"maxEngines":10}' })).id;
    lb = (await insertLoadBalancer(api.db, { project_id: PROJECT })).id;
    engines = [];
    for (const role of ['primary', 'standby'] as const) {
      const { id } = await insertEngine(api.db, { service_engine_group_id: group, connected_to: 'hm' });
      await insertPlacement(api.db, { load_balancer_id: lb, service_engine_id: id, role });
      engines.push(id);
    }
  });
  afterAll(() => api.close());

  const say = (verb: string) => api.post(`/v2/slipstream/service-engines/${engines[0]}/${verb}`, {});
  const status = async () => (await api.db('service_engine').where({ id: engines[0] }).first('status')).status;
  const requests = (): Promise<(string | null)[]> => api.db('placement').orderBy('role').pluck('request');
  const events = (): Promise<string[]> => api.db('event').orderBy('at').pluck('name');

  it('believes an operator who says that an engine is well which is cut from a network', async () => {
    const engine = engines[0] ?? '';
    await recordReach(api.db, engine, [{ domainId: 'net-1', gateway: 'silent', heard: [], missed: [] }]);
    await noteCut(api.db, { engineId: engine, networkId: 'net-1', proven: true });
    const shown = async () => (await api.get(`/v2/slipstream/service-engines/${engine}`)).body.service_engine;
    expect(await shown()).toMatchObject({ status: 'READY', isolated: false, cut_from: ['net-1'] });
    expect((await say('enable')).body.service_engine).toMatchObject({ cut_from: [] });
    await api.db('event').delete();
  });

  it('takes an engine out of service and into it again, and tells who said so', async () => {
    expect((await say('disable')).status).toBe(202);
    expect(await status()).toBe('DRAINING');
    const enabled = await say('enable');
    expect(enabled.body.service_engine).toMatchObject({ id: engines[0], status: 'READY' });
    await say('disable');
    await api.db('service_engine').update({ connected_to: null });
    await say('enable');
    expect(await status()).toBe('DOWN');
    expect(await events()).toEqual(['ENGINE_DISABLED', 'ENGINE_ENABLED', 'ENGINE_DISABLED', 'ENGINE_ENABLED']);
    expect((await api.db('event').first()).request_id).toMatch(/^req-/);
  });

  it('has everything leave an engine', async () => {
    expect((await say('migrate')).status).toBe(202);
    expect(await requests()).toEqual(['migrate', null]);
  });

  it('hands over pairs, and refuses for what is none or has no standby', async () => {
    expect((await say('switchover')).status).toBe(409);
    await api.db('load_balancer').update({ master_term: 3 });
    expect((await say('switchover')).status).toBe(202);
    expect(await requests()).toEqual(['switchover', null]);

    await api.db('placement').update({ request: null });
    const one = await api.post(`/v2/slipstream/loadbalancers/${lb}/switchover`, { switchover: {} });
    expect(one.status).toBe(202);
    expect(await requests()).toEqual(['switchover', null]);

    await api.db('placement').where({ role: 'standby' }).update({ stale: 1 });
    await api.db('load_balancer').update({ provisioning_status: 'ACTIVE' });
    expect((await api.post(`/v2/slipstream/loadbalancers/${lb}/switchover`, { switchover: {} })).status).toBe(409);
  });

  describe('reboot', () => {
    const reboot = () => api.db('engine_reboot').first();
    beforeEach(() => api.db('service_engine').update({ compute_id: randomUUID() }));

    it('takes an engine out of service first, and tells who said so', async () => {
      await api.db('placement').update({ role: 'secondary' });
      expect((await say('reboot')).status).toBe(202);

      expect(await reboot()).toMatchObject({ service_engine_id: engines[0], step: 'draining', moves: 1, enables: 1 });
      expect(await status()).toBe('DRAINING');
      expect((await api.db('event').first()).name).toBe('ENGINE_REBOOT_REQUESTED');
      for (const verb of ['reboot', 'disable', 'migrate']) expect((await say(verb)).status).toBe(409);
    });

    it('leaves one disabled that was so before', async () => {
      await say('disable');
      expect((await say('reboot')).status).toBe(202);
      expect(await reboot()).toMatchObject({ moves: 1, enables: 0 });
    });

    it('is called off by enabling the engine, until its server is being rebooted', async () => {
      await say('reboot');
      expect((await say('enable')).status).toBe(202);
      expect([await reboot(), await status()]).toEqual([undefined, 'READY']);

      await say('reboot');
      await api.db('engine_reboot').update({ step: 'soft' });
      expect((await say('enable')).status).toBe(409);
    });

    it('has pairs handed over, whose other engine has all they need, and refuses where there is none', async () => {
      await api.db('load_balancer').update({ master_term: 3 });
      await api.db('placement').where({ role: 'standby' }).update({ stale: 1 });
      expect((await say('reboot')).status).toBe(409);
      expect(await reboot()).toBeUndefined();

      await api.db('placement').update({ stale: 0 });
      expect((await say('reboot')).status).toBe(202);
      expect(await reboot()).toMatchObject({ moves: 0, enables: 0 });
      expect([await status(), await requests()]).toEqual(['READY', ['switchover', null]]);
    });

    it.each([
      ['one that has not come up', { status: 'BUILDING' }],
      ['one without a server', { compute_id: null }],
    ])('is refused for %s', async (_, columns) => {
      await api.db('service_engine').where({ id: engines[0] }).update(columns);
      expect((await say('reboot')).status).toBe(409);
    });

    it('is refused while the group is upgraded', async () => {
      const upgrade = { id: randomUUID(), service_engine_group_id: group, image_tag: 'next', status: 'RUNNING' };
      const created_at = '2026-01-01 00:00:00.000';
      await api.db('group_upgrade').insert({ ...upgrade, state: '{}', version: 1, engines: 2, created_at });
      const answer = await say('reboot');
      await api.db('group_upgrade').delete();
      expect([answer.status, answer.body.faultstring]).toEqual([409, expect.stringContaining('being upgraded')]);
    });

    it('is refused in the embedded site, whose engines are processes', async () => {
      const embedded = await startTestApi({ db: api.db, changes: { enginesAreAlike: true } });
      const answer = await embedded.post(`/v2/slipstream/service-engines/${engines[0]}/reboot`, {});
      await embedded.close();
      expect([answer.status, answer.body.faultstring]).toEqual([409, expect.stringContaining('process')]);
    });

    it('is for admins', async () => {
      const answer = await api.post(`/v2/slipstream/service-engines/${engines[0]}/reboot`, {}, { 'x-roles': 'member' });
      expect(answer.status).toBe(403);
    });
  });

  it('gives a live load balancer a flavor of another group, whose engines it leaves the present ones for', async () => {
    const other = await insertGroup(api.db, { name: 'silver', properties: '{"maxEngines":10}' });
    const id = randomUUID();
    const profile = { id, name: id, provider_name: 'slipstream' };
    const flavor_data = JSON.stringify({ service_engine_group: other.name });
    await api.db('flavor_profile').insert({ ...profile, flavor_data });
    await api.db('flavor').insert({ id, name: id, description: '', enabled: 1, flavor_profile_id: id });

    const answer = await api.post(`/v2/slipstream/loadbalancers/${lb}/flavor`, { flavor: { flavor_id: id } });

    expect(answer.status).toBe(202);
    expect(answer.body.placement_plan).toMatchObject({ service_engine_group_name: 'silver', engines_kept: 0 });
    expect(await requests()).toEqual(['migrate', 'migrate']);
    expect(await api.db('load_balancer').first()).toMatchObject({
      flavor_id: id,
      provisioning_status: 'PENDING_UPDATE',
    });
    expect(await events()).toEqual(['FLAVOR_CHANGED']);
  });

  it('heals a group again that a mass failure has stopped', async () => {
    await api.db('service_engine_group').update({ breaker: '{"state":"open","since":1,"forgiven":0}' });
    expect((await api.post(`/v2/slipstream/service-engine-groups/${group}/resume`, {})).status).toBe(202);
    const { breaker } = await api.db('service_engine_group').first('breaker');
    expect(JSON.parse(breaker)).toMatchObject({ state: 'closed' });
  });

  it('is for admins', async () => {
    const answer = await api.post(`/v2/slipstream/service-engines/${engines[0]}/disable`, {}, { 'x-roles': 'member' });
    expect(answer.status).toBe(403);
  });
});
