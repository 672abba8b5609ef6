import { randomUUID } from 'node:crypto';
import pino from 'pino';
import { createMemoryBus } from '../../driver/bus/memory';
import { HINTS_TOPIC } from '../../driver/bus/port';
import { configFromText } from '../../driver/config/config';
import type { Db } from '../../driver/db/connect';
import { insertReboot } from '../../driver/db/engineReboots';
import { readHealing } from '../../driver/db/healing';
import { advanceReboots, type RebootDeps } from '../../driver/fleet/reboot';
import { describeOnDatabases } from '../support/database';
import { addEngine, addGroup, addLoadBalancer, addPlacement } from '../support/fleetRows';
import { type NovaOverHttp, startNovaOverHttp } from '../support/simulators/novaOverHttp';
import { waitUntil } from '../support/wait';

const TABLES = [
  'event',
  'engine_reboot',
  'placement',
  'vip',
  'load_balancer',
  'service_engine',
  'service_engine_group',
];

describeOnDatabases('the reboot of an engine', (database) => {
  let db: Db;
  let site: NovaOverHttp;
  let deps: RebootDeps;
  let group: string;
  let engine: string;
  let server: string;
  let hinted: string[];
  const log = pino({ level: 'silent' });

  beforeAll(async () => {
    db = await database.open();
  });
  beforeEach(async () => {
    for (const table of TABLES) await db(table).delete();
    site = await startNovaOverHttp({ rebootsSlowly: true });
    const bus = createMemoryBus({ log });
    hinted = [];
    await bus.subscribe(HINTS_TOPIC, ({ args }) => void hinted.push(String(args['id'])));
    const config = configFromText('[controller_worker]\ncompute_driver = nova\n');
    deps = { config, db, bus, log, compute: site.driver };
    group = await addGroup(db);
    const engineId = randomUUID();
    ({ id: server } = await site.driver.createServer({ engineId, name: 'e', token: 't', controllers: ['ws://c'] }));
    engine = await engineWith({ compute_id: server });
  });
  afterEach(() => site.close());

  const engineWith = async (columns: object): Promise<string> => {
    const up = { status: 'READY', connected_to: 'hm', connection_epoch: 4, ...columns };
    return (await addEngine(db, group, up)).id;
  };
  const begin = async ({ moves = true, enables = true } = {}): Promise<void> => {
    if (moves) await db('service_engine').where({ id: engine }).update({ status: 'DRAINING' });
    await insertReboot(db, { engineId: engine, moves, enables, requestId: 'req-1' });
  };
  const look = (times: RebootDeps['times'] = {}): Promise<void> => advanceReboots({ ...deps, times });
  const step = async (): Promise<string | undefined> => (await db('engine_reboot').first('step'))?.step;
  const status = async (): Promise<string> => (await db('service_engine').where({ id: engine }).first('status')).status;
  const events = (): Promise<string[]> => db('event').orderBy('name').pluck('name');
  const reboots = (): string[] => site.nova.calls.filter((call) => call.endsWith('/action'));
  const call = (): Promise<number> =>
    db('service_engine').where({ id: engine }).update({ connected_to: 'hm', connection_epoch: 5 });
  const fallSilent = (): Promise<number> => db('service_engine').where({ id: engine }).update({ connected_to: null });

  it('waits until all have left, has Nova do it, and puts the engine back to what it was', async () => {
    const loadBalancerId = await addLoadBalancer(db);
    const placement = await addPlacement(db, { loadBalancerId, engineId: engine });
    await begin();
    await look();
    expect([await step(), reboots()]).toEqual(['draining', []]);

    await db('placement').where({ id: placement }).delete();
    await look();
    expect([await step(), reboots()]).toEqual(['soft', [`POST /servers/${server}/action`]]);
    await look();
    await fallSilent();
    await look();
    // It is back, and Nova has not said so yet.
    await call();
    await look();
    expect([await step(), await status(), reboots().length]).toEqual(['soft', 'DRAINING', 1]);

    site.nova.model.finishReboots();
    await look();
    expect([await step(), await status()]).toEqual([undefined, 'READY']);
    expect(await events()).toEqual(['ENGINE_REBOOTED', 'ENGINE_REBOOTING']);
    expect((await db('event').first('request_id')).request_id).toBe('req-1');
    await waitUntil('its unit is hinted', 5_000, () => hinted.includes(engine));
  });

  it('leaves an engine disabled that was so before', async () => {
    await begin({ enables: false });
    await look();
    site.nova.model.finishReboots();
    await call();
    await look();

    expect([await step(), await status()]).toEqual([undefined, 'DRAINING']);
  });

  it('goes on after a process that has asked Nova and died before it could say so', async () => {
    await begin();
    await look();
    await db('engine_reboot').update({ asked_at: null });

    // Nova refuses the second call: it reboots already.
    await look();
    site.nova.model.finishReboots();
    await call();
    await look();

    expect(await events()).toEqual(['ENGINE_REBOOTED', 'ENGINE_REBOOTING', 'ENGINE_REBOOTING']);
  });

  it('asks again when Nova gave no answer', async () => {
    await begin();
    site.nova.loseAnswers(1);
    await look();
    expect((await db('engine_reboot').first('asked_at')).asked_at).toBeNull();

    await look();
    expect((await db('engine_reboot').first('asked_at')).asked_at).not.toBeNull();
    expect(await events()).toEqual(['ENGINE_REBOOTING']);
  });

  it('reboots hard what does not come back, and then gives up', async () => {
    await begin();
    await look();
    await fallSilent();
    await look({ soft: 0 });
    expect([await step(), reboots().length]).toEqual(['hard', 2]);

    await look({ hard: 0 });
    expect([await step(), await status()]).toEqual([undefined, 'DOWN']);
    expect(await events()).toEqual(['ENGINE_REBOOTING', 'ENGINE_REBOOTING', 'ENGINE_REBOOT_FAILED']);
  });

  it('reboots hard what Nova does not reboot softly', async () => {
    Object.assign(site.nova.model.server(server), { status: 'SHUTOFF' });
    await begin();
    await look();

    expect([await step(), site.nova.model.server(server).status]).toEqual(['hard', 'HARD_REBOOT']);
  });

  it('gives up when what is on it does not leave, and enables it again', async () => {
    await addPlacement(db, { loadBalancerId: await addLoadBalancer(db), engineId: engine });
    await begin();

    await look({ drain: 0 });

    expect([await step(), await status(), reboots()]).toEqual([undefined, 'READY', []]);
    expect(await events()).toEqual(['ENGINE_REBOOT_FAILED']);
  });

  it('waits for the other one of a pair to say that it is the master, and has nothing healed meanwhile', async () => {
    const loadBalancerId = await addLoadBalancer(db, { master_term: 1 });
    await addPlacement(db, { loadBalancerId, engineId: engine });
    const other = await addPlacement(
      db,
      { loadBalancerId, engineId: await engineWith({}) },
      { role: 'standby', claimed_term: 1, claimed_master: 0 },
    );
    await begin({ moves: false, enables: false });
    await look();
    expect(await step()).toBe('draining');

    await db('placement').update({ role: 'standby' });
    await db('placement').where({ id: other }).update({ role: 'primary' });
    await look();
    expect(await step()).toBe('draining');

    await db('placement').where({ id: other }).update({ claimed_term: 2, claimed_master: 1 });
    await look();
    expect([await step(), await status()]).toEqual(['soft', 'READY']);

    await db('service_engine').where({ id: engine }).update({ status: 'DOWN', connected_to: null });
    expect((await readHealing(db, group))?.placements).toEqual([]);
    expect((await readHealing(db, group))?.engines.map(({ id }) => id)).not.toContain(engine);
  });

  it('leaves an engine alone that is to go', async () => {
    await begin();
    await db('service_engine').where({ id: engine }).update({ deleting: 1 });

    await look();

    expect(reboots()).toEqual([]);
  });
});
