import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectDatabase, type Db } from '../../driver/db/connect';
import { type Controller, type Controllers, createControllers } from '../support/controllers';
import { joinMariaDb, type LentDatabase, type MariaDbServer } from '../support/mariaDb';
import { type RabbitMq, startRabbitMq } from '../support/rabbitmq';
import { waitUntil } from '../support/wait';
import { describeWithServers } from '../support/withServers';

const PROJECT = randomUUID();
/** Seconds that a worker may take for its runs; shorter than a wait for a lock. */
const PATIENCE = 2;

jest.setTimeout(120_000);

describeWithServers('a process that is asked to end', () => {
  let server: MariaDbServer;
  let lent: LentDatabase;
  let broker: RabbitMq;
  let controllers: Controllers;
  let api: Controller;
  let db: Db;

  beforeAll(async () => {
    [server, broker] = await Promise.all([joinMariaDb(), startRabbitMq()]);
    lent = await server.lendDatabase();
    db = await connectDatabase(lent.url);
    controllers = createControllers({
      databaseUrl: lent.url,
      transportUrl: broker.url(),
      config: `[DEFAULT]\ngraceful_shutdown_timeout = ${PATIENCE}\n[house_keeping]\nsweep_interval = 1`,
    });
    await controllers.start('housekeeping');
    api = await controllers.start('api');
  }, 180_000);
  afterAll(async () => {
    await controllers?.dispose();
    await db?.destroy();
    lent?.giveBack();
    await Promise.all([broker?.stop(), server?.leave()]);
  }, 60_000);

  const request = (method: string, path: string, body?: object): Promise<Response> =>
    fetch(`${api.url}/v2/lbaas/${path}`, {
      method,
      headers: { 'content-type': 'application/json', 'x-project-id': PROJECT },
      ...(body && { body: JSON.stringify(body) }),
    });
  const statusOf = async (id: string): Promise<string> =>
    (await db('load_balancer').where({ id }).first('provisioning_status')).provisioning_status;
  const reaches = (id: string, status: string): Promise<void> =>
    waitUntil(`it is ${status}`, 30_000, async () => (await statusOf(id)) === status);
  const create = async (): Promise<string> => {
    const body = { loadbalancer: { name: 'lb', vip_subnet_id: randomUUID() } };
    const answer = await request('POST', 'loadbalancers', body);
    return ((await answer.json()) as { loadbalancer: { id: string } }).loadbalancer.id;
  };
  const takesConnection = ({ url }: Controller): Promise<boolean> =>
    fetch(url).then(
      () => true,
      () => false,
    );
  /** A worker in the middle of the deletion: it waits for the row of the quota, which is locked until `release`. */
  const haltInDeletion = async () => {
    const worker = await controllers.start('worker');
    const id = await create();
    await reaches(id, 'ACTIVE');
    const trx = await db.transaction();
    await trx('quotas').where({ project_id: PROJECT }).update({ project_id: PROJECT });
    expect((await request('DELETE', `loadbalancers/${id}`)).status).toBe(204);
    const isHalted = async (): Promise<boolean> => {
      // InnoDB makes this table anew only when nobody has looked at it for 100 ms.
      await sleep(200);
      const [rows] = (await db.raw('select * from information_schema.innodb_lock_waits')) as [unknown[]];
      return rows.length > 0;
    };
    await waitUntil('the worker waits for the lock', 30_000, isHalted).catch(async (error: unknown) => {
      await trx.rollback();
      throw error;
    });
    return { worker, id, release: () => trx.rollback() };
  };

  it('finishes the run under way', async () => {
    const { worker, id, release } = await haltInDeletion();

    const ended = worker.stop();
    await waitUntil('it has heard', 5_000, () => worker.output().includes('"ending"'));
    expect(await statusOf(id)).toBe('PENDING_DELETE');
    await release();

    expect(await ended).toBe(0);
    expect(await statusOf(id)).toBe('DELETED');
    expect(worker.output()).not.toContain('others may take them over');
  });

  it('hands back what does not finish in time, and another worker need not wait for the lease', async () => {
    const { worker, id, release } = await haltInDeletion();

    expect(await worker.stop()).toBe(0);
    expect(worker.output()).toContain('others may take them over');
    expect(await statusOf(id)).toBe('PENDING_DELETE');
    expect(await db('load_balancer').where({ id }).first('lease_owner')).toEqual({ lease_owner: null });
    await release();

    const next = await controllers.start('worker');
    // Much less than `lease_time`.
    await reaches(id, 'DELETED');
    expect(await next.stop()).toBe(0);
  });

  it('answers the requests it has, and takes no more', async () => {
    const own = await controllers.start('api');
    const id = await create();
    const waiting = fetch(`${own.url}/v2/lbaas/loadbalancers/${id}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json', 'x-project-id': PROJECT },
      body: JSON.stringify({ loadbalancer: { name: 'new' } }),
    });
    await waitUntil('it is taken', 5_000, () => takesConnection(own));

    const ended = own.stop();
    await waitUntil('it takes no more', 5_000, async () => !(await takesConnection(own)));

    // Nobody settles the load balancer: it is busy, and that is the answer.
    expect((await waiting).status).toBe(409);
    expect(await ended).toBe(0);
  });
});
