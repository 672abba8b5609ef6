import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { type Bus, HINTS_TOPIC, PROVISIONING_TOPIC } from '../bus/port';
import type { Db } from '../db/connect';
import { readGauges, type ServiceGauges } from '../db/read/gauges';

/** Milliseconds that one reading of the database serves: a scrape asks for every metric by itself. */
const READING_LIVES = 1_000;

export interface JobMetrics {
  /** A run of a periodic job has ended. */
  ran(job: string, seconds: number, outcome: 'done' | 'broken'): void;
}

/**
 * Defines what the whole service is like, as rows and broker have it: the same in every housekeeping process, so that
 * one is enough to watch it and the loss of any is no loss. While the database is away they keep their last values.
 */
export function defineServiceMetrics(registry: Registry, { db, bus }: { db: Db; bus: Bus }): JobMetrics {
  const read = rememberReading(() => readGauges(db));
  const labelled = (gauge: { name: string; help: string; label: string }, of: (all: ServiceGauges) => Values): void => {
    defineGauge(registry, gauge, async () => of(await read()));
  };
  labelled({ ...GAUGES.loadBalancers, label: 'status' }, ({ loadBalancers }) => loadBalancers);
  labelled({ ...GAUGES.oldestPending, label: 'status' }, ({ oldestPending }) => oldestPending);
  labelled({ ...GAUGES.unsettled, label: 'unit' }, ({ unsettled }) => unsettled);
  labelled({ ...GAUGES.engines, label: 'status' }, ({ engines }) => engines);
  defineGauge(registry, GAUGES.connected, async () => ({ '': (await read()).enginesConnected }));
  defineGauge(registry, GAUGES.outbox, async () => ({ '': (await read()).outbox.messages }));
  defineGauge(registry, GAUGES.outboxAge, async () => ({ '': (await read()).outbox.oldest }));
  defineLeases(registry, read);
  defineGauge(registry, { ...GAUGES.queue, label: 'queue' }, () => depthsOf(bus));
  return defineJobMetrics(registry);
}

const GAUGES = {
  loadBalancers: { name: 'slipstream_load_balancers', help: 'Load balancers by provisioning status.' },
  oldestPending: {
    name: 'slipstream_load_balancer_pending_age_seconds',
    help: 'How long the load balancer that is pending longest has been so, by status.',
  },
  unsettled: {
    name: 'slipstream_unsettled',
    help: 'Load balancers and engines whose wanted state is not in force yet.',
  },
  engines: { name: 'slipstream_engines', help: 'Service Engines by status.' },
  connected: {
    name: 'slipstream_engines_connected',
    help: 'Service Engines that are connected to any health-manager.',
  },
  outbox: { name: 'slipstream_outbox_messages', help: 'Messages that were committed and are not sent yet.' },
  outboxAge: { name: 'slipstream_outbox_age_seconds', help: 'Age of the oldest of them.' },
  queue: { name: 'slipstream_bus_queue_messages', help: 'Messages that wait at the broker, by queue.' },
};

type Values = Readonly<Record<string, number>>;

function defineGauge(
  registry: Registry,
  { name, help, label }: { name: string; help: string; label?: string },
  read: () => Promise<Values>,
): void {
  new Gauge({
    name,
    help,
    labelNames: label === undefined ? [] : [label],
    registers: [registry],
    async collect() {
      const values = await read().catch(() => undefined);
      if (!values) return;
      this.reset();
      for (const [value, count] of Object.entries(values)) {
        if (label === undefined) this.set(count);
        else this.set({ [label]: value }, count);
      }
    },
  });
}

function defineLeases(registry: Registry, read: () => Promise<ServiceGauges>): void {
  new Gauge({
    name: 'slipstream_leases',
    help: 'Leases by table: held, or expired because their holder did not come back.',
    labelNames: ['table', 'state'],
    registers: [registry],
    async collect() {
      const all = await read().catch(() => undefined);
      for (const { table, state, count } of all?.leases ?? []) this.set({ table, state }, count);
    },
  });
}

function defineJobMetrics(registry: Registry): JobMetrics {
  const registers = [registry];
  const runs = new Counter({
    name: 'slipstream_job_runs_total',
    help: 'Runs of periodic jobs in this process by outcome; `broken` had to be broken off.',
    labelNames: ['job', 'outcome'],
    registers,
  });
  const seconds = new Histogram({
    name: 'slipstream_job_run_seconds',
    help: 'How long runs of periodic jobs took.',
    labelNames: ['job'],
    buckets: [0.005, 0.025, 0.1, 0.5, 2.5, 10, 60],
    registers,
  });
  return {
    ran(job, took, outcome) {
      runs.inc({ job, outcome });
      seconds.observe({ job }, took);
    },
  };
}

async function depthsOf(bus: Bus): Promise<Values> {
  const topics = [PROVISIONING_TOPIC, HINTS_TOPIC];
  const depths = await Promise.all(topics.map(async (topic) => [topic, await bus.depth(topic)] as const));
  return Object.fromEntries(depths.filter(([, depth]) => depth !== undefined)) as Values;
}

function rememberReading<T>(read: () => Promise<T>): () => Promise<T> {
  let reading: Promise<T> | undefined;
  let at = Number.NEGATIVE_INFINITY;
  return () => {
    if (reading === undefined || performance.now() - at > READING_LIVES) {
      at = performance.now();
      reading = read();
    }
    return reading;
  };
}
