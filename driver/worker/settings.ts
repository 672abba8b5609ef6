import type { Config } from '../config/config';
import type { TenancyMode } from '../domain/group';

/** Times and bounds of a worker. Seconds unless said. */
export interface WorkerSettings {
  /** Runs of units at a time. */
  readonly concurrency: number;
  readonly leaseSeconds: number;
  /** Longest a step of a run may take; longer than a cloud's call. */
  readonly stepSeconds: number;
  /** What a PENDING status is given, anew after a cloud was away. */
  readonly pendingDeadline: number;
  readonly engineCreateTimeout: number;
  readonly engineNamePrefix: string;
  readonly tenancyMode: TenancyMode;
  /** Within which engines tell what they count. */
  readonly drainSettle: number;
  /** Until the first retry of what did not settle; doubles up to `lastRetry`. */
  readonly firstRetry: number;
  readonly lastRetry: number;
  /** Calls in flight to one cloud's API. */
  readonly cloudConcurrency: number;
  readonly cloudCallTimeout: number;
  /** Calls without an answer in a row after which a cloud is left alone for `cloudPause`. */
  readonly cloudFailures: number;
  readonly cloudPause: number;
  /** How long `close` waits for the runs under way. */
  readonly drainSeconds: number;
}

/** Longest a call to a cloud may take, if leases are long enough. */
const CALL_TIMEOUT = 20;

/** Seconds in which counters that came are in the database. */
const COUNTERS_WRITTEN = 2;

/** No step starts unless the lease outlives it, so calls are kept well below half a lease. */
export function workerSettings({
  controller_worker,
  service_engine,
  health_manager,
  DEFAULT: common,
}: Pick<Config, 'controller_worker' | 'service_engine' | 'health_manager' | 'DEFAULT'>): WorkerSettings {
  const leaseSeconds = controller_worker.lease_time;
  const stepSeconds = Math.min(CALL_TIMEOUT + 5, leaseSeconds / 2);
  return {
    concurrency: controller_worker.concurrency,
    leaseSeconds,
    stepSeconds,
    pendingDeadline: controller_worker.pending_deadline,
    engineCreateTimeout: service_engine.se_create_timeout,
    engineNamePrefix: service_engine.name_prefix,
    tenancyMode: service_engine.tenancy_mode,
    drainSettle: health_manager.counters_interval + COUNTERS_WRITTEN,
    firstRetry: 1,
    lastRetry: 30,
    cloudConcurrency: 16,
    cloudCallTimeout: stepSeconds * 0.8,
    cloudFailures: 5,
    cloudPause: 5,
    drainSeconds: common.graceful_shutdown_timeout,
  };
}
