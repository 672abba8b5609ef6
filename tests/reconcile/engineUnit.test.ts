import { randomUUID } from 'node:crypto';
import pino from 'pino';
import { createMemoryBus } from '../../driver/bus/memory';
import { HINTS_TOPIC } from '../../driver/bus/port';
import { openEmbeddedNetwork } from '../../driver/clouds/network/memory';
import { ENGINE_PORT_OWNER, type NetworkDriver } from '../../driver/clouds/network/port';
import { SEED_IDS, seedNetworks } from '../../driver/clouds/network/seed';
import { createMemoryStore } from '../../driver/clouds/network/store';
import { type Db, inTransaction } from '../../driver/db/connect';
import { findEngine, retireEngine } from '../../driver/db/engines';
import { listVnics, needVnic } from '../../driver/db/vnics';
import { tokenMatches } from '../../driver/domain/engine';
import { CloudPausedError } from '../../driver/reconcile/cloudPaused';
import { type EngineParts, reconcileEngine } from '../../driver/reconcile/engineUnit';
import { openTestDatabase } from '../support/database';
import { createFakeCompute, type FakeCompute } from '../support/fakeCompute';
import { addEngine, addGroup, addLoadBalancer, addPlacement } from '../support/fleetRows';
import { waitUntil } from '../support/wait';

let db: Db;
let compute: FakeCompute;
let network: NetworkDriver;
let parts: EngineParts;
let engineId: string;
let hinted: string[];

beforeEach(async () => {
  const log = pino({ level: 'silent' });
  db = await openTestDatabase();
  const bus = createMemoryBus({ log });
  hinted = [];
  await bus.subscribe(HINTS_TOPIC, ({ args }) => void hinted.push(String(args['id'])));
  compute = createFakeCompute();
  const embedded = await openEmbeddedNetwork({ store: createMemoryStore() });
  await seedNetworks(embedded.model, { projectId: 'admin' });
  network = embedded.driver;
  engineId = (await addEngine(db, await addGroup(db), { token_hash: null })).id;
  parts = {
    db,
    bus,
    compute,
    network,
    log,
    owner: 'worker-1',
    controllers: ['ws://127.0.0.1:5555'],
    settings: { leaseSeconds: 30, engineCreateTimeout: 300, backOff: () => 1 },
  };
});
afterEach(() => db.destroy());

const engine = async () => {
  const found = await findEngine(db, engineId);
  if (!found) throw new Error('the engine is gone');
  return found;
};
const run = (changes: Partial<EngineParts> = {}) => reconcileEngine({ ...parts, ...changes }, engineId);
const comeUp = () => db('service_engine').where({ id: engineId }).update({ status: 'READY', connected_to: 'hm' });
const needLocal = () =>
  inTransaction(db, (trx) =>
    needVnic(trx, { id: randomUUID(), engineId, networkId: SEED_IDS.localNetwork, subnetId: SEED_IDS.localSubnet }),
  );
const ports = () => network.listPorts({ deviceOwner: ENGINE_PORT_OWNER, deviceId: engineId });
const events = async (name: string): Promise<string[]> => db('event').where({ name }).pluck('message');

it('makes one server, whose token is the engine alone knows, and settles when it has called', async () => {
  expect(await run()).toMatchObject({ kind: 'waiting', reason: 'it has not called yet' });
  expect(await run()).toMatchObject({ kind: 'waiting' });

  expect([...compute.servers.values()]).toMatchObject([{ engineId }]);
  const { tokenHash, computeId, managementAddress, host, settledGeneration } = await engine();
  expect({ computeId, managementAddress, host, settledGeneration }).toEqual({
    computeId: [...compute.servers.keys()][0],
    managementAddress: '192.0.2.1',
    host: 'host-1',
    settledGeneration: 0,
  });
  const [request] = compute.requests;
  expect(tokenMatches(request?.token ?? '', tokenHash)).toBe(true);
  expect(request?.controllers).toEqual(['ws://127.0.0.1:5555']);

  await comeUp();
  expect(await run()).toEqual({ kind: 'settled' });
  expect(await engine()).toMatchObject({ settledGeneration: 1, attempts: 0 });
  expect(compute.requests).toHaveLength(1);
});

it('adopts the server of a call whose answer was lost', async () => {
  compute.loseNextAnswer();
  expect(await run()).toMatchObject({ kind: 'waiting', reason: 'the answer was lost' });
  expect((await engine()).computeId).toBeNull();

  await run();

  expect(compute.requests).toHaveLength(1);
  expect((await engine()).computeId).toBe([...compute.servers.keys()][0]);
  // That a cloud gives no answer is told of the cloud.
  expect(await events('ENGINE_FAILED')).toEqual([]);
});

it('keeps the recorded one of several servers', async () => {
  await run();
  const recorded = (await engine()).computeId;
  const { engineId: id, name } = { engineId, name: 'twin' };
  await compute.createServer({ engineId: id, name, token: 't', controllers: [] });

  await run();

  expect([...compute.servers.keys()]).toEqual([recorded]);
});

it('makes a server anew that is gone before its engine has called, with another token', async () => {
  await run();
  const before = (await engine()).tokenHash;
  compute.servers.clear();

  expect(await run()).toMatchObject({ kind: 'waiting' });

  expect(compute.servers.size).toBe(1);
  expect(await engine()).toMatchObject({ status: 'BUILDING' });
  expect((await engine()).tokenHash).not.toBe(before);
});

it('replaces an engine whose server is gone that has served', async () => {
  await run();
  await comeUp();
  await run();
  const lb = await addLoadBalancer(db);
  await addPlacement(db, { loadBalancerId: lb, engineId });
  compute.servers.clear();

  expect(await run()).toMatchObject({ kind: 'waiting', reason: expect.stringContaining('is gone') });

  expect((await engine()).deleting).toBe(true);
  expect(compute.servers.size).toBe(0);
  expect(await events('ENGINE_LOST')).toEqual([expect.stringMatching(/is replaced: its server .* is gone/)]);
  await db('service_engine').where({ id: engineId }).update({ connected_to: null });
  expect(await run()).toEqual({ kind: 'settled' });
  expect(await findEngine(db, engineId)).toBeUndefined();
  await waitUntil('its load balancer is hinted', 30_000, () => hinted.includes(lb));
});

it('takes away a server that could not be built, and makes another', async () => {
  compute.build('ERROR');
  await run();
  expect(await run()).toMatchObject({ kind: 'waiting', reason: expect.stringContaining('could not build') });
  expect(compute.servers.size).toBe(0);

  compute.build('ACTIVE');
  await run();

  expect([...compute.servers.values()]).toMatchObject([{ status: 'ACTIVE' }]);
});

it('gives up an engine that never calls', async () => {
  await run();
  await db('service_engine').where({ id: engineId }).update({ updated_at: '2026-01-01 00:00:00.000' });

  expect(await run()).toEqual({ kind: 'settled' });

  expect((await engine()).status).toBe('GHOST');
  expect(await events('ENGINE_GHOST')).toHaveLength(1);
});

it('gives an engine that is being built its whole time again while the cloud cannot be asked, and tells nothing of it', async () => {
  await run();
  await db('service_engine').where({ id: engineId }).update({ updated_at: '2026-01-01 00:00:00.000' });
  const away = { ...compute, listServers: () => Promise.reject(new CloudPausedError('compute')) };

  expect(await run({ compute: away })).toMatchObject({
    kind: 'waiting',
    reason: expect.stringContaining('does not answer'),
  });
  expect(await run()).toMatchObject({ kind: 'waiting', reason: 'it has not called yet' });

  expect((await engine()).status).toBe('BUILDING');
  expect(await db('event')).toEqual([]);
});

it('makes the ports an engine needs, once, and hints who waits for them', async () => {
  await run();
  await comeUp();
  await run();
  const lb = await addLoadBalancer(db, { generation: 2 });
  await addPlacement(db, { loadBalancerId: lb, engineId });
  hinted.length = 0;
  const { id } = await needLocal();

  expect(await run()).toEqual({ kind: 'settled' });
  await run();

  const [port, ...others] = await ports();
  expect(others).toEqual([]);
  expect(port).toMatchObject({ name: `slipstream-vnic-${id}`, networkId: SEED_IDS.localNetwork });
  expect(await listVnics(db, engineId)).toMatchObject([
    { portId: port?.id, macAddress: port?.macAddress, ipAddress: port?.fixedIps[0]?.ipAddress },
  ]);
  await waitUntil('the load balancer is hinted', 1_000, () => hinted.includes(lb));
});

it('takes over a port made by a run that died, and removes what no vNIC has', async () => {
  const { id } = await needLocal();
  const common = {
    projectId: 'admin',
    networkId: SEED_IDS.localNetwork,
    fixedIps: [],
    deviceId: engineId,
    deviceOwner: ENGINE_PORT_OWNER,
    adminStateUp: true,
  };
  const orphan = await network.createPort({ ...common, name: `slipstream-vnic-${id}` });
  await network.createPort({ ...common, name: `slipstream-vnic-${randomUUID()}` });

  await run();

  expect((await ports()).map((port) => port.id)).toEqual([orphan.id]);
  expect(await listVnics(db, engineId)).toMatchObject([{ portId: orphan.id }]);
});

it('ends the same wherever it is cut off', async () => {
  await needLocal();
  for (let cut = 1; cut <= 6; cut += 1) {
    let step = 0;
    const trace = () => {
      step += 1;
      if (step === cut) throw new Error('cut off');
    };
    await run({ trace, owner: `worker-${cut}` }).catch(() => undefined);
    await db('service_engine').where({ id: engineId }).update({ lease_owner: null, lease_until: null });
  }
  await run();

  expect(compute.servers.size).toBe(1);
  expect(await ports()).toHaveLength(1);
});

it('leaves an engine to the worker that has it in hand', async () => {
  await db('service_engine')
    .where({ id: engineId })
    .update({ lease_owner: 'other', lease_until: '2999-01-01 00:00:00.000' });

  expect(await run()).toMatchObject({ kind: 'waiting', reason: 'another worker has it in hand' });
  expect(compute.requests).toEqual([]);
});

it('writes nothing more once its lease has passed to another worker', async () => {
  const trace = async (step: string): Promise<void> => {
    if (step !== 'server: observe') return;
    await db('service_engine').where({ id: engineId }).update({ lease_owner: 'other', lease_epoch: 99 });
  };
  let stolen: Promise<void> | undefined;
  const outcome = await run({
    trace: (step) => {
      stolen ??= trace(step);
    },
  });
  await stolen;

  expect(outcome).toMatchObject({ kind: 'waiting', reason: 'the lease passed to another worker' });
  expect(compute.requests).toEqual([]);
});

it('lets the load balancers of an engine leave before it ends', async () => {
  await run();
  await comeUp();
  const lb = await addLoadBalancer(db);
  await addPlacement(db, { loadBalancerId: lb, engineId });
  await retireEngine(db, engineId);
  hinted.length = 0;

  expect(await run()).toMatchObject({ kind: 'waiting', reason: 'its load balancers have not left yet' });
  expect((await engine()).status).toBe('DRAINING');
  expect(compute.servers.size).toBe(1);
  await waitUntil('it is hinted', 1_000, () => hinted.includes(lb));

  await db('placement').delete();
  await db('service_engine').where({ id: engineId }).update({ slots_used: 0 });
  expect(await run()).toEqual({ kind: 'settled' });
  expect(compute.servers.size).toBe(0);
  expect(await findEngine(db, engineId)).toBeUndefined();
  expect(await run()).toEqual({ kind: 'settled' });
});

it('ends a dead engine with everything on it, and hints what it served', async () => {
  await needLocal();
  await run();
  const lb = await addLoadBalancer(db);
  await addPlacement(db, { loadBalancerId: lb, engineId });
  await db('service_engine').where({ id: engineId }).update({ status: 'GHOST' });
  await retireEngine(db, engineId);
  hinted.length = 0;

  expect(await run()).toEqual({ kind: 'settled' });

  expect(await findEngine(db, engineId)).toBeUndefined();
  expect(compute.servers.size).toBe(0);
  expect(await ports()).toEqual([]);
  expect(await db('placement')).toEqual([]);
  await waitUntil('it is hinted', 1_000, () => hinted.includes(lb));
});
