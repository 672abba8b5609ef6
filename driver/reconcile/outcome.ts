/** How a run of a unit of reconciliation ended: a closed set. */
export type Outcome =
  /** What is wanted is in force, and the rows say so. */
  | {
      readonly kind: 'settled';
      /** Seconds until the unit is to be looked at anyway: something drains. */
      readonly lookAgain?: number;
    }
  /** Something else has to happen first; the unit is looked at again then, or after `retryAfter` seconds. */
  | { readonly kind: 'waiting'; readonly reason: string; readonly retryAfter: number }
  /** It cannot be done as things are. Shown to users; tried again after `retryAfter` seconds, for causes may go away. */
  | { readonly kind: 'failed'; readonly reason: string; readonly retryAfter: number };

export const SETTLED: Outcome = { kind: 'settled' };

export function waiting(reason: string, retryAfter: number): Outcome {
  return { kind: 'waiting', reason, retryAfter };
}

export function failed(reason: string, retryAfter: number): Outcome {
  return { kind: 'failed', reason, retryAfter };
}

/** Seconds to wait before the next try of a unit that did not settle `attempts` times in a row. */
export type BackOff = (attempts: number) => number;

/**
 * Doubles from `first` up to `most` seconds; the latter half of each step is chance, so that units that failed together
 * do not come back together.
 */
export function exponentialBackOff(
  { first, most }: { readonly first: number; readonly most: number },
  random: () => number = Math.random,
): BackOff {
  return (attempts) => {
    const step = Math.min(most, first * 2 ** Math.min(attempts, 30));
    return step / 2 + (step / 2) * random();
  };
}
