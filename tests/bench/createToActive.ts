import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { connectDatabase, type Db } from '../../driver/db/connect';
import { quantile } from './figures';

/** Where load balancers are created, and the database that shows when they are ACTIVE. */
export interface CreateTarget {
  readonly url: string;
  readonly connection: string;
  /** Of a cloud behind it; with no-op drivers any will do. */
  readonly place?: { readonly subnetId: string; readonly projectId: string };
  /** Besides those of every request: a token. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface CreateLoad {
  /** Load balancers on their way at a time, from request to ACTIVE. */
  readonly concurrency: number;
  readonly count: number;
  readonly prefix: string;
}

export interface CreateResult {
  readonly perSecond: number;
  /** Milliseconds from the request to ACTIVE. */
  readonly p50: number;
  readonly p95: number;
}

const SUBNET = '0b6d4d0e-7f43-4d8e-9a53-1c2b3a4d5e6f';
const PROJECT = '5f3c7a52-2a4f-4c6e-9b8d-4f7a1c2d3e4f';
/** Milliseconds between two looks at the database. */
const LOOK = 5;
/** Milliseconds a load balancer may take. */
const PATIENCE = 120_000;

/** @throws Error when a request is refused, or one does not become ACTIVE */
export async function createToActive(target: CreateTarget, load: CreateLoad): Promise<CreateResult> {
  const pool = new Pool(target.url, { connections: load.concurrency, pipelining: 1 });
  const db = await connectDatabase(target.connection, { maxPoolSize: 1 });
  const watch = watchStatuses(db);
  const times: number[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let index = next++; index < load.count; index = next++) {
      const from = performance.now();
      await watch.untilActive(await create(pool, `${load.prefix}-${index}`, target));
      times.push(performance.now() - from);
    }
  };
  const from = performance.now();
  try {
    await Promise.all(Array.from({ length: load.concurrency }, lane));
    const seconds = (performance.now() - from) / 1000;
    return { perSecond: load.count / seconds, p50: quantile(times, 0.5), p95: quantile(times, 0.95) };
  } finally {
    await watch.stop();
    await db.destroy();
    await pool.close();
  }
}

async function create(pool: Pool, name: string, { place, headers }: CreateTarget): Promise<string> {
  const { subnetId, projectId } = place ?? { subnetId: SUBNET, projectId: PROJECT };
  const loadbalancer = { name, vip_subnet_id: subnetId, project_id: projectId };
  const answer = await pool.request({
    method: 'POST',
    path: '/v2/lbaas/loadbalancers',
    headers: { 'content-type': 'application/json', 'x-project-id': projectId, ...headers },
    body: JSON.stringify({ loadbalancer }),
  });
  const text = await answer.body.text();
  if (answer.statusCode !== 201) throw new Error(`${answer.statusCode} ${text}`);
  return (JSON.parse(text) as { loadbalancer: { id: string } }).loadbalancer.id;
}

/** One look for all that are waited for. */
function watchStatuses(db: Db) {
  const waiting = new Map<string, { done: () => void; fail: (error: Error) => void; since: number }>();
  let going = true;
  const look = async (): Promise<void> => {
    while (going) {
      if (waiting.size > 0) await settle();
      await sleep(LOOK);
    }
  };
  const settle = async (): Promise<void> => {
    const rows: { id: string; provisioning_status: string }[] = await db('load_balancer')
      .whereIn('id', [...waiting.keys()])
      .select('id', 'provisioning_status');
    for (const { id, provisioning_status: status } of rows) {
      const waiter = waiting.get(id);
      if (!waiter || (status !== 'ACTIVE' && status !== 'ERROR' && performance.now() - waiter.since < PATIENCE))
        continue;
      waiting.delete(id);
      if (status === 'ACTIVE') waiter.done();
      else waiter.fail(new Error(`load balancer ${id} is ${status}`));
    }
  };
  const looking = look();
  return {
    untilActive: (id: string): Promise<void> =>
      new Promise((done, fail) => waiting.set(id, { done, fail, since: performance.now() })),
    async stop() {
      going = false;
      await looking;
    },
  };
}
