import pino from 'pino';
import { createMemoryBus } from '../../driver/bus/memory';
import { createNoopNetwork } from '../../driver/clouds/network/noop';
import type { Db } from '../../driver/db/connect';
import { findEngine, retireEngine } from '../../driver/db/engines';
import { type EngineParts, reconcileEngine } from '../../driver/reconcile/engineUnit';
import { openTestDatabase } from '../support/database';
import { addEngine, addGroup } from '../support/fleetRows';
import { type NovaOverHttp, startNovaOverHttp } from '../support/simulators/novaOverHttp';

/** The engine's unit on the driver of Nova, over HTTP. */
let db: Db;
let site: NovaOverHttp;
let parts: EngineParts;
let groupId: string;

beforeEach(async () => {
  const log = pino({ level: 'silent' });
  db = await openTestDatabase();
  site = await startNovaOverHttp();
  groupId = await addGroup(db);
  parts = {
    db,
    bus: createMemoryBus({ log }),
    compute: site.driverWith({ antiAffinity: 'anti-affinity' }),
    network: createNoopNetwork(),
    log,
    owner: 'worker-1',
    controllers: ['ws://127.0.0.1:5555'],
    settings: { leaseSeconds: 30, engineCreateTimeout: 300, backOff: () => 1 },
  };
});
afterEach(async () => {
  await site.close();
  await db.destroy();
});

const newEngine = async () => (await addEngine(db, groupId, { token_hash: null })).id;
const servers = () => [...site.nova.model.servers.values()];

it('has one server for each engine, whatever answers were lost, and none when the engine is gone', async () => {
  site.nova.behaviour.hosts = Array.from({ length: 20 }, (_, index) => `compute-${index}`);
  const engines = [];
  for (let i = 0; i < 10; i += 1) {
    const id = await newEngine();
    engines.push(id);
    // The group's own POST comes before that of the first server.
    site.nova.loseAnswers(1);
    for (let run = 0; run < 4; run += 1) await reconcileEngine(parts, id);
  }

  expect(
    servers()
      .map(({ metadata }) => metadata['slipstream_engine'])
      .sort(),
  ).toEqual(engines.sort());
  expect(site.nova.model.groups.size).toBe(1);
  for (const id of engines) {
    const server = servers().find(({ metadata }) => metadata['slipstream_engine'] === id);
    expect(await findEngine(db, id)).toMatchObject({ computeId: server?.id, host: server?.host });
  }

  for (const id of engines) {
    await retireEngine(db, id);
    await reconcileEngine(parts, id);
  }
  expect(servers()).toEqual([]);
});

it('learns the address of a slow server when it has one', async () => {
  site.nova.behaviour.bootsSlowly = true;
  const id = await newEngine();
  await reconcileEngine(parts, id);
  expect(await findEngine(db, id)).toMatchObject({ computeId: servers()[0]?.id, managementAddress: null });

  site.nova.model.finishBoots();
  await reconcileEngine(parts, id);

  expect((await findEngine(db, id))?.managementAddress).toMatch(/^10\.99\./);
});

it('takes a server no host could have away, says why, and makes another one', async () => {
  const { hosts } = site.nova.behaviour;
  site.nova.behaviour.hosts = [];
  const id = await newEngine();
  for (let run = 0; run < 2; run += 1) await reconcileEngine(parts, id);

  expect(servers()).toEqual([]);
  const messages: string[] = await db('event').where({ name: 'ENGINE_FAILED' }).pluck('message');
  expect(messages.join()).toContain('No valid host was found');

  site.nova.behaviour.hosts = hosts;
  await reconcileEngine(parts, id);
  expect(servers()).toMatchObject([{ status: 'ACTIVE' }]);
});

it('says why also of a server that it only hears of in a list', async () => {
  site.nova.behaviour.hosts = [];
  const id = await newEngine();
  await reconcileEngine(parts, id);
  await db('service_engine').where({ id }).update({ compute_id: null });

  expect(await reconcileEngine(parts, id)).toMatchObject({
    kind: 'waiting',
    reason: expect.stringContaining('No valid host was found'),
  });
});

it('waits while the quota is used up and goes on when it is not', async () => {
  site.nova.behaviour.quota = 0;
  const id = await newEngine();

  expect(await reconcileEngine(parts, id)).toMatchObject({
    kind: 'waiting',
    reason: expect.stringContaining('Quota exceeded'),
  });

  site.nova.behaviour.quota = 1;
  await reconcileEngine(parts, id);
  expect(servers()).toHaveLength(1);
});

it('replaces a server that somebody has deleted before its engine called', async () => {
  const id = await newEngine();
  await reconcileEngine(parts, id);
  const [first] = servers();
  await site.nova.model.remove(first?.id ?? '');

  for (let run = 0; run < 2; run += 1) await reconcileEngine(parts, id);

  expect(servers()).toHaveLength(1);
  expect((await findEngine(db, id))?.computeId).toBe(servers()[0]?.id);
  expect(servers()[0]?.id).not.toBe(first?.id);
});

it('has one server group for the engines of a group that several workers make at once', async () => {
  site.nova.behaviour.hosts = Array.from({ length: 8 }, (_, index) => `compute-${index}`);
  const ids = await Promise.all(Array.from({ length: 8 }, newEngine));
  const workers = ids.map((id, index) => ({
    id,
    parts: { ...parts, owner: `worker-${index}`, compute: site.driverWith({ antiAffinity: 'anti-affinity' }) },
  }));

  await Promise.all(workers.map((worker) => reconcileEngine(worker.parts, worker.id)));

  const [group, ...others] = site.nova.model.groups.values();
  expect(others).toEqual([]);
  expect(group?.members.toSorted()).toEqual([...site.nova.model.servers.keys()].sort());
  expect(group?.members).toHaveLength(8);
});

it('leaves no server group when the group goes with its last engine', async () => {
  const id = await newEngine();
  await reconcileEngine(parts, id);
  expect(site.nova.model.groups.size).toBe(1);
  await retireEngine(db, id);

  const onGone = async () => {
    await db('service_engine_group').where({ id: groupId }).delete();
  };
  await reconcileEngine({ ...parts, onGone }, id);

  expect(site.nova.model.groups.size).toBe(0);
});
