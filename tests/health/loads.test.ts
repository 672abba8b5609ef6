import pino from 'pino';
import type { Db } from '../../driver/db/connect';
import { listLoads } from '../../driver/db/engineLoads';
import { createLoadWriter } from '../../driver/health/loads';
import { openTestDatabase } from '../support/database';
import { addEngine, addGroup } from '../support/fleetRows';

let db: Db;
let group: string;
let now: number;
const log = pino({ level: 'silent' });
const load = (cpuPercent: number, more = {}) => ({ cpuPercent, memoryPercent: 10, connections: 5, ...more });

beforeEach(async () => {
  now = 0;
  db = await openTestDatabase();
  group = await addGroup(db);
});
afterEach(() => db.destroy());

const writer = () => createLoadWriter({ db, log, now: () => now, window: 60_000 });

it('averages what engines tell, and writes a group of them at once', async () => {
  const engines = [(await addEngine(db, group)).id, (await addEngine(db, group)).id];
  const loads = writer();
  for (now = 0; now <= 120_000; now += 1_000) {
    for (const id of engines) loads.take(id, load(now < 60_000 ? 20 : 80, { bytesPerSecond: 1_000 }));
  }
  let statements = 0;
  db.on('query', ({ sql }: { sql: string }) => {
    if (/^insert into .?engine_load/.test(sql)) statements += 1;
  });

  await loads.flush();

  const seen = await listLoads(db, group, 60);
  expect([seen.size, statements]).toEqual([2, 1]);
  const cpu = seen.get(engines[0] ?? '')?.cpuPercent ?? 0;
  expect(cpu).toBeGreaterThan(50);
  expect(cpu).toBeLessThan(70);
  expect(seen.get(engines[0] ?? '')).toMatchObject({ bytesPerSecond: 1_000, packetsPerSecond: null });
});

it('writes what has changed soon, what has not seldom, and nothing of an engine that is gone', async () => {
  const [steady = '', rising = ''] = [(await addEngine(db, group)).id, (await addEngine(db, group)).id];
  const loads = writer();
  const written: string[] = [];
  db.on('query', ({ sql, bindings }: { sql: string; bindings: unknown[] }) => {
    if (/^insert into .?engine_load/.test(sql)) written.push(...bindings.map(String));
  });
  for (now = 0; now < 60_000; now += 1_000) {
    loads.take(steady, load(30));
    loads.take(rising, load(now / 1_000));
    loads.take('gone', load(50));
    await loads.flush();
  }
  expect(written.filter((it) => it === steady)).toHaveLength(1);
  expect(written.filter((it) => it === rising).length).toBeGreaterThanOrEqual(3);
  expect(written).not.toContain('gone');
});

it('does not go on telling of an engine that is not heard of any more', async () => {
  const { id } = await addEngine(db, group);
  const loads = writer();
  loads.take(id, load(90));
  now = 600_000;
  await loads.flush();

  expect((await listLoads(db, group, 60)).size).toBe(0);
});
