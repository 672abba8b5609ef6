import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { createMemoryBus } from '../../driver/bus/memory';
import { type Bus, HINTS_TOPIC, PROVISIONING_TOPIC } from '../../driver/bus/port';
import { createNoopCompute } from '../../driver/clouds/compute/noop';
import type { ComputeDriver } from '../../driver/clouds/compute/port';
import { createNoopNetwork } from '../../driver/clouds/network/noop';
import type { NetworkDriver } from '../../driver/clouds/network/port';
import type { Db } from '../../driver/db/connect';
import type { LoadBalancerRow } from '../../driver/db/rows';
import { type EngineParts, reconcileEngine } from '../../driver/reconcile/engineUnit';
import type { KeyedQueue } from '../../driver/reconcile/keyedQueue';
import type { LoadBalancerParts } from '../../driver/reconcile/loadBalancerRun';
import { reconcileLoadBalancer } from '../../driver/reconcile/loadBalancerUnit';
import type { Outcome } from '../../driver/reconcile/outcome';
import { createMutex } from '../../driver/reconcile/wiringTarget';
import { createProvisioning } from '../../driver/worker/provisioning';
import { createUnitQueue, readHint, type Wanted } from '../../driver/worker/units';
import { type FakeHealth, startFakeHealth } from './fakeHealth';
import { insertEngine, insertGroup } from './rows';
import { waitUntil } from './wait';

/** The reconciler on a real database and bus, with engines that answer as told. */
export interface Lab {
  readonly db: Db;
  readonly bus: Bus;
  readonly health: FakeHealth;
  readonly groupId: string;
  readonly engineId: string;
  readonly compute: ComputeDriver;
  /** Of a worker with a lease holder of its own. */
  parts(given?: Partial<LoadBalancerParts>): LoadBalancerParts;
  /** One run of the engine's unit, as such a worker does it. */
  runEngine(parts: LoadBalancerParts): Promise<Outcome>;
  /** A worker's queue that takes every hint. */
  startWorker(given?: Partial<LoadBalancerParts>, engines?: Partial<EngineParts>): Promise<void>;
  /** Units that wait for a run of its worker, or are in one. */
  busy(): number;
  /** Hints the load balancer as the API does. */
  hint(id: string): Promise<void>;
  row(id: string): Promise<LoadBalancerRow>;
  /** Waits until the load balancer shows the status. */
  reaches(id: string, status: LoadBalancerRow['provisioning_status']): Promise<void>;
  /** Waits until it is work no more. */
  settles(id: string): Promise<void>;
  events(name: string): Promise<{ readonly resource_id: string | null; readonly message: string }[]>;
  close(): Promise<void>;
}

/** Milliseconds: the machine may be busy with other things. */
const PATIENCE = 30_000;

export interface LabOptions {
  readonly network?: NetworkDriver;
  readonly bootsNothing?: boolean;
  /** Where engines are servers; nowhere by default. */
  readonly compute?: ComputeDriver;
  /** Of the group; `{"maxEngines":1}` unless given. */
  readonly group?: object;
  /** Runs of its worker at a time. */
  readonly concurrency?: number;
}

export async function startLab(db: Db, options: LabOptions = {}): Promise<Lab> {
  const log = pino({ level: process.env['TEST_LOG'] ?? 'silent' });
  const bus = createMemoryBus({ log });
  const group = await insertGroup(db, { properties: JSON.stringify(options.group ?? { maxEngines: 1 }) });
  const id = randomUUID();
  const engine = await insertEngine(db, { id, compute_id: id, service_engine_group_id: group.id });
  const health = await startFakeHealth({ db, bus });
  const queues: KeyedQueue[] = [];
  const closers: (() => Promise<void>)[] = [() => health.close(), () => bus.close()];

  const parts = (given: Partial<LoadBalancerParts> = {}): LoadBalancerParts => ({
    db,
    bus,
    log,
    network: options.network ?? createNoopNetwork(),
    bootsNothing: options.bootsNothing ?? false,
    owner: `worker-${randomUUID()}`,
    alone: createMutex(),
    settings: {
      leaseSeconds: 30,
      stepSeconds: 5,
      pendingDeadline: 120,
      engineCreateTimeout: 600,
      engineNamePrefix: 'test',
      backOff: () => 0.05,
    },
    ...given,
  });
  const compute = options.compute ?? createNoopCompute();
  const server = await compute.createServer({
    engineId: engine.id,
    name: engine.name,
    token: 'secret',
    controllers: [],
  });
  await db('service_engine').where({ id: engine.id }).update({ compute_id: server.id, host: server.host });
  const engineParts = ({ db: own, network, contrail, owner, settings }: LoadBalancerParts): EngineParts => {
    return { db: own, bus, compute, network, log, owner, controllers: [], settings, ...(contrail && { contrail }) };
  };
  const row = async (id: string): Promise<LoadBalancerRow> => db('load_balancer').where({ id }).first();
  return {
    db,
    bus,
    health,
    groupId: group.id,
    engineId: engine.id,
    compute,
    parts,
    runEngine: (given) => reconcileEngine(engineParts(given), engine.id),
    async startWorker(given, engines) {
      const own = parts(given);
      const queue = createUnitQueue({
        run: {
          load_balancer: (id) => reconcileLoadBalancer(own, id),
          engine: (id) => reconcileEngine({ ...engineParts(own), ...engines }, id),
        },
        log,
        concurrency: options.concurrency ?? 4,
        retryBroken: 0.05,
      });
      queues.push(queue);
      const hints = await bus.subscribe(HINTS_TOPIC, (message) => {
        const wanted = readHint(message);
        if (wanted) queue.add(wanted.key, wanted.lane);
      });
      const take = ({ key, lane }: Wanted) => queue.add(key, lane);
      const casts = await bus.serve(PROVISIONING_TOPIC, createProvisioning({ db, log, take }));
      closers.unshift(
        () => hints.close(),
        () => casts.close(),
      );
      closers.unshift(() => queue.close());
    },
    busy: () => queues.reduce((sum, { size }) => sum + size, 0),
    hint: (id) => bus.publish(HINTS_TOPIC, { method: 'load_balancer', args: { id } }),
    row,
    reaches: (id, status) =>
      waitUntil(`${id} is ${status}`, PATIENCE, async () => (await row(id)).provisioning_status === status),
    settles: (id) =>
      waitUntil(`${id} is settled`, PATIENCE, async () => {
        const { generation, settled_generation } = await row(id);
        return Number(generation) === Number(settled_generation);
      }),
    events: (name) => db('event').where({ name }).select('resource_id', 'message'),
    async close() {
      for (const close of closers) await close();
    },
  };
}
