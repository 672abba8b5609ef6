import { pino } from 'pino';
import { Registry } from 'prom-client';
import { createMemoryBus } from '../../driver/bus/memory';
import { type Bus, PROVISIONING_TOPIC } from '../../driver/bus/port';
import { type Db, nowPlus } from '../../driver/db/connect';
import { startJobs } from '../../driver/housekeeping/job';
import { defineServiceMetrics } from '../../driver/housekeeping/metrics';
import { createLoops } from '../../driver/telemetry/loops';
import { describeOnDatabases } from '../support/database';
import { insertEngine, insertGroup, insertLoadBalancer } from '../support/rows';
import { waitUntil } from '../support/wait';

const log = pino({ level: 'silent' });

describeOnDatabases('the metrics of the service', (database) => {
  let db: Db;
  let bus: Bus;
  let registry: Registry;
  beforeEach(async () => {
    db = await database.open();
    bus = { ...createMemoryBus({ log }), depth: async (topic) => (topic === PROVISIONING_TOPIC ? 7 : undefined) };
    registry = new Registry();
  });
  afterEach(async () => {
    await bus.close();
    await db.destroy();
  });

  /** The value of a sample; undefined when there is none. */
  const scrape = async () => {
    const lines = (await registry.metrics()).split('\n').filter((line) => !line.startsWith('#'));
    const samples = new Map(
      lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]),
    );
    return (sample: string) => samples.get(`slipstream_${sample}`);
  };

  it('count load balancers and engines, and tell how long things have been waiting', async () => {
    await insertLoadBalancer(db, {});
    const pending = { provisioning_status: 'PENDING_UPDATE', generation: 2, settled_generation: 1 } as const;
    const first = await insertLoadBalancer(db, pending);
    const second = await insertLoadBalancer(db, pending);
    await insertLoadBalancer(db, { provisioning_status: 'DELETED' });
    await db('load_balancer')
      .where({ id: first.id })
      .update({ updated_at: nowPlus(db, -90) });
    await db('load_balancer')
      .where({ id: second.id })
      .update({ updated_at: nowPlus(db, -5) });
    const group = await insertGroup(db);
    await insertEngine(db, { service_engine_group_id: group.id });
    await insertEngine(db, { service_engine_group_id: group.id, status: 'DOWN', connected_to: null });
    const message = { topic: 't', method: 'm', args: '{}', load_balancer_id: null };
    await db('outbox').insert({ id: 'a', ...message, created_at: nowPlus(db, -30) });

    defineServiceMetrics(registry, { db, bus });
    const sample = await scrape();

    expect(sample('load_balancers{status="ACTIVE"}')).toBe(1);
    expect(sample('load_balancers{status="PENDING_UPDATE"}')).toBe(2);
    expect(sample('load_balancers{status="DELETED"}')).toBeUndefined();
    expect(sample('load_balancer_pending_age_seconds{status="PENDING_UPDATE"}')).toBeGreaterThanOrEqual(90);
    expect(sample('load_balancer_pending_age_seconds{status="PENDING_UPDATE"}')).toBeLessThan(120);
    expect(sample('load_balancer_pending_age_seconds{status="PENDING_CREATE"}')).toBe(0);
    expect(sample('unsettled{unit="load_balancer"}')).toBe(2);
    expect(sample('engines{status="DOWN"}')).toBe(1);
    expect(sample('engines_connected')).toBe(1);
    expect(sample('outbox_messages')).toBe(1);
    expect(sample('outbox_age_seconds')).toBeGreaterThanOrEqual(30);
    expect(sample(`bus_queue_messages{queue="${PROVISIONING_TOPIC}"}`)).toBe(7);
    expect(sample('bus_queue_messages{queue="slipstream_hints"}')).toBeUndefined();
  });

  it('tell leases that are held from those that were left', async () => {
    const held = await insertLoadBalancer(db, { lease_owner: 'worker-1' });
    const left = await insertLoadBalancer(db, { lease_owner: 'worker-2' });
    await insertLoadBalancer(db, {});
    await db('load_balancer')
      .where({ id: held.id })
      .update({ lease_until: nowPlus(db, 30) });
    await db('load_balancer')
      .where({ id: left.id })
      .update({ lease_until: nowPlus(db, -30) });

    defineServiceMetrics(registry, { db, bus });
    const sample = await scrape();

    expect(sample('leases{table="load_balancer",state="held"}')).toBe(1);
    expect(sample('leases{table="load_balancer",state="expired"}')).toBe(1);
    expect(sample('leases{table="job_lease",state="held"}')).toBe(0);
  });

  it('count the runs of jobs, and a job that only breaks makes the process ill', async () => {
    let now = 0;
    const loops = createLoops(() => now);
    const metrics = defineServiceMetrics(registry, { db, bus });
    const jobs = [
      { name: 'good', interval: 0.005, run: async () => undefined },
      { name: 'bad', interval: 0.005, run: () => Promise.reject(new Error('no such column')) },
    ];
    const runner = startJobs(jobs, { db, log, owner: 'a', loops, metrics });
    const count = async (sample: string) => (await scrape())(sample) ?? 0;

    await waitUntil('both have run', 5_000, async () => {
      const done = await count('job_runs_total{job="good",outcome="done"}');
      return done > 1 && (await count('job_runs_total{job="bad",outcome="broken"}')) > 1;
    });
    expect(loops.trouble()).toBeUndefined();
    now = 61_000;
    await waitUntil('the good one has come round', 5_000, () => !loops.trouble()?.includes('job good'));

    expect(loops.trouble()).toContain('job bad has not come to a good end for 61 s (no such column)');
    await runner.close();
    expect(loops.trouble()).toBeUndefined();
  });
});
