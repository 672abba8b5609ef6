import type { Db } from '../../../driver/db/connect';
import type { DialectClient } from '../../../driver/db/dialects/client';
import { startTestApi, type TestApi } from '../../support/api';
import { describeOnDatabases } from '../../support/database';
import { waitUntil } from '../../support/wait';
import { announceSettled, startWorker } from './worker';

/** Writes that meet a pending load balancer. Whoever does not wait answers long before the minute of these tests ends. */

const MINUTE = 60;

/**
 * Somebody settles the load balancer after a claim has missed it and before the claim looks why: in the claim's own
 * transaction, whose end takes that back again.
 */
function settleBeforeTheNextLook(db: Db, id: string): () => boolean {
  // Of the class, since transactions have clients of their own.
  const client: DialectClient = Object.getPrototypeOf(db.client);
  const run = client.runPrepared;
  let done = false;
  client.runPrepared = async function (connection, sql, bindings) {
    if (sql.startsWith('select provisioning_status from load_balancer')) {
      client.runPrepared = run;
      done = true;
      await run.call(this, connection, "update load_balancer set provisioning_status = 'ACTIVE' where id = ?", [id]);
    }
    return run.call(this, connection, sql, bindings);
  };
  return () => done;
}

describeOnDatabases('waiting writes', ({ open }) => {
  let api: TestApi;
  afterEach(() => api.close());

  async function createLoadBalancer(): Promise<string> {
    const { id } = await api.create('/v2/lbaas/loadbalancers', 'loadbalancer', {
      vip_subnet_id: api.changes.deps.newId(),
    });
    return id;
  }

  const rename = (id: string, name: string) => api.put(`/v2/lbaas/loadbalancers/${id}`, { loadbalancer: { name } });
  const waitFor = (condition: () => boolean) => waitUntil('the queue is as it should be', 5_000, condition);
  const isWaitedFor = (id: string) => () => api.changes.deps.waiters.isWaitedFor(id);

  async function nameOf(id: string): Promise<string> {
    return (await api.db('load_balancer').where({ id }).first('name')).name;
  }

  describe('without immutable_wait', () => {
    it('one of two changes at once is done and the other reads 409', async () => {
      api = await startTestApi({ open, changes: { immutableWait: 0 } });
      const id = await createLoadBalancer();
      await api.settle();

      const answers = await Promise.all([rename(id, 'a'), rename(id, 'b')]);

      expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
      const done = answers.find(({ status }) => status === 200);
      expect(await nameOf(id)).toBe(done?.body.loadbalancer.name);
    });
  });

  describe('with immutable_wait', () => {
    beforeEach(async () => {
      api = await startTestApi({ open, changes: { immutableWait: MINUTE } });
    });

    it('a write is done as soon as the one before it is settled', async () => {
      const id = await createLoadBalancer();
      const answer = rename(id, 'later');
      await waitFor(isWaitedFor(id));

      await api.settle();
      await announceSettled(api, id);

      expect((await answer).status).toBe(200);
      expect(await nameOf(id)).toBe('later');
    });

    it('a write finds out by itself when nobody says that it may go on', async () => {
      const id = await createLoadBalancer();
      const answer = rename(id, 'later');
      await waitFor(isWaitedFor(id));

      await api.settle();

      expect((await answer).status).toBe(200);
    });

    it('a write that is settled away under its claim waits for its turn all the same', async () => {
      const id = await createLoadBalancer();
      const settledUnder = settleBeforeTheNextLook(api.db, id);
      const answer = rename(id, 'later');
      await waitFor(isWaitedFor(id));
      expect(settledUnder()).toBe(true);

      await api.settle();

      expect((await answer).status).toBe(200);
    });

    it('members wait for the load balancer of their pool', async () => {
      const id = await createLoadBalancer();
      await api.settle();
      const pool = await api.create('/v2/lbaas/pools', 'pool', {
        loadbalancer_id: id,
        protocol: 'HTTP',
        lb_algorithm: 'ROUND_ROBIN',
      });
      const member = { address: '10.0.0.1', protocol_port: 80 };
      const answer = api.post(`/v2/lbaas/pools/${pool.id}/members`, { member });
      await waitFor(isWaitedFor(id));

      await api.settle();
      await announceSettled(api, id);

      expect((await answer).status).toBe(201);
    });

    it('serves in order of arrival, and everybody', async () => {
      const id = await createLoadBalancer();
      const names = Array.from({ length: 8 }, (_, index) => `name-${index}`);
      const order: string[] = [];
      const answers: Promise<unknown>[] = [];
      for (const name of names) {
        const before = answers.length;
        answers.push(rename(id, name).then(({ status }) => order.push(`${name} ${status}`)));
        await waitFor(() => api.changes.deps.waiters.length(id) > before);
      }
      const worker = await startWorker(api);

      await api.settle();
      await announceSettled(api, id);
      await Promise.all(answers);
      await worker.close();

      expect(order).toEqual(names.map((name) => `${name} 200`));
    });

    it('turns PENDING_DELETE away at once', async () => {
      const id = await createLoadBalancer();
      await api.settle();
      await api.delete(`/v2/lbaas/loadbalancers/${id}`);

      const { status, body } = await rename(id, 'late');

      expect([status, body.faultstring]).toEqual([409, `Invalid state PENDING_DELETE of loadbalancer resource ${id}`]);
    });

    it('turns those who wait away when the load balancer is deleted before their turn', async () => {
      const id = await createLoadBalancer();
      const removal = api.delete(`/v2/lbaas/loadbalancers/${id}`);
      await waitFor(isWaitedFor(id));
      const late = rename(id, 'late');
      await waitFor(() => api.changes.deps.waiters.length(id) === 2);

      await api.settle();
      await announceSettled(api, id);

      expect((await removal).status).toBe(204);
      expect((await late).status).toBe(409);
    });

    it('stops waiting for a client that is gone, and changes nothing', async () => {
      const id = await createLoadBalancer();
      const client = new AbortController();
      const answer = fetch(`${api.url}/v2/lbaas/loadbalancers/${id}`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ loadbalancer: { name: 'gone' } }),
        signal: client.signal,
      });
      const failed = expect(answer).rejects.toThrow();
      await waitFor(isWaitedFor(id));

      client.abort();
      await failed;
      await waitFor(() => !api.changes.deps.waiters.isWaitedFor(id));

      expect(await nameOf(id)).toBe('');
    });
  });

  it('answers 409 when the wait was for nothing', async () => {
    api = await startTestApi({ open, changes: { immutableWait: 0.3 } });
    const id = await createLoadBalancer();

    const { status, body } = await rename(id, 'never');

    expect([status, body.faultstring]).toEqual([409, `Invalid state PENDING_CREATE of loadbalancer resource ${id}`]);
    expect(api.changes.deps.waiters.isWaitedFor(id)).toBe(false);
  });

  it('lets no more than a bound wait for one load balancer', async () => {
    api = await startTestApi({ open, changes: { immutableWait: MINUTE } });
    const id = await createLoadBalancer();
    const waiting = Array.from({ length: 32 }, (_, index) => rename(id, `waits-${index}`));
    await waitFor(() => api.changes.deps.waiters.length(id) === 32);

    const { status } = await rename(id, 'one too many');

    expect(status).toBe(409);
    const worker = await startWorker(api);
    await api.settle();
    await announceSettled(api, id);
    expect((await Promise.all(waiting)).map((answer) => answer.status)).toEqual(Array(32).fill(200));
    await worker.close();
  });
});
