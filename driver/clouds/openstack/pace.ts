import { setTimeout as sleep } from 'node:timers/promises';

/** How many calls an API gets. */
export interface Pace {
  readonly perSecond: number;
  /** Calls in a row that need not wait, after a while without any. */
  readonly burst: number;
}

/** Gives each caller its turn, in the order they come: resolves when the call may be made. */
export function createPace(
  { perSecond, burst }: Pace,
  { now, wait }: { now: () => number; wait: (milliseconds: number) => Promise<unknown> } = {
    now: () => performance.now(),
    wait: (milliseconds) => sleep(milliseconds, undefined, { ref: false }),
  },
): () => Promise<void> {
  const interval = 1_000 / perSecond;
  // When the next call would be made if none were let through ahead of its time.
  let due = Number.NEGATIVE_INFINITY;
  return async () => {
    const at = now();
    due = Math.max(due, at - burst * interval) + interval;
    if (due > at) await wait(due - at);
  };
}
