import { randomUUID } from 'node:crypto';
import pino from 'pino';
import type { Db } from '../../driver/db/connect';
import { inTransaction } from '../../driver/db/connect';
import { silenceEngine, takeConnection } from '../../driver/db/engineConnections';
import { forgetCuts, listCutOff, noteCut, recordReach } from '../../driver/db/engineReach';
import { recordHearing } from '../../driver/db/healing';
import { listCandidates } from '../../driver/db/placementCandidates';
import { DEFAULT_HEALING } from '../../driver/domain/healing';
import type { ReportedReach } from '../../driver/domain/reach';
import { type HealDeps, healGroups } from '../../driver/fleet/heal';
import { openTestDatabase } from '../support/database';
import { createFakeCompute, type FakeCompute } from '../support/fakeCompute';
import { type Lab, startLab } from '../support/reconciler';
import { insertEngine, insertLoadBalancer } from '../support/rows';
import { waitUntil } from '../support/wait';

const PATIENCE = 30_000;
const log = pino({ level: 'silent' });

let db: Db;
let lab: Lab;
let compute: FakeCompute;
let engines: string[];

beforeEach(async () => {
  db = await openTestDatabase();
  compute = createFakeCompute();
  lab = await startLab(db, { compute, group: { maxEngines: 3, slotsPerEngine: 10 } });
  engines = [lab.engineId];
});
afterEach(async () => {
  await lab.close();
  await db.destroy();
});

async function addEngine(): Promise<string> {
  const id = randomUUID();
  const server = await compute.createServer({ engineId: id, name: id, token: 'secret', controllers: [] });
  await insertEngine(db, { id, compute_id: server.id, service_engine_group_id: lab.groupId });
  await db('service_engine').where({ id }).update({ host: server.host });
  engines.push(id);
  return id;
}

async function addLoadBalancer(): Promise<string> {
  const lb = await insertLoadBalancer(db, {
    provisioning_status: 'PENDING_CREATE',
    generation: 1,
    settled_generation: 0,
  });
  await lab.hint(lb.id);
  await lab.reaches(lb.id, 'ACTIVE');
  return lb.id;
}

const on = (loadBalancerId: string): Promise<string[]> =>
  db('placement').where({ load_balancer_id: loadBalancerId, deleting: 0 }).pluck('service_engine_id');

async function silence(engineId: string): Promise<void> {
  lab.health.behave(engineId, { answer: 'silent' });
  await inTransaction(db, (trx) => silenceEngine(trx, { engineId, epoch: 1 }));
}

const heal = (given: Partial<HealDeps> = {}) =>
  healGroups({ db, bus: lab.bus, log, settings: { ...DEFAULT_HEALING, settle: 0 }, compute, ...given });

it('moves what a dead engine served to a spare slot, and takes its server down once it is stopped', async () => {
  await lab.startWorker();
  const lb = await addLoadBalancer();
  const [first = ''] = await on(lb);
  const spare = await addEngine();

  await silence(first);
  await heal();
  await waitUntil('the spare has it', PATIENCE, async () => (await on(lb)).join() === spare);
  expect(lab.health.serves(spare)).toEqual([lb]);
  expect(await lab.events('PLACEMENT_HEALING')).toMatchObject([{ resource_id: lb }]);

  await heal();
  expect(await db('service_engine').where({ id: first }).first('deleting')).toMatchObject({ deleting: 0 });
  await compute.deleteServer((await db('service_engine').where({ id: first }).first('compute_id')).compute_id);
  await heal();
  await waitUntil('it is gone', PATIENCE, async () => (await db('service_engine').where({ id: first })).length === 0);
  expect(await lab.events('ENGINE_RETIRED')).toHaveLength(1);
});

it('makes an engine where no slot is free', async () => {
  await lab.startWorker();
  const lb = await addLoadBalancer();

  await silence(lab.engineId);
  await heal();
  await waitUntil('another engine is asked for', PATIENCE, async () => (await on(lb)).length === 2);
  expect(await lab.events('ENGINE_REQUESTED')).toHaveLength(1);
});

it('leaves an engine as it is that another one hears, and says so once', async () => {
  await lab.startWorker();
  const lb = await addLoadBalancer();
  const other = await addEngine();
  await recordHearing(db, other, [{ engineId: lab.engineId, heard: true }]);

  await silence(lab.engineId);
  await heal();
  await heal();
  expect(await on(lb)).toEqual([lab.engineId]);
  expect(await lab.events('ENGINE_ISOLATED')).toHaveLength(1);
  expect(await lab.events('PLACEMENT_HEALING')).toEqual([]);

  await recordHearing(db, other, [{ engineId: lab.engineId, heard: false }]);
  await heal();
  await waitUntil('it moves', PATIENCE, async () => (await on(lb)).join() === other);
});

it('has what an isolated engine never put in force served by another one, and moves nothing else of it', async () => {
  await lab.startWorker();
  const served = await addLoadBalancer();
  lab.health.behave(lab.engineId, { answer: 'silent' });
  const { id: waiting } = await insertLoadBalancer(db, {
    provisioning_status: 'PENDING_CREATE',
    generation: 1,
    settled_generation: 0,
  });
  await lab.hint(waiting);
  await waitUntil('it is placed', PATIENCE, async () => (await on(waiting)).join() === lab.engineId);
  const other = await addEngine();
  await recordHearing(db, other, [{ engineId: lab.engineId, heard: true }]);

  await silence(lab.engineId);
  await heal();
  await lab.reaches(waiting, 'ACTIVE');
  await waitUntil('it has moved', PATIENCE, async () => (await on(waiting)).join() === other);
  expect(await on(served)).toEqual([lab.engineId]);
  expect(await lab.events('ENGINE_ISOLATED')).toHaveLength(1);
  expect(await lab.events('PLACEMENT_HEALING')).toMatchObject([{ resource_id: waiting }]);
});

it('lets an engine keep what it has that is back before anybody could take over', async () => {
  await db('service_engine_group').update({ properties: JSON.stringify({ maxEngines: 1 }) });
  await lab.startWorker();
  const lb = await addLoadBalancer();
  await silence(lab.engineId);
  await heal();
  expect(await db('placement').where({ load_balancer_id: lb }).pluck('request')).toEqual(['heal']);

  const connection = { engineId: lab.engineId, epoch: 2 };
  await takeConnection(db, connection, { connectedTo: 'health-1', status: { from: 'DOWN', to: 'READY' } });
  expect(await db('placement').where({ load_balancer_id: lb }).pluck('request')).toEqual([null]);
});

it('keeps everything as it is when most of a group is lost at once, until it is back', async () => {
  await lab.startWorker();
  await addEngine();
  await addEngine();
  const lb = await addLoadBalancer();
  const before = await on(lb);

  for (const id of engines) await silence(id);
  await heal();
  await heal();
  expect(await on(lb)).toEqual(before);
  expect(await lab.events('HEALING_STOPPED')).toHaveLength(1);
  expect(await db('placement').where({ request: 'heal' })).toEqual([]);

  for (const engineId of engines) {
    const status = { from: 'DOWN', to: 'READY' } as const;
    await takeConnection(db, { engineId, epoch: 2 }, { connectedTo: 'health-1', status });
  }
  await heal();
  expect(await lab.events('HEALING_RESUMED')).toHaveLength(1);
  expect(await db('service_engine_group').pluck('breaker')).toEqual([null]);
});

describe('an engine that is cut from a VIP network', () => {
  const NETWORK = 'net-front';
  const settings = { ...DEFAULT_HEALING, settle: 0, cutAfter: 0, cutOverAfter: 0 };
  const said = (gateway: 'answers' | 'silent', over: Partial<ReportedReach> = {}): ReportedReach[] => [
    { domainId: NETWORK, gateway, heard: [], missed: [], ...over },
  ];
  const seenBy = (engineId: string, reports: ReportedReach[]) => recordReach(db, engineId, reports);

  async function addInNetwork(): Promise<string> {
    const lb = await addLoadBalancer();
    await db('vip').where({ load_balancer_id: lb }).update({ network_id: NETWORK });
    return lb;
  }

  it('is left for a spare one, takes nothing, and takes load balancers again when it is well', async () => {
    await lab.startWorker();
    const lb = await addInNetwork();
    await seenBy(lab.engineId, said('answers'));
    const spare = await addEngine();
    await heal({ settings });
    expect(await lab.events('ENGINE_CUT')).toEqual([]);

    await seenBy(lab.engineId, said('silent'));
    await heal({ settings });
    await waitUntil('the spare has it', PATIENCE, async () => (await on(lb)).join() === spare);
    expect(await lab.events('ENGINE_CUT')).toMatchObject([
      { message: expect.stringContaining('not answered by its gateway') },
    ]);
    expect(await lab.events('PLACEMENT_HEALING')).toMatchObject([{ resource_id: lb }]);
    expect(await db('service_engine').where({ id: lab.engineId }).first('status', 'deleting')).toMatchObject({
      ...{ status: 'READY', deleting: 0 },
    });
    const candidate = async () => (await listCandidates(db, lab.groupId)).find(({ id }) => id === lab.engineId);
    expect(await candidate()).toMatchObject({ cutFrom: [NETWORK] });
    expect(await listCutOff(db, lab.groupId)).toEqual([lab.engineId]);

    await heal({ settings });
    expect(await lab.events('ENGINE_CUT')).toHaveLength(1);
    await seenBy(spare, said('answers'));
    await heal({ settings });
    await heal({ settings });
    expect(await lab.events('ENGINE_CUT')).toHaveLength(2);

    await seenBy(lab.engineId, said('answers'));
    await heal({ settings });
    expect(await lab.events('ENGINE_CUT_OVER')).toHaveLength(1);
    expect(await candidate()).not.toHaveProperty('cutFrom');
    expect(await on(lb)).toEqual([spare]);
  });

  it('keeps what has found no other engine when it is well again', async () => {
    await db('service_engine_group').update({ properties: JSON.stringify({ maxEngines: 1 }) });
    await lab.startWorker();
    const lb = await addInNetwork();
    await seenBy(lab.engineId, said('answers'));
    await seenBy(lab.engineId, said('silent'));
    await heal({ settings });
    const requests = () => db('placement').where({ load_balancer_id: lb }).pluck('request');
    expect(await requests()).toEqual(['heal']);

    await seenBy(lab.engineId, said('answers'));
    await heal({ settings });
    expect(await requests()).toEqual([null]);
    expect(await on(lb)).toEqual([lab.engineId]);
  });

  it('is not left while it has not lasted, and not for a gateway that never answered', async () => {
    await lab.startWorker();
    await addInNetwork();
    await addEngine();
    await seenBy(lab.engineId, said('answers', { gateway: 'unanswered' }));
    await heal({ settings });
    await seenBy(lab.engineId, said('answers'));
    await seenBy(lab.engineId, said('silent'));
    await heal();
    expect(await lab.events('ENGINE_CUT')).toEqual([]);
    expect(await lab.events('PLACEMENT_HEALING')).toEqual([]);
  });

  it('says so itself, by the agent that knew its gateway or the next one', async () => {
    const row = () => db('engine_reach').where({ service_engine_id: lab.engineId }).first();
    await seenBy(lab.engineId, said('answers', { heard: ['b'] }));
    const { since } = await row();
    await seenBy(lab.engineId, said('answers', { missed: ['b'] }));
    expect(await row()).toMatchObject({ state: 'well', since, gateway: 1, missed: '["b"]' });
    await seenBy(lab.engineId, said('answers', { gateway: 'unanswered' }));
    expect(await row()).toMatchObject({ state: 'trouble', gateway: 0 });
    await seenBy(lab.engineId, []);
    expect(await row()).toBeUndefined();
  });

  it('is remembered to be cut from a network it has left, until it is back from a loss or an operator says so', async () => {
    const marks = () => db('engine_reach').where({ service_engine_id: lab.engineId }).pluck('state');
    const cut = async () => {
      await seenBy(lab.engineId, said('silent'));
      await noteCut(db, { engineId: lab.engineId, networkId: NETWORK, proven: true });
      await seenBy(lab.engineId, []);
    };
    await cut();
    await heal({ settings });
    expect(await marks()).toEqual(['unknown']);
    await forgetCuts(db, lab.engineId);
    expect(await marks()).toEqual([]);

    await cut();
    await inTransaction(db, (trx) => silenceEngine(trx, { engineId: lab.engineId, epoch: 1 }));
    const connection = { engineId: lab.engineId, epoch: 2 };
    await takeConnection(db, connection, { connectedTo: 'health-1', status: { from: 'DOWN', to: 'READY' } });
    expect(await marks()).toEqual([]);
  });
});
