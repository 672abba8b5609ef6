import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitUntil } from '../support/wait';
import { type Drill, FULL, openDrill } from './drill';
import type { Actor } from './site';

jest.setTimeout(600_000);

/** Points of a reconcile at which workers meet their end, so many at a time. */
const POINTS = Array.from({ length: 48 }, (_, index) => index + 1).filter((point) => FULL || point % 4 === 1);
const AT_A_TIME = 6;

function batches<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, index * size + size),
  );
}

describe('trouble with workers', () => {
  let drill: Drill;
  beforeAll(async () => {
    drill = await openDrill({ worker: 1, api: 1, housekeeping: 1, 'health-manager': 1 }, { leaseTime: 3 });
  }, 180_000);
  afterAll(() => drill?.site.dispose(), 60_000);

  const hasStopped = ({ daemon }: Actor): boolean => daemon.hasEnded() || stateOf(daemon.pid) === 'T';

  it('finishes what workers left that were killed at each point of their work', async () => {
    let before = await drill.write('first', 12);
    await drill.judge('workers are well', [before]);
    for (const points of batches(POINTS, AT_A_TIME)) {
      await drill.killAll('worker');
      const doomed = await Promise.all(points.map((point) => drill.site.start('worker', { point, signal: 'SIGKILL' })));
      for (const actor of doomed) actor.arm();
      const [tally, removed] = await Promise.all([
        drill.write(`killed-${points[0]}`, 4 * points.length),
        drill.remove(before),
      ]);
      expect(removed.statuses).toEqual({ 204: before.accepted.length });
      await waitUntil('all of them are dead', 20_000, () => doomed.every((it) => it.daemon.hasEnded()));
      await drill.site.start('worker');
      await drill.judge(`workers killed at points ${points.join(', ')}`, [tally], { removed });
      before = tally;
    }
  });

  it('lets a worker that was stopped past its lease change nothing', async () => {
    for (const points of batches(POINTS, AT_A_TIME)) {
      await drill.killAll('worker');
      const stopped = await Promise.all(
        points.map((point) => drill.site.start('worker', { point, signal: 'SIGSTOP' })),
      );
      for (const actor of stopped) actor.arm();
      const tally = await drill.write(`stopped-${points[0]}`, 4 * points.length);
      await waitUntil('all of them stand still', 20_000, () => stopped.every(hasStopped));
      // Statements that a stopped worker has begun hold locks until its connections are cut: what follows is that it is
      // seen to be gone, as after a host has died.
      await drill.site.start('worker');
      await drill.judge(`workers stopped at points ${points.join(', ')}`, [tally], { within: 180_000 });

      const before = await snapshot(drill);
      for (const actor of stopped) actor.resume();
      await sleep(3_000);
      expect(await snapshot(drill)).toEqual(before);
      await drill.judge(`workers awake again after points ${points.join(', ')}`, []);
    }
  });

  it('carries out all that came while no worker was there', async () => {
    await drill.killAll('worker');
    const [tally] = await Promise.all([drill.write('nobody', 60), sleep(FULL ? 60_000 : 8_000)]);
    expect(tally.statuses).toEqual({ 201: 60 });
    await Promise.all([drill.site.start('worker'), drill.site.start('worker')]);
    await drill.judge('no worker at all', [tally]);
  });

  it('hands back what workers had in hand that are asked to end', async () => {
    const writing = drill.write('drained', 80, { pace: 25 });
    for (let turn = 0; turn < 3; turn += 1) {
      const [oldest] = drill.site.actors('worker');
      await drill.site.start('worker');
      const from = performance.now();
      await oldest?.stop();
      expect(performance.now() - from).toBeLessThan(20_000);
    }
    await drill.judge('workers replaced one by one', [await writing]);
  });

  it('loses nothing when health-managers and housekeeping die and others come', async () => {
    const writing = drill.write('others', 60, { pace: 50 });
    await drill.killAll('health-manager');
    await drill.killAll('housekeeping');
    await Promise.all([drill.site.start('health-manager'), drill.site.start('housekeeping')]);
    const tally = await writing;
    expect(tally.statuses).toEqual({ 201: 60 });
    await drill.judge('health-manager and housekeeping killed', [tally]);
  });
});

/** Process state as /proc shows it; T is stopped. */
function stateOf(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
}

/** What workers write, less who may write next. */
async function snapshot({ site: { db } }: Drill): Promise<unknown> {
  return {
    trees: await db('load_balancer')
      .select('id', 'provisioning_status', 'generation', 'settled_generation')
      .orderBy('id'),
    listeners: await db('listener').select('id', 'provisioning_status').orderBy('id'),
    pools: await db('pool').select('id', 'provisioning_status').orderBy('id'),
    members: await db('member').select('id', 'provisioning_status').orderBy('id'),
    placements: await db('placement')
      .select('id', 'deleting', 'wanted_generation', 'confirmed_generation')
      .orderBy('id'),
  };
}
