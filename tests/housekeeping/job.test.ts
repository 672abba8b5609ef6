import { pino } from 'pino';
import type { Db } from '../../driver/db/connect';
import { startJobs } from '../../driver/housekeeping/job';
import { openTestDatabase } from '../support/database';
import { waitUntil } from '../support/wait';

const log = pino({ level: 'silent' });

describe('periodic jobs', () => {
  let db: Db;
  beforeEach(async () => {
    db = await openTestDatabase();
  });
  afterEach(() => db.destroy());

  const start = (owner: string, run: () => Promise<void>) =>
    startJobs([{ name: 'job', interval: 0.005, run }], { db, log, owner });

  it('are run again and again, also after one that broke', async () => {
    let runs = 0;
    const runner = start('a', async () => {
      runs += 1;
      if (runs === 1) throw new Error('no');
    });
    await waitUntil('it has run thrice', 2_000, () => runs >= 3);
    await runner.close();
    const after = runs;
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(runs).toBe(after);
  });

  it('are run by one process of all, and by another one as soon as that ends', async () => {
    const runs = { a: 0, b: 0 };
    const a = start('a', async () => {
      runs.a += 1;
    });
    await waitUntil('a runs', 2_000, () => runs.a > 0);
    const b = start('b', async () => {
      runs.b += 1;
    });
    const before = runs.a;
    await waitUntil('a goes on', 2_000, () => runs.a > before + 3);
    expect(runs.b).toBe(0);
    await a.close();
    await waitUntil('b takes over', 2_000, () => runs.b > 0);
    await b.close();
  });

  it('close when the run under way has ended', async () => {
    let ended = false;
    let started = false;
    const runner = start('a', async () => {
      started = true;
      await new Promise((resolve) => setTimeout(resolve, 20));
      ended = true;
    });
    await waitUntil('it runs', 2_000, () => started);
    await runner.close();
    expect(ended).toBe(true);
  });
});
