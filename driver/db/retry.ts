import { setTimeout as sleep } from 'node:timers/promises';
import { RetryableDbError } from './errors';

/** How often work is run again that met a conflict, and how long it waits before. Injected by tests. */
export interface RetryPolicy {
  readonly attempts: number;
  /** Milliseconds before the given attempt (1 is the first repetition). */
  delay(attempt: number): number;
}

export const RETRIES: RetryPolicy = {
  attempts: 6,
  delay: (attempt) => Math.random() * Math.min(250, 10 * 2 ** attempt),
};

/**
 * The one place where deadlocks, lock time-outs and Galera conflicts are answered: whatever met one has no effect, and is
 * run again from its beginning. `work` is a transaction as a whole, or a statement outside of any.
 * @throws RetryableDbError when all attempts met conflicts
 */
export async function retryConflicts<T>(work: () => Promise<T>, policy: RetryPolicy = RETRIES): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof RetryableDbError) || attempt >= policy.attempts) throw error;
      await sleep(policy.delay(attempt));
    }
  }
}
