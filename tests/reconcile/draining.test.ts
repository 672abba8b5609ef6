import type { Db } from '../../driver/db/connect';
import { noteCut, recordReach } from '../../driver/db/engineReach';
import { loadTree } from '../../driver/db/tree';
import { listLostLoadBalancers } from '../../driver/db/work';
import { reconcileLoadBalancer } from '../../driver/reconcile/loadBalancerUnit';
import { openTestDatabase } from '../support/database';
import { type Lab, startLab } from '../support/reconciler';
import { insertEngine, insertListener, insertLoadBalancer, insertPlacement } from '../support/rows';
import { waitUntil } from '../support/wait';

/** How a load balancer leaves an engine that is alive: make before break, and not before its connections have ended. */

const FAR = '2099-01-01 00:00:00.000';
const PAST = '2020-01-01 00:00:00.000';

let db: Db;
let lab: Lab;
let lb: string;
let listener: string;
let other: string;
const open = async (group: object = {}): Promise<void> => {
  lab = await startLab(db, { group: { maxEngines: 4, ...group } });
  lb = (await insertLoadBalancer(db)).id;
  listener = (await insertListener(db, { load_balancer_id: lb })).id;
  await insertPlacement(db, { load_balancer_id: lb, service_engine_id: lab.engineId });
  other = (await insertEngine(db, { service_engine_group_id: lab.groupId })).id;
};
beforeEach(async () => {
  db = await openTestDatabase();
});
afterEach(async () => {
  await lab.close();
  await db.destroy();
});

const connections = async (engineId: string, active_connections: number): Promise<void> => {
  const none = { bytes_in: 0, bytes_out: 0, total_connections: 0, request_errors: 0 };
  const row = { listener_id: listener, amphora_id: engineId, load_balancer_id: lb, active_connections, ...none };
  await db('listener_statistics').insert(row).onConflict(['listener_id', 'amphora_id']).merge();
};
/** A change of an operator, as a call writes it. */
const asks = async (request: string, given: object = {}, adjustment = 0): Promise<void> => {
  await db('placement')
    .where({ service_engine_id: lab.engineId })
    .update({ request, request_id: 'req-1', ...given });
  await change({ scale_adjustment: adjustment });
};
const change = (given: object = {}) =>
  db('load_balancer')
    .where({ id: lb })
    .update({
      provisioning_status: 'PENDING_UPDATE',
      generation: db.raw('generation + 1'),
      pending_deadline: FAR,
      ...given,
    });
const placementOn = (engineId: string) => db('placement').where({ service_engine_id: engineId }).first();
const run = (given = {}) => reconcileLoadBalancer(lab.parts(given), lb);
const engines = (): Promise<string[]> => db('placement').orderBy('created_at').pluck('service_engine_id');
const names = (): Promise<string[]> => db('event').orderBy('at').pluck('name');
/** Runs until the load balancer is settled and `engineId` drains. */
const drains = async (engineId: string): Promise<void> => {
  await waitUntil('the engine drains', 10_000, async () => {
    const outcome = await run();
    return outcome.kind === 'settled' && (await placementOn(engineId))?.drain_until !== null;
  });
};

it('keeps an engine that has connections until they have ended, and the load balancer is ACTIVE meanwhile', async () => {
  await open();
  await connections(lab.engineId, 2);
  await asks('failover');

  await drains(lab.engineId);

  expect(await lab.row(lb)).toMatchObject({ provisioning_status: 'ACTIVE', settled_generation: 2 });
  expect((await engines()).sort()).toEqual([lab.engineId, other].sort());
  expect(lab.health.serves(lab.engineId)).toEqual([lb]);
  expect(await run()).toEqual({ kind: 'settled', lookAgain: 3 });
  await connections(lab.engineId, 0);
  await run();
  await waitUntil('the engine is left', 10_000, async () => (await engines()).length === 1);
  expect(await engines()).toEqual([other]);
  expect(lab.health.serves(lab.engineId)).toEqual([]);
  expect((await names()).sort()).toEqual(['ENGINE_DRAINED', 'ENGINE_DRAINING']);
  expect(await db('event').pluck('request_id')).toEqual(['req-1', 'req-1']);
});

it('waits for no connections on an engine that is cut from the network of the VIP', async () => {
  await open();
  await connections(lab.engineId, 2);
  await db('vip').where({ load_balancer_id: lb }).update({ network_id: 'net-1' });
  await recordReach(db, lab.engineId, [{ domainId: 'net-1', gateway: 'silent', heard: [], missed: [] }]);
  await noteCut(db, { engineId: lab.engineId, networkId: 'net-1', proven: true });
  await asks('heal');

  await waitUntil('the engine is left', 10_000, async () => {
    await run();
    return (await engines()).join() === other;
  });
  expect(await names()).not.toContain('ENGINE_DRAINING');
});

it('does not believe in no connections before the engine can have told', async () => {
  await open();
  await asks('failover');
  await drains(lab.engineId);
  const { settings } = lab.parts();

  expect(await run({ settings: { ...settings, drainSettle: 60 } })).toMatchObject({ lookAgain: 3 });

  expect(await engines()).toHaveLength(2);
});

it('cuts connections whose time is over, and says how many', async () => {
  await open();
  await connections(lab.engineId, 2);
  await asks('failover');
  await drains(lab.engineId);

  await db('placement').whereNotNull('drain_until').update({ drain_until: PAST });
  await run();

  await waitUntil('the engine is left', 10_000, async () => (await engines()).length === 1);
  expect((await lab.events('ENGINE_DRAIN_EXPIRED')).map(({ message }) => message)).toEqual([
    'the time to drain is over: 2 connections on the engine are cut',
  ]);
});

it('a worker that takes over goes on with the clock of the one before, and the sweep knows when it is over', async () => {
  await open();
  await connections(lab.engineId, 1);
  await asks('failover');
  await drains(lab.engineId);
  const { drain_until } = await placementOn(lab.engineId);

  await run();
  await change();
  await waitUntil('the change is settled', 10_000, async () => (await run()).kind === 'settled');

  expect((await placementOn(lab.engineId)).drain_until).toBe(drain_until);
  expect(await listLostLoadBalancers(db, 10)).toEqual([]);
  await db('placement').whereNotNull('drain_until').update({ drain_until: PAST });
  expect(await listLostLoadBalancers(db, 10)).toEqual([lb]);
});

it('waits for no answer of an engine that drains', async () => {
  await open();
  await connections(lab.engineId, 1);
  await asks('failover');
  await drains(lab.engineId);
  lab.health.behave(lab.engineId, { answer: 'silent' });
  await change();

  await waitUntil('the change is settled', 10_000, async () => (await run()).kind === 'settled');

  expect(await lab.row(lb)).toMatchObject({ provisioning_status: 'ACTIVE', settled_generation: 3 });
});

it('calls an engine back when nobody serves in its stead any more, and drains it anew later', async () => {
  await open();
  await connections(lab.engineId, 1);
  await asks('failover');
  await drains(lab.engineId);
  const away = { status: 'DOWN', connected_to: null } as const;
  await db('service_engine').where({ id: other }).update(away);
  await db('placement').where({ service_engine_id: other }).update({ stale: 1 });

  await run();

  expect(await placementOn(lab.engineId)).toMatchObject({ drain_until: null, request: 'failover', deleting: 0 });
  await db('service_engine').where({ id: other }).update({ status: 'READY', connected_to: 'hm' });
  await db('placement').where({ service_engine_id: other }).update({ stale: 0 });
  await drains(lab.engineId);
});

it('scales in without anybody in the stead of the engine that is left', async () => {
  await open();
  await insertPlacement(db, { load_balancer_id: lb, service_engine_id: other, role: 'secondary' });
  await connections(lab.engineId, 1);
  await asks('scalein');

  await drains(lab.engineId);

  expect(await db('service_engine').count({ n: '*' }).first()).toEqual({ n: 2 });
  const draining = (await loadTree(db, lb))?.placements.filter((it) => it.draining);
  expect(draining?.map(({ engineId }) => engineId)).toEqual([lab.engineId]);
  await connections(lab.engineId, 0);
  await run();
  await waitUntil('the engine is left', 10_000, async () => (await engines()).length === 1);
});

it('scales out by what operators have asked for', async () => {
  await open();
  await change({ scale_adjustment: 2 });

  await waitUntil('it is served by three', 10_000, async () => {
    await run();
    return (await engines()).length === 3;
  });

  expect(await db('placement').orderBy('role').pluck('role')).toEqual(['primary', 'secondary', 'secondary']);
});

it('migrates to the engine that is named, which takes over the role', async () => {
  await open();
  const target = (await insertEngine(db, { service_engine_group_id: lab.groupId, slots_used: 0 })).id;
  await db('service_engine').where({ id: other }).update({ slots_used: 5 });
  await asks('migrate', { request_target: target });

  await drains(lab.engineId);

  expect(await placementOn(target)).toMatchObject({ role: 'primary', confirmed_generation: 2 });
  expect(await placementOn(other)).toBeUndefined();
});

it.each([
  ['the group gives no time', { scaleinTimeout: 0 }, async (): Promise<unknown> => undefined],
  [
    'its engine is dead',
    {},
    async () => {
      await db('service_engine').where({ id: lab.engineId }).update({ status: 'DOWN', connected_to: null });
    },
  ],
  [
    'it has nothing to serve',
    {},
    async () => {
      await db('listener').delete();
    },
  ],
])('leaves at once when %s', async (_, group: object, prepare: () => Promise<unknown>) => {
  await open(group);
  await prepare();
  await asks('failover');

  await waitUntil('the engine is left', 10_000, async () => {
    await run();
    return (await engines()).join() === other;
  });

  expect(await names()).not.toContain('ENGINE_DRAINING');
});

it('gives an engine that is retired the time to drain, too', async () => {
  await open();
  await connections(lab.engineId, 1);
  await db('service_engine').where({ id: lab.engineId }).update({ deleting: 1, status: 'DRAINING' });

  await drains(lab.engineId);

  expect((await lab.events('ENGINE_DRAINING')).map(({ message }) => message)).toEqual([
    "others serve in the engine's stead (its engine is to go): connections on it have 30 s to end",
  ]);
});

it('does not drain for a load balancer that is deleted', async () => {
  await open();
  await connections(lab.engineId, 1);
  await change({ provisioning_status: 'PENDING_DELETE', deleting: 1 });

  await waitUntil('it is deleted', 10_000, async () => {
    await run();
    return (await lab.row(lb)).provisioning_status === 'DELETED';
  });
});
