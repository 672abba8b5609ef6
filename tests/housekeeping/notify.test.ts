import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { createMemoryBus } from '../../driver/bus/memory';
import { type Bus, type BusMessage, type Notification, type Notifier, PROVISIONING_TOPIC } from '../../driver/bus/port';
import { createNoopNetwork } from '../../driver/clouds/network/noop';
import { configFromText } from '../../driver/config/config';
import { notificationSettings } from '../../driver/config/notifications';
import type { Db } from '../../driver/db/connect';
import { recordEvents } from '../../driver/db/events';
import { UnavailableError } from '../../driver/domain/errors';
import { type JobRunner, startJobs } from '../../driver/housekeeping/job';
import { housekeepingJobs } from '../../driver/housekeeping/jobs';
import { createTeller } from '../../driver/housekeeping/notify';
import { reconcileLoadBalancer } from '../../driver/reconcile/loadBalancerUnit';
import { describeOnDatabases } from '../support/database';
import { type Lab, startLab } from '../support/reconciler';
import { insertListener, insertLoadBalancer } from '../support/rows';
import { waitUntil } from '../support/wait';

const log = pino({ level: 'silent' });
const HOURLY = 3_600;
const SETTINGS = {
  ...{ sweepInterval: HOURLY, auditInterval: HOURLY, cleanupInterval: HOURLY, quotaRecountInterval: HOURLY },
  ...{
    relayInterval: 0.02,
    loadBalancerExpiryAge: HOURLY,
    eventRetention: HOURLY,
    leftoverPortAge: HOURLY,
    ownerTag: 'us',
  },
};

describeOnDatabases('notifications', (database) => {
  let db: Db;
  let lab: Lab;
  let bus: Bus;
  let casts: BusMessage[];
  let told: { topic: string; format: string; notification: Notification }[];
  let away: boolean;
  let runner: JobRunner | undefined;

  beforeEach(async () => {
    db = await database.open();
    lab = await startLab(db, { bootsNothing: true });
    bus = createMemoryBus({ log });
    casts = [];
    await bus.subscribe(PROVISIONING_TOPIC, (message) => void casts.push(message));
    told = [];
    away = false;
  });
  afterEach(async () => {
    await runner?.close();
    runner = undefined;
    await bus.close();
    await lab.close();
    await db.destroy();
  });

  const notifier: Notifier = {
    notify: async (topic, notification, format) => {
      if (away) throw new UnavailableError('the broker is away');
      told.push({ topic, format, notification });
    },
    close: async () => undefined,
  };
  /** Housekeeping as it is with those options. */
  const start = (options: { formats?: readonly ('messagingv2' | 'messaging')[]; events?: boolean } = {}): void => {
    const teller = createTeller(notifier, { topics: ['notifications'], formats: options.formats ?? ['messagingv2'] });
    const deps = { db, bus, network: createNoopNetwork(), log, owner: 'a', settings: SETTINGS, now: () => new Date() };
    const jobs = housekeepingJobs({ ...deps, teller, tellsEvents: options.events ?? false });
    runner = startJobs(jobs, { db, log, owner: 'a' });
  };
  const settle = (id: string) => reconcileLoadBalancer(lab.parts({ notifies: true }), id);
  const claim = (id: string, status: string, more: object = {}) =>
    db('load_balancer')
      .where({ id })
      .update({ provisioning_status: status, generation: db.raw('generation + 1'), ...more });
  const types = (): string[] => told.map(({ notification }) => notification.eventType);

  it('tell of a load balancer that is created, updated and deleted, once each is done, in Octavia’s words', async () => {
    const lb = await insertLoadBalancer(db, {
      name: 'web',
      provisioning_status: 'PENDING_CREATE',
      settled_generation: 0,
    });
    await settle(lb.id);
    await claim(lb.id, 'PENDING_UPDATE');
    await settle(lb.id);
    await claim(lb.id, 'PENDING_DELETE', { deleting: 1 });
    await settle(lb.id);
    start();

    await waitUntil('all is told', 5_000, () => told.length === 3);
    expect(types()).toEqual([
      'octavia.loadbalancer.create.end',
      'octavia.loadbalancer.update.end',
      'octavia.loadbalancer.delete.end',
    ]);
    for (const { topic, format, notification } of told) {
      expect([topic, format]).toEqual(['notifications', 'messagingv2']);
      expect(notification).toMatchObject({ publisherId: null, priority: 'info', context: { project_id: 'project-1' } });
      expect(notification.payload).toMatchObject({
        loadbalancer_id: lb.id,
        id: lb.id,
        project_id: 'project-1',
        name: 'web',
        admin_state_up: true,
        vip_address: '127.80.0.10',
      });
    }
    await waitUntil('the outbox is empty', 5_000, async () => (await db('outbox').select('id')).length === 0);
  });

  it('do not tell of changes below a load balancer, nor of a look at it, nor of failures', async () => {
    const lb = await insertLoadBalancer(db, { provisioning_status: 'PENDING_UPDATE', generation: 2 });
    await insertListener(db, { load_balancer_id: lb.id, provisioning_status: 'PENDING_CREATE' });
    await settle(lb.id);
    await settle(lb.id);

    expect(await lab.row(lb.id)).toMatchObject({ provisioning_status: 'ACTIVE' });
    expect(await db('outbox').select('*')).toEqual([]);
  });

  it('are sent to every topic in every format, and wait while their broker is away, without holding up casts', async () => {
    const lb = await insertLoadBalancer(db, { provisioning_status: 'PENDING_CREATE', settled_generation: 0 });
    await settle(lb.id);
    const cast = { topic: PROVISIONING_TOPIC, method: 'create_listener', args: '{}', load_balancer_id: lb.id };
    await db('outbox').insert({ id: randomUUID(), ...cast, created_at: '2026-01-01 00:00:00.000' });
    away = true;
    start({ formats: ['messagingv2', 'messaging'] });

    await waitUntil('the cast is sent', 5_000, () => casts.length === 1);
    expect(told).toEqual([]);
    away = false;
    await waitUntil('both are told', 5_000, () => told.length >= 2);

    expect(told.slice(0, 2).map(({ format }) => format)).toEqual(['messagingv2', 'messaging']);
  });

  it('tell of our own events, each once, if they are to', async () => {
    await recordEvents(db, [{ name: 'ENGINE_DOWN', severity: 'warning', message: 'engine e is down' }], {
      engineId: 'e',
      projectId: 'p',
    });
    start({ events: true });

    await waitUntil('it is told', 5_000, () => told.length === 1);
    expect(told[0]?.notification).toMatchObject({
      publisherId: 'slipstream',
      eventType: 'slipstream.engine_down',
      priority: 'warn',
      payload: { name: 'ENGINE_DOWN', message: 'engine e is down', service_engine_id: 'e', project_id: 'p' },
      context: { project_id: 'p' },
    });
    await waitUntil('it is marked', 5_000, async () => (await db('event').whereNull('notified_at')).length === 0);
    expect(told).toHaveLength(1);
  });
});

it('are off until a driver is named that sends, and need a broker', () => {
  const settings = (text: string) => notificationSettings(configFromText(text));
  const rabbit = '[DEFAULT]\ntransport_url = rabbit://a:b@host:5672/\n';

  expect(settings(rabbit)).toBeUndefined();
  expect(settings(`${rabbit}[oslo_messaging_notifications]\ndriver = noop\n`)).toBeUndefined();
  expect(settings('[oslo_messaging_notifications]\ndriver = messagingv2\n')).toBeUndefined();
  expect(settings(`${rabbit}[oslo_messaging_notifications]\ndriver = messagingv2,messaging\ntopics = a, b\n`)).toEqual({
    formats: ['messagingv2', 'messaging'],
    topics: ['a', 'b'],
    transportUrl: 'rabbit://a:b@host:5672/',
  });
});
