import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitUntil } from '../support/wait';
import { type Drill, openDrill } from './drill';

jest.setTimeout(300_000);

/** Processes whose clock jumps: leases, deadlines and the outbox go by the database's clock, which does not. */
describe('trouble with the clock', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'ss-clock-'));
  const offset = path.join(folder, 'offset');
  const setClock = (text: string): void => writeFileSync(offset, `${text}\n`);
  let drill: Drill;
  beforeAll(async () => {
    const library = process.env['SLIPSTREAM_FAKETIME'];
    if (!library) throw new Error('libfaketime is missing: run `npm run test:chaos`, which installs it');
    setClock('+0');
    const env = {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: offset,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    };
    drill = await openDrill({ api: 1, housekeeping: 1 }, { env });
  }, 180_000);
  afterAll(async () => {
    await drill?.site.dispose();
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  it.each(['+2h', '-3h', '+20d'])('goes on when the clock of every process jumps to %s', async (jump) => {
    const writing = drill.write(`clock${jump}`, 40, { pace: 50 });
    await sleep(1_000);
    setClock(jump);
    await drill.site.broker.kill();
    const tally = await writing;
    await drill.site.broker.start();

    expect(tally.statuses).toEqual({ 201: 40 });
    await drill.judge(`the clock jumps to ${jump}`, [tally]);
    await waitUntil('the outbox is empty', 30_000, async () => (await drill.site.db('outbox')).length === 0);
    const errors: unknown[] = await drill.site.db('load_balancer').where({ provisioning_status: 'ERROR' });
    expect(errors).toEqual([]);
  });
});
