import {
  BrokenCircuitError,
  bulkhead,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  handleWhen,
  TaskCancelledError,
  TimeoutStrategy,
  timeout,
  wrap,
} from 'cockatiel';
import { UnavailableError } from '../domain/errors';
import { CloudPausedError } from '../reconcile/cloudPaused';

/** Manners towards one cloud's API. */
export interface CloudManners {
  /** As events and logs name it: `network`, `compute`. */
  readonly cloud: string;
  /** Calls in flight; more wait. */
  readonly concurrency: number;
  /** Milliseconds a call may take. */
  readonly callTimeout: number;
  /** Calls without an answer in a row, after which none is made for `pause` milliseconds. */
  readonly failures: number;
  readonly pause: number;
  /** Told when calls are held back, and when they are made again. */
  readonly onChange: (state: 'paused' | 'resumed') => void;
  /** Told of every call that has ended. */
  readonly onCall?: CallObserver;
}

export type CallObserver = (ended: {
  readonly cloud: string;
  readonly call: string;
  /** `refused` by the cloud, `unanswered`, or `held` back. */
  readonly outcome: 'done' | 'refused' | 'unanswered' | 'held';
  readonly seconds: number;
}) => void;

/**
 * A driver whose calls keep to the manners. While the cloud does not answer, calls fail at once with a CloudPausedError;
 * a call that takes too long is an UnavailableError. What is no function passes through.
 */
export function guardDriver<Driver extends object>(driver: Driver, manners: CloudManners): Driver {
  const breaker = circuitBreaker(
    handleWhen((error) => error instanceof UnavailableError),
    { halfOpenAfter: manners.pause, breaker: new ConsecutiveBreaker(manners.failures) },
  );
  breaker.onBreak(() => manners.onChange('paused'));
  breaker.onReset(() => manners.onChange('resumed'));
  const bounded = wrap(breaker, bulkhead(manners.concurrency, Number.POSITIVE_INFINITY));
  const inTime = timeout(manners.callTimeout, TimeoutStrategy.Aggressive);

  const call = async (name: string, work: () => Promise<unknown>): Promise<unknown> => {
    const from = performance.now();
    const ended = (outcome: Parameters<CallObserver>[0]['outcome']): void =>
      manners.onCall?.({ cloud: manners.cloud, call: name, outcome, seconds: (performance.now() - from) / 1000 });
    try {
      const result = await bounded.execute(() => answerInTime(() => inTime.execute(work), manners.cloud));
      ended('done');
      return result;
    } catch (error) {
      const held = error instanceof BrokenCircuitError;
      ended(held ? 'held' : error instanceof UnavailableError ? 'unanswered' : 'refused');
      // The one that asks whether the cloud is back again has not to pay for it either.
      const paused = held || (error instanceof UnavailableError && breaker.state !== CircuitState.Closed);
      throw paused ? new CloudPausedError(manners.cloud) : error;
    }
  };
  return new Proxy(driver, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => call(String(property), async () => Reflect.apply(value, target, args));
    },
  });
}

async function answerInTime<T>(work: () => Promise<T>, cloud: string): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof TaskCancelledError) throw new UnavailableError(`The ${cloud} service did not answer in time.`);
    throw error;
  }
}
