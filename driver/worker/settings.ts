/** Times and bounds of a worker. Seconds unless said. */
export interface WorkerSettings {
  /** Runs of units at a time. */
  readonly concurrency: number;
  readonly leaseSeconds: number;
  /** Longest a step of a run may take; must be longer than a cloud's call. */
  readonly stepSeconds: number;
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
  readonly engineNamePrefix: string;
}

export const DEFAULT_WORKER_SETTINGS: WorkerSettings = {
  concurrency: 16,
  leaseSeconds: 60,
  stepSeconds: 25,
  firstRetry: 1,
  lastRetry: 30,
  cloudConcurrency: 16,
  cloudCallTimeout: 20,
  cloudFailures: 5,
  cloudPause: 5,
  drainSeconds: 20,
  engineNamePrefix: 'slipstream',
};
