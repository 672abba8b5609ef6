import { connectDatabase, type Db } from '../../driver/db/connect';
import { type Controller, type Controllers, createControllers } from '../support/controllers';
import { joinMariaDb, type MariaDbServer } from '../support/mariaDb';
import { type RabbitMq, startRabbitMq } from '../support/rabbitmq';
import { waitUntil } from '../support/wait';
import { describeWithServers } from '../support/withServers';

jest.setTimeout(120_000);

describeWithServers('processes of their own on MariaDB and RabbitMQ', () => {
  let database: MariaDbServer;
  let broker: RabbitMq;
  let controllers: Controllers;
  let db: Db;
  let apis: Controller[];
  let workers: Controller[];

  beforeAll(async () => {
    [database, broker] = await Promise.all([joinMariaDb(), startRabbitMq()]);
    const { url: databaseUrl } = await database.lendDatabase();
    db = await connectDatabase(databaseUrl);
    const config = [
      '[house_keeping]\nsweep_interval = 1\nrelay_interval = 1',
      '[oslo_messaging_rabbit]\nrabbit_retry_interval = 0.2\nrabbit_interval_max = 1',
      '[quotas]\ndefault_load_balancer_quota = -1',
    ].join('\n');
    controllers = createControllers({ databaseUrl, transportUrl: broker.url(), config });
    await controllers.start('housekeeping');
    await controllers.start('housekeeping');
    await controllers.start('health-manager');
    workers = [await controllers.start('worker'), await controllers.start('worker')];
    apis = [await controllers.start('api'), await controllers.start('api')];
  }, 180_000);
  afterAll(async () => {
    await controllers?.dispose();
    await db?.destroy();
    await Promise.all([broker?.stop(), database?.leave()]);
  }, 60_000);

  /** Through both APIs in turn. @returns the status of each answer */
  async function createMany(count: number, prefix: string): Promise<number[]> {
    const create = async (index: number): Promise<number> => {
      const body = { loadbalancer: { name: `${prefix}-${index}`, vip_subnet_id: VIP_SUBNET } };
      const response = await fetch(`${apis[index % apis.length]?.url}/v2/lbaas/loadbalancers`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-project-id': `project-${index % 4}` },
        body: JSON.stringify(body),
      });
      await response.arrayBuffer();
      return response.status;
    };
    return Promise.all(Array.from({ length: count }, (_, index) => create(index)));
  }

  const statusesOf = (prefix: string): Promise<string[]> =>
    db('load_balancer').where('name', 'like', `${prefix}-%`).pluck('provisioning_status');
  const allActive = (prefix: string, count: number, within: number): Promise<void> =>
    waitUntil(`${count} are ACTIVE`, within, async () => {
      const statuses = await statusesOf(prefix);
      return statuses.length === count && statuses.every((it) => it === 'ACTIVE');
    });
  const metricsOf = async ({ telemetryUrl }: Controller): Promise<string> =>
    (await fetch(`${telemetryUrl}/metrics`)).text();
  const healthOf = async ({ telemetryUrl }: Controller) => {
    const response = await fetch(`${telemetryUrl}/healthcheck`);
    return { status: response.status, text: await response.text() };
  };

  it('carries out what either API takes, and shares the work among the workers', async () => {
    expect(await createMany(40, 'shared')).toEqual(Array(40).fill(201));
    await allActive('shared', 40, 15_000);

    for (const worker of workers) {
      const [, runs] = /slipstream_bus_received_total\{[^}]*octavia_provisioning_v2[^}]*handled[^}]*\} (\d+)/.exec(
        await metricsOf(worker),
      ) ?? [undefined, '0'];
      expect(Number(runs)).toBeGreaterThan(0);
    }
    for (const controller of [...apis, ...workers]) expect((await healthOf(controller)).status).toBe(200);
    await waitUntil('the outbox is empty', 5_000, async () => (await db('outbox').select('id')).length === 0);
  });

  it('takes writes while the broker is away, says so, and carries them out when it is back', async () => {
    await broker.kill();
    for (const controller of workers) {
      await waitUntil('it is noticed', 10_000, async () => (await healthOf(controller)).status === 503);
    }
    expect((await healthOf(workers[0] as Controller)).text).toMatch(/broker/);
    // The API can do without for a while, and says that it does.
    for (const api of apis) {
      await waitUntil('it is told', 10_000, async () => (await healthOf(api)).text !== 'OK');
      expect(await healthOf(api)).toEqual({ status: 200, text: 'OK, but the message bus is unavailable.' });
    }

    expect(await createMany(30, 'offline')).toEqual(Array(30).fill(201));
    // The sweep alone has to bring half of them home.
    const rows: { id: string }[] = await db('outbox').select('id').limit(15);
    await db('outbox')
      .whereIn(
        'id',
        rows.map(({ id }) => id),
      )
      .delete();
    await broker.start();

    await allActive('offline', 30, 60_000);
    await waitUntil('the outbox is empty', 30_000, async () => (await db('outbox').select('id')).length === 0);
    for (const worker of workers) {
      await waitUntil('it is well again', 10_000, async () => (await healthOf(worker)).status === 200);
    }
    for (const api of apis) {
      await waitUntil('it is well again', 10_000, async () => (await healthOf(api)).text === 'OK');
    }
  });

  it('loses nothing when a worker is killed, and stops within its bound when it is asked to', async () => {
    const creating = createMany(40, 'killed');
    const [victim, other] = workers;
    await victim?.stop('SIGKILL');
    expect(await creating).toEqual(Array(40).fill(201));
    workers.push(await controllers.start('worker'));

    await allActive('killed', 40, 90_000);
    expect(await other?.stop()).toBe(0);
    expect(await createMany(4, 'after')).toEqual(Array(4).fill(201));
    await allActive('after', 4, 30_000);
  });
});

const VIP_SUBNET = '3b2f4c0e-5f43-4d0e-9d6f-0f1f0c7f3a11';
