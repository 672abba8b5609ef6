import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { connectDatabase } from '../../driver/db/connect';
import { freePorts } from '../support/freePorts';
import type { ApiSide } from './apiSide';
import { insertTrees, RARE_TAG } from './bulkTrees';
import { median, option, printTable, quantile } from './figures';
import { type BenchDatabase, startBenchDatabase } from './mariadb';
import { cpuMilliseconds } from './processes';
import { startSlipstreamApi } from './slipstreamApi';

/**
 * `npm run bench:lists [-- --balancers 10000]`: pages of 1,000 of so many (2,000 at least) load balancers with children, through the API process on MariaDB, one
 * request at a time. Prints milliseconds a page; asserts nothing.
 */
const LOAD_BALANCERS = Number(option('balancers', '10000'));
const ROUNDS = 15;
const WARM_UP = 5;

const PROJECT = '5f3c7a52-2a4f-4c6e-9b8d-000000000001';

/** Pages by what they show; `marker` stands for one in the middle, or the last of the last thousand but one. */
const PAGES: Readonly<Record<string, string>> = {
  'first page': '?limit=1000',
  'middle page (marker)': '?limit=1000&marker=MIDDLE',
  'last page (marker)': '?limit=1000&marker=LAST',
  'last page, backwards': '?limit=1000&marker=LAST&page_reverse=True',
  'sorted by name': '?limit=1000&sort=name',
  'sorted by name, descending, with marker': '?limit=1000&sort=name:desc&marker=MIDDLE',
  'sorted by VIP address': '?limit=1000&sort=vip_address',
  'filtered: status (all)': '?limit=1000&operating_status=ONLINE',
  'filtered: status (none)': '?limit=1000&operating_status=ERROR',
  'filtered: name': '?limit=1000&name=lb-00042',
  'filtered: project (100)': `?limit=1000&project_id=${PROJECT}`,
  'tag that all have': '?limit=1000&tags=common',
  'tag that a tenth has': `?limit=1000&tags=${RARE_TAG}`,
  'without that tag': `?limit=1000&not-tags=${RARE_TAG}`,
  'fields=id&fields=name': '?limit=1000&fields=id&fields=name',
  'children: 1,000 listeners': 'listeners?limit=1000',
  'children: 1,000 pools': 'pools?limit=1000',
};

interface Timed {
  readonly what: string;
  readonly items: number;
  readonly kilobytes: number;
  readonly times: readonly number[];
  /** Milliseconds of CPU a page. */
  readonly apiCpu: number;
  readonly databaseCpu: number;
}

type List = Readonly<Record<string, readonly { readonly id: string }[]>>;

async function fetchPage(url: string): Promise<{ text: string; ids: string[] }> {
  const answer = await fetch(url);
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`${url}: ${answer.status} ${text}`);
  const [items = []] = Object.values(JSON.parse(text) as List);
  return { text, ids: items.map(({ id }) => id) };
}

/** Ids at whose end a page begins, found by walking all pages; checks that none is missing. */
async function walk(base: string): Promise<{ middle: string; last: string }> {
  const lastIds: string[] = [];
  let count = 0;
  for (let marker = ''; ; marker = `&marker=${lastIds.at(-1)}`) {
    const { ids } = await fetchPage(`${base}?limit=1000&fields=id${marker}`);
    const end = ids.at(-1);
    if (end === undefined) break;
    count += ids.length;
    lastIds.push(end);
  }
  if (count !== LOAD_BALANCERS) throw new Error(`the pages hold ${count} load balancers`);
  return { middle: lastIds[Math.floor((lastIds.length - 1) / 2)] ?? '', last: lastIds.at(-2) ?? '' };
}

async function timePage(what: string, url: string, [api, database]: [ApiSide, BenchDatabase]): Promise<Timed> {
  for (let round = 0; round < WARM_UP; round += 1) await fetchPage(url);
  const times: number[] = [];
  let page = await fetchPage(url);
  const cpu = () => [cpuMilliseconds(api.pids()), cpuMilliseconds([database.daemon.pid])] as const;
  const before = cpu();
  for (let round = 0; round < ROUNDS; round += 1) {
    const from = performance.now();
    page = await fetchPage(url);
    times.push(performance.now() - from);
  }
  const after = cpu();
  return {
    what,
    items: page.ids.length,
    kilobytes: page.text.length / 1024,
    times,
    apiCpu: (after[0] - before[0]) / ROUNDS,
    databaseCpu: (after[1] - before[1]) / ROUNDS,
  };
}

function print(results: readonly Timed[]): void {
  printTable(
    ['page', 'items', 'KB', 'median ms', 'best', 'p90', 'CPU ms (API+DB)'],
    results.map(({ what, items, kilobytes, times, apiCpu, databaseCpu }) => [
      what,
      items,
      kilobytes.toFixed(0),
      median(times).toFixed(1),
      Math.min(...times).toFixed(1),
      quantile(times, 0.9).toFixed(1),
      `${(apiCpu + databaseCpu).toFixed(1)} (${apiCpu.toFixed(1)}+${databaseCpu.toFixed(1)})`,
    ]),
  );
}

async function fill(connection: string): Promise<void> {
  const db = await connectDatabase(connection, { maxPoolSize: 1 });
  const from = performance.now();
  await insertTrees(db, LOAD_BALANCERS);
  for (const table of ['load_balancer', 'vip', 'pool', 'listener', 'member', 'health_monitor', 'tags']) {
    await db.raw(`analyze table ${table}`);
  }
  await db.destroy();
  console.log(`${LOAD_BALANCERS} load balancers filled in, ${((performance.now() - from) / 1000).toFixed(0)} s`);
}

async function main(): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'ss-bench-'));
  const opened: (() => Promise<void>)[] = [];
  try {
    const database = await startBenchDatabase(folder);
    opened.push(() => database.daemon.stop());
    const [port = 0] = await freePorts(1);
    const api = await startSlipstreamApi(folder, database, port);
    opened.push(() => api.stop());
    await fill(api.connection);
    const base = `${api.url}/v2/lbaas`;
    const { middle, last } = await walk(`${base}/loadbalancers`);
    const results: Timed[] = [];
    for (const [what, query] of Object.entries(PAGES)) {
      const target = query.startsWith('?') ? `loadbalancers${query}` : query;
      const url = `${base}/${target.replace('MIDDLE', middle).replace('LAST', last)}`;
      results.push(await timePage(what, url, [api, database]));
    }
    print(results);
  } finally {
    for (const close of opened.reverse()) await close();
    rmSync(folder, { recursive: true, force: true });
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
