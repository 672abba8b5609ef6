import { performance } from 'node:perf_hooks';
import { type ApiClient, logIn } from '../support/apiClient';
import { startSite } from '../support/site';
import { printTable, quantile } from './figures';
import { compareWithOctavia } from './octavia';

/**
 * `npm run bench:api`: requests per second and latency of the embedded site (all controllers in one Node process, SQLite)
 * for list, show and create-to-ACTIVE, at concurrency 1 and 16; then the API process alone on MariaDB beside Debian's
 * octavia-api. Prints tables; asserts nothing. `npm run bench:api octavia` prints the comparison alone.
 */
const LOAD_BALANCERS = 100;
const READS = 2000;
const CREATES = 160;

interface Measured {
  readonly what: string;
  readonly concurrency: number;
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

async function measure(
  what: string,
  concurrency: number,
  count: number,
  run: (index: number) => Promise<void>,
): Promise<Measured> {
  const times: number[] = [];
  let next = 0;
  const from = performance.now();
  const lane = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) {
      const start = performance.now();
      await run(index);
      times.push(performance.now() - start);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
  const seconds = (performance.now() - from) / 1000;
  return { what, concurrency, perSecond: count / seconds, p50: quantile(times, 0.5), p99: quantile(times, 0.99) };
}

async function get(client: ApiClient, path: string): Promise<void> {
  const answer = await client.request('GET', path);
  if (answer.status !== 200) throw new Error(`GET ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
}

async function createToActive(client: ApiClient, name: string, listenerPort?: number): Promise<string> {
  const { id } = await client.create<{ id: string }>('/loadbalancers', 'loadbalancer', {
    name,
    vip_subnet_id: client.subnetId,
    ...(listenerPort === undefined ? {} : { listeners: [{ protocol: 'HTTP', protocol_port: listenerPort }] }),
  });
  const from = performance.now();
  for (;;) {
    const lb = await client.show(`/loadbalancers/${id}`, 'loadbalancer');
    if (lb['provisioning_status'] === 'ACTIVE') return id;
    if (lb['provisioning_status'] === 'ERROR' || performance.now() - from > 30_000) {
      throw new Error(`${id} is ${lb['provisioning_status']}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function measureSite(): Promise<void> {
  const site = await startSite({ vipCidr: '127.90.0.0/16' });
  try {
    const client = await logIn(site);
    const results: Measured[] = [];
    const ids: string[] = [];
    for (let i = 0; i < LOAD_BALANCERS; i += 1) ids.push(await createToActive(client, `seed-${i}`));
    for (const concurrency of [1, 16]) {
      results.push(await measure('list of 100', concurrency, READS / 4, () => get(client, '/loadbalancers?limit=100')));
      results.push(
        await measure('show', concurrency, READS, (i) => get(client, `/loadbalancers/${ids[i % ids.length]}`)),
      );
      results.push(
        await measure('create to ACTIVE, no listener', concurrency, CREATES, async (i) => {
          await createToActive(client, `bare-${concurrency}-${i}`);
        }),
      );
      results.push(
        await measure('create to ACTIVE, serving', concurrency, CREATES / 4, async (i) => {
          await createToActive(client, `served-${concurrency}-${i}`, 8080);
        }),
      );
    }
    printTable(
      ['what', 'concurrency', 'per second', 'p50 ms', 'p99 ms'],
      results.map((r) => [r.what, r.concurrency, r.perSecond.toFixed(1), r.p50.toFixed(1), r.p99.toFixed(1)]),
    );
  } finally {
    await site.dispose();
  }
}

async function main(): Promise<void> {
  if (process.argv[2] !== 'octavia') await measureSite();
  await compareWithOctavia();
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
