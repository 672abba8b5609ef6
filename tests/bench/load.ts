import { performance } from 'node:perf_hooks';
import { Pool } from 'undici';
import { quantile } from './figures';
import { cpuMilliseconds } from './processes';

/** One request of a load. */
export interface LoadRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: string;
  readonly expected: number;
}

export interface Load {
  readonly url: string;
  readonly concurrency: number;
  /** No request is begun after this time; those in flight are waited for. */
  readonly seconds: number;
  /** Whose CPU time counts. */
  readonly api: readonly number[];
  readonly database: readonly number[];
  readonly headers: Readonly<Record<string, string>>;
  readonly request: (index: number) => LoadRequest;
}

export interface LoadResult {
  readonly count: number;
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Milliseconds of CPU a request. */
  readonly apiCpu: number;
  readonly databaseCpu: number;
}

/** Keeps `concurrency` requests in flight for a while. @throws Error for an answer of another status */
export async function runLoad(load: Load): Promise<LoadResult> {
  const pool = new Pool(load.url, { connections: load.concurrency, pipelining: 1 });
  const times: number[] = [];
  const [apiBefore, databaseBefore] = [cpuMilliseconds(load.api), cpuMilliseconds(load.database)];
  const from = performance.now();
  const until = from + load.seconds * 1000;
  let next = 0;
  const lane = async (): Promise<void> => {
    while (performance.now() < until) {
      const start = performance.now();
      await send(pool, load.headers, load.request(next++));
      times.push(performance.now() - start);
    }
  };
  await Promise.all(Array.from({ length: load.concurrency }, lane));
  const seconds = (performance.now() - from) / 1000;
  const count = times.length;
  const apiCpu = (cpuMilliseconds(load.api) - apiBefore) / count;
  const databaseCpu = (cpuMilliseconds(load.database) - databaseBefore) / count;
  await pool.close();
  return {
    count,
    perSecond: count / seconds,
    p50: quantile(times, 0.5),
    p99: quantile(times, 0.99),
    apiCpu,
    databaseCpu,
  };
}

async function send(pool: Pool, headers: Load['headers'], request: LoadRequest): Promise<void> {
  const { method, path, body, expected } = request;
  const answer = await pool.request({ method, path, headers, ...(body === undefined ? {} : { body }) });
  if (answer.statusCode !== expected) {
    throw new Error(`${method} ${path}: ${answer.statusCode} ${await answer.body.text()}`);
  }
  for await (const _ of answer.body);
}
