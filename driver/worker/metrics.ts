import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Outcome } from '../reconcile/outcome';
import type { Loops } from '../telemetry/loops';
import type { CallObserver } from './guardDriver';
import type { UnitKind } from './units';

/** What a worker tells of its runs. */
export interface WorkerMetrics {
  /** Runs the work and counts how it ended and how long it took. */
  measure(unit: UnitKind, work: () => Promise<Outcome>): Promise<Outcome>;
  /** A call to a cloud has ended. */
  called: CallObserver;
}

/** Bounds in seconds: a run without cloud calls takes milliseconds, one with many some seconds. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Seconds after which a run is stuck: none of its steps may take as long. */
const STUCK_SECONDS = 600;

/**
 * `queueSize` is asked whenever metrics are read.
 * @param loops told of every run: one that is stuck makes the process ill
 */
export function createWorkerMetrics(registry: Registry, queueSize: () => number, loops?: Loops): WorkerMetrics {
  const registers = [registry];
  const runs = new Counter({
    name: 'slipstream_worker_runs_total',
    help: 'Runs of units of reconciliation by outcome; `broken` had to be broken off.',
    labelNames: ['unit', 'outcome'],
    registers,
  });
  const seconds = new Histogram({
    name: 'slipstream_worker_run_seconds',
    help: 'How long runs took.',
    labelNames: ['unit'],
    buckets: BUCKETS,
    registers,
  });
  const calls = new Histogram({
    name: 'slipstream_cloud_call_seconds',
    help: 'How long calls to clouds took, by what came of them; `held` ones were not made, because the cloud does not answer.',
    labelNames: ['cloud', 'call', 'outcome'],
    buckets: BUCKETS,
    registers,
  });
  new Gauge({
    name: 'slipstream_worker_queue_units',
    help: 'Units that wait for a run or run.',
    registers,
    collect() {
      this.set(queueSize());
    },
  });
  return {
    async measure(unit, work) {
      const end = seconds.startTimer({ unit });
      const run = loops?.watch(`a run of a ${unit}`, STUCK_SECONDS);
      let outcome = 'broken';
      try {
        const result = await work();
        outcome = result.kind;
        return result;
      } finally {
        end();
        run?.stop();
        runs.inc({ unit, outcome });
      }
    },
    called: ({ cloud, call, outcome, seconds: took }) => calls.observe({ cloud, call, outcome }, took),
  };
}
