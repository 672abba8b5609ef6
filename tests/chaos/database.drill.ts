import { setTimeout as sleep } from 'node:timers/promises';
import { type Drill, openDrill } from './drill';

jest.setTimeout(300_000);

describe('trouble with the database', () => {
  let drill: Drill;
  beforeAll(async () => {
    const config = '[database]\nmax_pool_size = 3\npool_timeout = 2';
    drill = await openDrill({}, { config });
  }, 180_000);
  afterAll(() => drill?.site.dispose(), 60_000);

  it('answers 503 or does the whole of it while the database is killed and started again', async () => {
    const before = await drill.write('before', 40);
    await drill.judge('the database is well', [before]);
    const writing = drill.write('restart', 150, { pace: 60 });
    const removing = drill.remove(before);
    for (let turn = 0; turn < 2; turn += 1) {
      await sleep(1_500);
      await drill.site.database.kill();
      await sleep(1_000);
      await drill.site.database.start();
    }
    const [tally, removed] = await Promise.all([writing, removing]);
    expect(Object.keys(tally.statuses).filter((status) => !['201', '503'].includes(status))).toEqual([]);
    expect(tally.statuses[201]).toBeGreaterThan(0);
    expect(Object.keys(removed.statuses).filter((status) => !['204', '503'].includes(status))).toEqual([]);
    await drill.judge('the database restarts', [tally], { removed });
    const after = await drill.write('after', 10);
    expect(after.statuses).toEqual({ 201: 10 });
    await drill.judge('after the database', [after]);
  });

  it('answers 503 or does the whole of it when there are far more writes than connections', async () => {
    const tally = await drill.write('crowd', 150, { concurrency: 150 });
    expect(Object.keys(tally.statuses).filter((status) => !['201', '503'].includes(status))).toEqual([]);
    expect(tally.statuses[201]).toBeGreaterThan(0);
    await drill.judge('more writes than connections', [tally]);
  });
});
