import { pino } from 'pino';
import { createMemoryBus } from '../../driver/bus/memory';
import { type Bus, HINTS_TOPIC, PROVISIONING_TOPIC, SETTLED_TOPIC } from '../../driver/bus/port';
import { createNoopCompute } from '../../driver/clouds/compute/noop';
import { createNoopNetwork } from '../../driver/clouds/network/noop';
import type { NetworkDriver } from '../../driver/clouds/network/port';
import { configFromText } from '../../driver/config/config';
import type { Db } from '../../driver/db/connect';
import { PassedThroughError, UnavailableError } from '../../driver/domain/errors';
import type { RunningProcess } from '../../driver/domain/process';
import { runWorker } from '../../driver/worker/main';
import { openTestDatabase } from '../support/database';
import { insertLoadBalancer } from '../support/rows';
import { waitUntil } from '../support/wait';

const log = pino({ level: 'silent' });
const CREATING = {
  provisioning_status: 'PENDING_CREATE',
  generation: 1,
  settled_generation: 0,
  pending_deadline: '2099-01-01 00:00:00.000',
} as const;

let db: Db;
let bus: Bus;
let worker: RunningProcess | undefined;
beforeEach(async () => {
  db = await openTestDatabase();
  bus = createMemoryBus({ log });
});
afterEach(async () => {
  await worker?.close();
  await bus.close();
  await db.destroy();
});

const start = async (network: NetworkDriver = createNoopNetwork()): Promise<void> => {
  const config = configFromText('');
  const settings = { firstRetry: 0.02, lastRetry: 0.05, cloudFailures: 2, cloudPause: 0.1 };
  worker = await runWorker({ config, db, bus, network, compute: createNoopCompute(), log, settings });
};
const statusOf = async (id: string) => (await db('load_balancer').where({ id }).first()).provisioning_status;
/** A network service that knows every port, unless told otherwise. */
const aNetwork = (findPort: NetworkDriver['findPort']): NetworkDriver => ({
  ...createNoopNetwork(),
  acceptsAnything: false,
  findPort,
});

describe('a worker', () => {
  it('takes casts and hints, settles what they name, and tells those who wait', async () => {
    await start();
    const settled: unknown[] = [];
    await bus.subscribeBroadcast(SETTLED_TOPIC, ({ args }) => void settled.push(args['id']));
    const one = await insertLoadBalancer(db, CREATING);
    const two = await insertLoadBalancer(db, CREATING);
    await bus.publish(PROVISIONING_TOPIC, {
      method: 'create_load_balancer',
      args: { loadbalancer: { loadbalancer_id: one.id, project_id: 'p' } },
    });
    await bus.publish(HINTS_TOPIC, { method: 'load_balancer', args: { id: two.id } });
    for (const { id } of [one, two]) await waitUntil('ACTIVE', 2_000, async () => (await statusOf(id)) === 'ACTIVE');
    await waitUntil('both are announced', 2_000, () => settled.length === 2);
    expect(settled.sort()).toEqual([one.id, two.id].sort());
  });

  it('shrugs at messages that name nothing, or nobody', async () => {
    await start();
    await bus.publish(PROVISIONING_TOPIC, { method: 'unheard_of', args: {} });
    await bus.publish(HINTS_TOPIC, { method: 'load_balancer', args: { id: 'nobody' } });
    await bus.publish(HINTS_TOPIC, { method: 'engine', args: { id: 'nobody' } });
    const lb = await insertLoadBalancer(db, CREATING);
    await bus.publish(HINTS_TOPIC, { method: 'load_balancer', args: { id: lb.id } });
    await waitUntil('ACTIVE', 2_000, async () => (await statusOf(lb.id)) === 'ACTIVE');
  });

  it('shows what a cloud refuses at once, goes on trying, and heals', async () => {
    let refuses = true;
    const noop = createNoopNetwork();
    await start(
      aNetwork(async (id) => {
        if (refuses) throw new PassedThroughError(403, 'quota of ports is used up');
        return noop.findPort(id);
      }),
    );
    const lb = await insertLoadBalancer(db, CREATING);
    await bus.publish(HINTS_TOPIC, { method: 'load_balancer', args: { id: lb.id } });
    await waitUntil('ERROR', 2_000, async () => (await statusOf(lb.id)) === 'ERROR');
    expect(await db('event').where({ name: 'CHANGE_FAILED' }).first()).toMatchObject({
      load_balancer_id: lb.id,
      message: 'quota of ports is used up',
    });
    refuses = false;
    await waitUntil('ACTIVE', 2_000, async () => (await statusOf(lb.id)) === 'ACTIVE');
  });

  it('waits for a cloud that is away: no deadline is used up, one event tells of it, one of its return', async () => {
    let away = true;
    const noop = createNoopNetwork();
    await start(
      aNetwork(async (id) => {
        if (away) throw new UnavailableError('no answer');
        return noop.findPort(id);
      }),
    );
    const lbs = [await insertLoadBalancer(db, CREATING), await insertLoadBalancer(db, CREATING)];
    for (const { id } of lbs) await bus.publish(HINTS_TOPIC, { method: 'load_balancer', args: { id } });
    const eventsNamed = (name: string) => db('event').where({ name }).select('*');
    await waitUntil('the cloud is known to be away', 10_000, async () => (await eventsNamed('CLOUD_AWAY')).length > 0);
    await db('load_balancer').update({ pending_deadline: '2020-01-01 00:00:00.000' });
    await waitUntil('the deadlines move', 10_000, async () => {
      const deadlines: string[] = await db('load_balancer').pluck('pending_deadline');
      return deadlines.every((deadline) => deadline > '2021');
    });
    for (const { id } of lbs) expect(await statusOf(id)).toBe('PENDING_CREATE');

    away = false;
    for (const { id } of lbs) await waitUntil('ACTIVE', 10_000, async () => (await statusOf(id)) === 'ACTIVE');
    await waitUntil('its return is told', 10_000, async () => (await eventsNamed('CLOUD_BACK')).length === 1);
    expect(await eventsNamed('CLOUD_AWAY')).toHaveLength(1);
  });

  it('finishes what it has in hand before it closes', async () => {
    let asked = false;
    let answer: () => void = () => undefined;
    const noop = createNoopNetwork();
    await start(
      aNetwork(async (id) => {
        asked = true;
        await new Promise<void>((resolve) => {
          answer = resolve;
        });
        return noop.findPort(id);
      }),
    );
    const lb = await insertLoadBalancer(db, CREATING);
    await bus.publish(HINTS_TOPIC, { method: 'load_balancer', args: { id: lb.id } });
    await waitUntil('the run is under way', 2_000, () => asked);
    const closing = worker?.close();
    answer();
    await closing;
    worker = undefined;
    expect(await db('load_balancer').where({ id: lb.id }).first()).toMatchObject({
      provisioning_status: 'ACTIVE',
      lease_owner: null,
    });
  });
});
