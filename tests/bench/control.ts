import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePorts } from '../support/freePorts';
import { startRabbitMq } from '../support/rabbitmq';
import { type ControlSide, startOctaviaControl, startSlipstreamControl } from './controlSides';
import { type CreateResult, createToActive } from './createToActive';
import { printTable } from './figures';
import { startBenchDatabase } from './mariadb';
import { missingOctaviaPackages } from './octaviaApi';

/**
 * `npm run bench:control`: from the request that creates a load balancer to ACTIVE in the database, through MariaDB (durable
 * commits) and RabbitMQ, on no-op drivers: ours, and Debian's octavia-api and octavia-worker on the same servers. Then how
 * ours grows with its workers. The database is looked at every 5 ms by the bench itself: asking the APIs would load them.
 */
const SIZES = [
  { concurrency: 1, ours: 100, theirs: 8 },
  { concurrency: 16, ours: 1000, theirs: 48 },
];
const WORKERS = [1, 2, 4];
const SPREAD = 1000;

async function main(): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'ss-bench-'));
  const opened: (() => Promise<unknown>)[] = [];
  try {
    const database = await startBenchDatabase(folder);
    opened.push(() => database.daemon.stop());
    const broker = await startRabbitMq({ virtualHosts: ['octavia'] });
    opened.push(() => broker.stop());
    const ports = await freePorts(12);
    const ours = await startSlipstreamControl({ folder, database, ports, transportUrl: broker.url() });
    opened.push(() => ours.stop());
    await createToActive(ours, { concurrency: 16, count: 400, prefix: 'warm' });
    const results: Row[] = [];
    for (const { concurrency, ours: count } of SIZES) {
      results.push({
        concurrency,
        ours: await createToActive(ours, { concurrency, count, prefix: `c${concurrency}` }),
      });
    }
    const scaling = await measureScaling(ours);
    const memory = ours.memory();
    await ours.stop();
    const missing = missingOctaviaPackages();
    if (missing.length === 0) {
      // Its oslo.messaging takes no password that needs escaping.
      const url = `rabbit://guest:guest@127.0.0.1:${broker.port}/octavia`;
      const theirs = await startOctaviaControl({ folder, database, ports, transportUrl: url });
      opened.push(() => theirs.stop());
      await createToActive(theirs, { concurrency: 2, count: 2, prefix: 'warm' });
      for (const [index, { concurrency, theirs: count }] of SIZES.entries()) {
        const row = results[index];
        if (row) row.theirs = await createToActive(theirs, { concurrency, count, prefix: `c${concurrency}` });
      }
      memory.push(...theirs.memory());
    } else {
      console.log(`No comparison with Octavia: apt-get install --no-install-recommends ${missing.join(' ')}`);
    }
    print(results, scaling, memory);
  } finally {
    for (const close of opened.reverse()) await close();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Row {
  readonly concurrency: number;
  readonly ours: CreateResult;
  theirs?: CreateResult;
}

interface Scaled {
  readonly workers: number;
  readonly result: CreateResult;
}

/** All are created at once, so that the workers have their hands full. */
async function measureScaling(ours: ControlSide): Promise<Scaled[]> {
  const scaled: Scaled[] = [];
  for (const workers of WORKERS) {
    await ours.setWorkers(workers);
    const result = await createToActive(ours, { concurrency: 64, count: SPREAD, prefix: `w${workers}` });
    scaled.push({ workers, result });
  }
  return scaled;
}

function print(rows: readonly Row[], scaling: readonly Scaled[], memory: readonly (readonly [string, number])[]): void {
  const ms = (number: number | undefined): string => (number === undefined ? '-' : number.toFixed(0));
  const ratio = (a?: number, b?: number): string =>
    a === undefined || b === undefined ? '-' : `${(a / b).toFixed(1)}x`;
  console.log('\nCreate to ACTIVE, through MariaDB and RabbitMQ, no-op drivers');
  printTable(
    ['conc.', 'p50 ms', 'octavia', 'p95 ms', 'octavia', 'ratio', 'per second', 'octavia', 'ratio'],
    rows.map(({ concurrency, ours, theirs }) => [
      concurrency,
      ms(ours.p50),
      ms(theirs?.p50),
      ms(ours.p95),
      ms(theirs?.p95),
      ratio(theirs?.p95, ours.p95),
      ours.perSecond.toFixed(1),
      theirs?.perSecond.toFixed(2) ?? '-',
      ratio(ours.perSecond, theirs?.perSecond),
    ]),
  );
  console.log(`\n${SPREAD} independent load balancers, 64 requests at a time`);
  printTable(
    ['workers', 'per second', 'p95 ms'],
    scaling.map(({ workers, result }) => [workers, result.perSecond.toFixed(1), ms(result.p95)]),
  );
  console.log('\nMemory (resident, MB)');
  printTable(
    ['process', 'MB'],
    memory.map(([name, megabytes]) => [name, megabytes.toFixed(0)]),
  );
}

void main();
