import {
  BrokenCircuitError,
  BulkheadRejectedError,
  bulkhead,
  ConsecutiveBreaker,
  circuitBreaker,
  ExponentialBackoff,
  halfJitterGenerator,
  handleType,
  handleWhen,
  type IPolicy,
  retry,
  wrap,
} from 'cockatiel';
import type { Logger } from 'pino';
import { Outage } from './send';

/** The manners towards every API of a cloud: bounded calls, repetitions where they are safe, one breaker. */

/** Calls at one time. */
export const CALLS = 16;
/** Callers that wait for one. */
const WAITING = 2_000;
/** Calls in a row that end in an outage, repetitions included, after which none is made for a while. */
const FAILURES = 5;
/** Milliseconds of that while, the first and the longest. */
const PAUSE = { initialDelay: 1_000, maxDelay: 15_000, generator: halfJitterGenerator };
const REPEAT = { initialDelay: 100, maxDelay: 2_000, generator: halfJitterGenerator };

export interface PolicyOptions {
  /** What the service is called in logs: "Neutron". */
  readonly name: string;
  readonly log: Logger;
  /** Times a call is made again whose `Outage` says that it may be. */
  readonly repetitions: number;
}

/** What every call is made within; calls end in an `Outage` when the service gives no answer. */
export function createPolicy({ name, log, repetitions: maxAttempts }: PolicyOptions): IPolicy {
  const breaker = circuitBreaker(handleType(Outage), {
    halfOpenAfter: new ExponentialBackoff(PAUSE),
    breaker: new ConsecutiveBreaker(FAILURES),
  });
  breaker.onBreak((reason) => {
    const cause = 'error' in reason ? reason.error.message : undefined;
    log.warn({ service: name, cause }, `${name} does not answer: it is left alone for a while`);
  });
  breaker.onReset(() => log.info({ service: name }, `${name} answers again`));
  const repeat = retry(
    handleWhen((error) => error instanceof Outage && error.mayRepeat),
    { maxAttempts, backoff: new ExponentialBackoff(REPEAT) },
  );
  return wrap(bulkhead(CALLS, WAITING), breaker, repeat);
}

/** What stands behind a failed call, for the log. */
export function reasonOf(name: string, cause: unknown): unknown {
  if (cause instanceof BrokenCircuitError) return new Error(`${name} has not answered lately`);
  if (cause instanceof BulkheadRejectedError) return new Error(`too many calls wait for ${name}`);
  return cause;
}
