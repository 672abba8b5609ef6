import { pino } from 'pino';
import { createMemoryBus } from '../../driver/bus/memory';
import { type Bus, type BusMessage, HINTS_TOPIC, PROVISIONING_TOPIC } from '../../driver/bus/port';
import { createNoopNetwork } from '../../driver/clouds/network/noop';
import { type NetworkDriver, VIP_PORT_OWNER, vipPortNames } from '../../driver/clouds/network/port';
import { SEED_IDS } from '../../driver/clouds/network/seed';
import type { Db } from '../../driver/db/connect';
import { recordEvents } from '../../driver/db/events';
import { VIP_PORT_TAKEN, vipPortMark } from '../../driver/domain/vipPortMark';
import { type HousekeepingSettings, housekeepingJobs } from '../../driver/housekeeping/jobs';
import { describeOnDatabases } from '../support/database';
import { insertEngine, insertGroup, insertListener, insertLoadBalancer } from '../support/rows';
import { aNetworkCloud } from '../support/simulators/network';

const log = pino({ level: 'silent' });
const PAST = '2020-01-01 00:00:00.000';
const FAR = '2099-01-01 00:00:00.000';
const SETTINGS: HousekeepingSettings = {
  sweepInterval: 5,
  relayInterval: 1,
  auditInterval: 60,
  cleanupInterval: 30,
  loadBalancerExpiryAge: 3600,
  eventRetention: 3600,
  leftoverPortAge: 600,
  ownerTag: 'us',
  quotaRecountInterval: 3600,
};

describeOnDatabases('housekeeping', (database) => {
  let db: Db;
  let bus: Bus;
  let messages: BusMessage[];
  beforeEach(async () => {
    db = await database.open();
    bus = createMemoryBus({ log });
    messages = [];
    for (const topic of [HINTS_TOPIC, PROVISIONING_TOPIC])
      await bus.subscribe(topic, (message) => void messages.push(message));
  });
  afterEach(async () => {
    await bus.close();
    await db.destroy();
  });

  const run = async (
    name: string,
    given: { network?: NetworkDriver; now?: Date; waiting?: number } = {},
  ): Promise<void> => {
    const { network = createNoopNetwork(), now = new Date(), waiting = 0 } = given;
    const crowded: Bus = { ...bus, depth: async () => waiting };
    const jobs = housekeepingJobs({ db, bus: crowded, network, log, owner: 'h', settings: SETTINGS, now: () => now });
    await jobs.find((job) => job.name === name)?.run();
    await new Promise((resolve) => setImmediate(resolve));
  };
  const hinted = (method: string) => messages.filter((it) => it.method === method).map(({ args }) => args['id']);

  describe('the sweep', () => {
    it('hints what is work and in nobody’s hands, and leaves the rest alone', async () => {
      const work = { generation: 2, settled_generation: 1 };
      const lost = await insertLoadBalancer(db, work);
      const due = await insertLoadBalancer(db, { ...work, retry_at: PAST, lease_owner: 'x', lease_until: PAST });
      const overdue = await insertLoadBalancer(db, {
        ...work,
        retry_at: FAR,
        provisioning_status: 'PENDING_UPDATE',
        pending_deadline: PAST,
        lease_owner: 'x',
        lease_until: PAST,
      });
      await insertLoadBalancer(db);
      await insertLoadBalancer(db, { ...work, retry_at: FAR });
      await insertLoadBalancer(db, { ...work, lease_owner: 'x', lease_until: FAR });
      await insertLoadBalancer(db, { ...work, provisioning_status: 'DELETED' });
      await db('load_balancer')
        .where({ id: overdue.id })
        .update({ pending_deadline: secondsAgo(5) });
      await run('sweep');
      expect(hinted('load_balancer').sort()).toEqual([lost.id, due.id, overdue.id].sort());
    });

    it('adds nothing to hints that nobody takes, and goes on when they are taken', async () => {
      const lost = await insertLoadBalancer(db, { generation: 2, settled_generation: 1 });
      await run('sweep', { waiting: 500 });
      await run('audit', { waiting: 500 });
      expect(messages).toEqual([]);

      await run('sweep', { waiting: 499 });
      expect(hinted('load_balancer')).toEqual([lost.id]);
    });

    it('finds a status that is PENDING without any work', async () => {
      const stuck = await insertLoadBalancer(db, { provisioning_status: 'PENDING_UPDATE', pending_deadline: FAR });
      await run('sweep');
      expect(hinted('load_balancer')).toEqual([stuck.id]);
    });

    it('hints engines that are work', async () => {
      const group = await insertGroup(db);
      const lost = await insertEngine(db, { service_engine_group_id: group.id, generation: 2 });
      await insertEngine(db, { service_engine_group_id: group.id });
      await insertEngine(db, { service_engine_group_id: group.id, generation: 2, retry_at: FAR });
      await run('sweep');
      expect(hinted('engine')).toEqual([lost.id]);
    });

    it('ends a change that is long overdue even if no worker is there', async () => {
      const pending = { generation: 2, provisioning_status: 'PENDING_UPDATE', pending_deadline: PAST } as const;
      const lb = await insertLoadBalancer(db, pending);
      const listener = await insertListener(db, { load_balancer_id: lb.id, provisioning_status: 'PENDING_UPDATE' });
      const busy = await insertLoadBalancer(db, { ...pending, lease_owner: 'x', lease_until: FAR });
      await run('sweep');
      expect(await db('load_balancer').where({ id: lb.id }).first()).toMatchObject({
        provisioning_status: 'ACTIVE',
        settled_generation: 1,
        pending_deadline: null,
        lease_owner: null,
      });
      expect(await db('listener').where({ id: listener.id }).first()).toMatchObject({ provisioning_status: 'ERROR' });
      expect(await db('event').where({ name: 'DEADLINE_EXPIRED' }).select('load_balancer_id')).toEqual([
        { load_balancer_id: lb.id },
      ]);
      expect(await db('load_balancer').where({ id: busy.id }).first()).toMatchObject({
        provisioning_status: 'PENDING_UPDATE',
      });
    });
  });

  it('the relay sends what is left in the outbox, once, and not what is still in its writer’s hands', async () => {
    const row = (id: string, created_at: string) => ({
      id,
      topic: PROVISIONING_TOPIC,
      method: 'create_load_balancer',
      args: '{"x":1}',
      load_balancer_id: 'lb-1',
      created_at,
    });
    await db('outbox').insert([row('old', PAST), row('new', secondsAgo(0))]);
    await run('relay');
    await run('relay');
    expect(messages).toEqual([{ method: 'create_load_balancer', args: { x: 1 }, loadBalancerId: 'lb-1' }]);
    expect(await db('outbox').pluck('id')).toEqual(['new']);
  });

  it('the relay empties an outbox that is full, in one run', async () => {
    const rows = Array.from({ length: 1_200 }, (_, index) => ({ id: `m-${index}`, method: `m-${index}` }));
    const columns = { topic: PROVISIONING_TOPIC, args: '{}', created_at: PAST };
    for (let from = 0; from < rows.length; from += 100) {
      await db('outbox').insert(rows.slice(from, from + 100).map((row) => ({ ...row, ...columns })));
    }
    await run('relay');
    expect(await db('outbox').pluck('id')).toEqual([]);
    expect(new Set(messages.map(({ method }) => method)).size).toBe(1_200);
    expect(messages).toHaveLength(1_200);
  });

  it('the relay keeps what the bus has not taken', async () => {
    const lines = ['a', 'b'].map((id) => ({ id, topic: 't', method: id, args: '{}', created_at: PAST }));
    await db('outbox').insert(lines);
    const deps = { db, network: createNoopNetwork(), log, owner: 'h', settings: SETTINGS, now: () => new Date() };
    const failing: Bus = {
      ...bus,
      publish: async (_topic, { method }) => {
        if (method === 'b') throw new Error('the broker is away');
      },
    };
    const relay = housekeepingJobs({ ...deps, bus: failing }).find(({ name }) => name === 'relay');
    await expect(relay?.run()).rejects.toThrow('the broker is away');
    expect(await db('outbox').pluck('id')).toEqual(['b']);
  });

  it('the audit comes to everything once in its interval, a slice at a time', async () => {
    for (let i = 0; i < 70; i += 1) await insertLoadBalancer(db);
    await insertLoadBalancer(db, { provisioning_status: 'DELETED' });
    const jobs = housekeepingJobs({
      db,
      bus,
      network: createNoopNetwork(),
      log,
      owner: 'h',
      settings: SETTINGS,
      now: () => new Date(),
    });
    const audit = jobs.find(({ name }) => name === 'audit');
    const turns = SETTINGS.auditInterval / (audit?.interval ?? 1);
    for (let turn = 0; turn < turns; turn += 1) {
      const before = messages.length;
      await audit?.run();
      await new Promise((resolve) => setImmediate(resolve));
      expect(messages.length - before).toBeLessThanOrEqual(2);
    }
    expect(new Set(hinted('load_balancer')).size).toBe(70);
  });

  it('the purge removes what was deleted long ago, with its VIP, and old events', async () => {
    const gone = await insertLoadBalancer(db, { provisioning_status: 'DELETED', deleted_at: PAST });
    const recent = await insertLoadBalancer(db, { provisioning_status: 'DELETED', deleted_at: secondsAgo(60) });
    const event = { name: 'X', severity: 'info', message: '' };
    await db('event').insert([
      { id: 'old', at: PAST, ...event },
      { id: 'new', at: secondsAgo(60), ...event },
    ]);
    await run('purge');
    expect(await db('load_balancer').pluck('id')).toEqual([recent.id]);
    expect(await db('vip').where({ load_balancer_id: gone.id })).toEqual([]);
    expect(await db('event').pluck('id')).toEqual(['new']);
  });

  it('deletes old VIP ports of ours that no load balancer has, and gives back those of users', async () => {
    const { driver } = await aNetworkCloud('service');
    const later = new Date(Date.now() + 3_600_000);
    const lb = await insertLoadBalancer(db);
    const make = (owner: string, given: object = {}) =>
      driver.createPort({
        ...vipPortNames(owner),
        description: vipPortMark('us', owner),
        projectId: 'p',
        networkId: SEED_IDS.localNetwork,
        fixedIps: [],
        deviceOwner: VIP_PORT_OWNER,
        adminStateUp: false,
        ...given,
      });
    const used = await make(lb.id);
    await db('vip').where({ load_balancer_id: lb.id }).update({ port_id: used.id });
    const leftover = await make('11111111-2222-4333-8444-555555555555');
    // A port that the reconciler made anew: the row tells whose it is.
    const twin = await make(lb.id, { description: '' });
    const usersFor = '11111111-2222-4333-8444-666666666666';
    const users = await make(usersFor, { name: 'mine', description: 'of the user' });
    await recordEvents(db, [{ name: VIP_PORT_TAKEN, severity: 'info', message: '' }], { loadBalancerId: usersFor });

    const deps = { db, bus, network: driver, log, owner: 'h', settings: SETTINGS };
    let now = new Date();
    const search = housekeepingJobs({ ...deps, now: () => now }).find(({ name }) => name === 'leftover_ports');
    await search?.run();
    expect(await driver.findPort(leftover.id)).toBeDefined();

    now = later;
    await search?.run();
    expect(await driver.findPort(leftover.id)).toBeUndefined();
    expect(await driver.findPort(twin.id)).toBeUndefined();
    expect(await driver.findPort(used.id)).toMatchObject({ deviceId: vipPortNames(lb.id).deviceId });
    // It was there before the load balancer: that it is old says nothing, and it is the user's.
    expect(await driver.findPort(users.id)).toMatchObject({ name: 'mine', deviceId: '' });
    expect(await db('event').where({ name: 'LEFTOVER_PORT_DELETED' }).select('*')).toHaveLength(2);
    expect(await db('event').where({ name: 'LEFTOVER_PORT_GIVEN_BACK' }).select('*')).toHaveLength(1);
  });

  it('leaves the VIP ports of Octavia and of other installations alone, however old and unknown', async () => {
    const { driver } = await aNetworkCloud('service');
    const id = '11111111-2222-4333-8444-777777777777';
    const theirs = { ...vipPortNames(id), deviceOwner: VIP_PORT_OWNER, adminStateUp: false };
    const place = { projectId: 'p', networkId: SEED_IDS.localNetwork, fixedIps: [] };
    const ports = [
      await driver.createPort({ ...theirs, ...place }),
      await driver.createPort({ ...theirs, ...place, description: vipPortMark('them', id) }),
      await driver.createPort({ ...theirs, ...place, name: 'a user’s' }),
    ];

    const deps = { db, bus, network: driver, log, owner: 'h', settings: SETTINGS };
    let now = new Date();
    const search = housekeepingJobs({ ...deps, now: () => now }).find(({ name }) => name === 'leftover_ports');
    for (const hours of [0, 24, 48]) {
      now = new Date(Date.now() + hours * 3_600_000);
      await search?.run();
    }
    for (const port of ports) expect(await driver.findPort(port.id)).toEqual(port);
  });

  it('does not take back a user’s old port that a create has only just taken', async () => {
    const { driver } = await aNetworkCloud('service');
    const port = await driver.createPort({
      name: 'mine',
      deviceId: vipPortNames('11111111-2222-4333-8444-666666666666').deviceId,
      projectId: 'p',
      networkId: SEED_IDS.localNetwork,
      fixedIps: [],
      deviceOwner: VIP_PORT_OWNER,
      adminStateUp: true,
    });
    await run('leftover_ports', { network: driver, now: new Date(Date.now() + 86_400_000) });
    expect(await driver.findPort(port.id)).toMatchObject({ deviceOwner: VIP_PORT_OWNER });
  });

  it('the recount repairs usage that is wrong', async () => {
    const kinds = ['load_balancer', 'listener', 'pool', 'member', 'health_monitor', 'l7policy', 'l7rule'];
    const none = Object.fromEntries(kinds.map((kind) => [`in_use_${kind}`, 0]));
    await db('quotas').insert({ project_id: 'project-1', ...none, in_use_listener: 7 });
    await insertLoadBalancer(db);
    await run('quota_recount');
    expect(await db('quotas').first()).toMatchObject({ in_use_load_balancer: 1, in_use_listener: 0 });
  });
});

function secondsAgo(seconds: number): string {
  return new Date(Date.now() - seconds * 1000).toISOString().slice(0, 23).replace('T', ' ');
}
