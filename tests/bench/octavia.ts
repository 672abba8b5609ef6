import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connectDatabase } from '../../driver/db/connect';
import { freePorts } from '../support/freePorts';
import type { ApiSide } from './apiSide';
import { median, printTable } from './figures';
import { type LoadRequest, type LoadResult, runLoad } from './load';
import { type BenchDatabase, startBenchDatabase } from './mariadb';
import { missingOctaviaPackages, startOctaviaApi } from './octaviaApi';
import { startSlipstreamApi } from './slipstreamApi';

/**
 * Compares with Debian's octavia-api: one process each, both on the same MariaDB, the same load balancers, alternating
 * rounds. What counts is the CPU time of API and database together, and requests per second.
 */
const LOAD_BALANCERS = 100;
/** Some thousand requests of each kind, until V8 has compiled what they run through; Python gains nothing by it. */
const WARM_UP = { concurrency: 16, ourSeconds: 4, theirSeconds: 0.5 };
const ROUNDS = 3;
const ROUND_SECONDS = 1.5;
const CONCURRENCIES = [1, 16];

const PROJECT = '5f3c7a52-2a4f-4c6e-9b8d-4f7a1c2d3e4f';
const SUBNET = '0b6d4d0e-7f43-4d8e-9a53-1c2b3a4d5e6f';
const HEADERS = { 'x-project-id': PROJECT, accept: 'application/json', 'content-type': 'application/json' };

interface Scenario {
  readonly what: string;
  request(index: number, ids: readonly string[]): LoadRequest;
}

const get = (path: string): LoadRequest => ({ method: 'GET', path, expected: 200 });
const nth = (ids: readonly string[], index: number): string => ids[index % ids.length] ?? '';

/** Creates come last: they make the list longer. */
const SCENARIOS: readonly Scenario[] = [
  { what: 'list of 100', request: () => get('/v2/lbaas/loadbalancers') },
  { what: 'show', request: (index, ids) => get(`/v2/lbaas/loadbalancers/${nth(ids, index)}`) },
  { what: 'status tree', request: (index, ids) => get(`/v2/lbaas/loadbalancers/${nth(ids, index)}/status`) },
  { what: 'create', request: (index) => createRequest({ name: `bench-${index}` }) },
];

function createRequest(fields: Readonly<Record<string, unknown>>): LoadRequest {
  const loadbalancer = { vip_subnet_id: SUBNET, project_id: PROJECT, ...fields };
  return { method: 'POST', path: '/v2/lbaas/loadbalancers', body: JSON.stringify({ loadbalancer }), expected: 201 };
}

/** A listener, a pool, two members and a monitor below each. */
function treeOf(index: number): Readonly<Record<string, unknown>> {
  const member = (host: number) => ({ address: `10.0.${index % 256}.${host}`, protocol_port: 8080 });
  const healthmonitor = { type: 'HTTP', delay: 5, timeout: 3, max_retries: 3 };
  const pool = {
    name: 'pool',
    protocol: 'HTTP',
    lb_algorithm: 'ROUND_ROBIN',
    members: [member(1), member(2)],
    healthmonitor,
  };
  return {
    name: `web-${index}`,
    listeners: [{ name: 'http', protocol: 'HTTP', protocol_port: 80, default_pool: pool }],
  };
}

/** The same load balancers on each side, made through its API and settled in its database; gives their ids. */
async function fill(side: ApiSide): Promise<string[]> {
  const ids: string[] = [];
  for (let index = 0; index < LOAD_BALANCERS; index += 1) {
    const { path: target, body } = createRequest(treeOf(index));
    const answer = await fetch(`${side.url}${target}`, { method: 'POST', headers: HEADERS, ...(body ? { body } : {}) });
    const text = await answer.text();
    if (answer.status !== 201) throw new Error(`${side.name}: ${answer.status} ${text}`);
    ids.push((JSON.parse(text) as { loadbalancer: { id: string } }).loadbalancer.id);
  }
  const db = await connectDatabase(side.connection, { maxPoolSize: 1 });
  for (const table of ['load_balancer', 'listener', 'pool', 'member', 'health_monitor']) {
    await db.raw(`update ${table} set provisioning_status = 'ACTIVE', operating_status = 'ONLINE'`);
    await db.raw(`analyze table ${table}`);
  }
  await db.destroy();
  return ids;
}

interface Contestant {
  readonly side: ApiSide;
  readonly ids: readonly string[];
}

function measure(
  { side, ids }: Contestant,
  scenario: Scenario,
  { database, concurrency, seconds }: { database: BenchDatabase; concurrency: number; seconds: number },
): Promise<LoadResult> {
  return runLoad({
    url: side.url,
    concurrency,
    seconds,
    api: side.pids(),
    database: [database.daemon.pid],
    headers: HEADERS,
    request: (index) => scenario.request(index, ids),
  });
}

/** The middle of the rounds, figure by figure. */
function summarize(rounds: readonly LoadResult[]): LoadResult {
  const middle = (pick: (result: LoadResult) => number): number => median(rounds.map(pick));
  return {
    count: rounds.reduce((sum, { count }) => sum + count, 0),
    perSecond: middle(({ perSecond }) => perSecond),
    p50: middle(({ p50 }) => p50),
    p99: middle(({ p99 }) => p99),
    apiCpu: middle(({ apiCpu }) => apiCpu),
    databaseCpu: middle(({ databaseCpu }) => databaseCpu),
  };
}

type Row = readonly [what: string, concurrency: number, ours: LoadResult, theirs: LoadResult];

async function compare(database: BenchDatabase, ours: Contestant, theirs: Contestant): Promise<Row[]> {
  const rows: Row[] = [];
  const { concurrency, ourSeconds, theirSeconds } = WARM_UP;
  for (const scenario of SCENARIOS) {
    await measure(ours, scenario, { database, concurrency, seconds: ourSeconds });
    await measure(theirs, scenario, { database, concurrency, seconds: theirSeconds });
    for (const concurrency of CONCURRENCIES) {
      const rounds: { ours: LoadResult[]; theirs: LoadResult[] } = { ours: [], theirs: [] };
      for (let round = 0; round < ROUNDS; round += 1) {
        const settings = { database, concurrency, seconds: ROUND_SECONDS };
        rounds.theirs.push(await measure(theirs, scenario, settings));
        rounds.ours.push(await measure(ours, scenario, settings));
      }
      rows.push([scenario.what, concurrency, summarize(rounds.ours), summarize(rounds.theirs)]);
    }
  }
  return rows;
}

const HEADINGS = ['what', 'conc.', 'CPU ms (API+DB)', 'octavia', 'ratio', 'per second', 'octavia', 'ratio'];
const LATENCIES = ['p50 ms', 'octavia', 'p99 ms', 'octavia'];

function print(rows: readonly Row[]): void {
  const cpu = ({ apiCpu, databaseCpu }: LoadResult): number => apiCpu + databaseCpu;
  const parts = ({ apiCpu, databaseCpu }: LoadResult): string => `(${apiCpu.toFixed(2)}+${databaseCpu.toFixed(2)})`;
  const ratio = (number: number): string => `${number.toFixed(1)}x`;
  printTable(
    [...HEADINGS, ...LATENCIES],
    rows.map(([what, concurrency, ours, theirs]) => [
      what,
      concurrency,
      `${cpu(ours).toFixed(2)} ${parts(ours)}`,
      `${cpu(theirs).toFixed(1)} ${parts(theirs)}`,
      ratio(cpu(theirs) / cpu(ours)),
      ours.perSecond.toFixed(0),
      theirs.perSecond.toFixed(1),
      ratio(ours.perSecond / theirs.perSecond),
      ours.p50.toFixed(1),
      theirs.p50.toFixed(1),
      ours.p99.toFixed(1),
      theirs.p99.toFixed(1),
    ]),
  );
}

/** Prints the comparison, or what to install for it. */
export async function compareWithOctavia(): Promise<void> {
  const missing = missingOctaviaPackages();
  if (missing.length > 0) {
    console.log(`No comparison with octavia-api: apt-get install --no-install-recommends ${missing.join(' ')}`);
    return;
  }
  const folder = mkdtempSync(path.join(tmpdir(), 'ss-bench-'));
  const opened: (() => Promise<void>)[] = [];
  try {
    const database = await startBenchDatabase(folder);
    opened.push(() => database.daemon.stop());
    const [ourPort = 0, theirPort = 0] = await freePorts(2);
    const ours = await startSlipstreamApi(folder, database, ourPort);
    opened.push(() => ours.stop());
    const theirs = await startOctaviaApi(folder, database, theirPort);
    opened.push(() => theirs.stop());
    const contestants = [ours, theirs].map(async (side) => ({ side, ids: await fill(side) }));
    const [one, other] = await Promise.all(contestants);
    if (one && other) print(await compare(database, one, other));
  } finally {
    for (const close of opened.reverse()) await close();
    rmSync(folder, { recursive: true, force: true });
  }
}
