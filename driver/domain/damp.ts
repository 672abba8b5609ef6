/** Whether something is shown, and what speaks against it. */
export interface Damped {
  readonly shown: boolean;
  /** Since when the opposite would be right; null: it would not. */
  readonly against: number | null;
  /** It has never been shown: the first time needs no delay. */
  readonly isNew: boolean;
}

/** Milliseconds a change has to last before it is followed. */
export interface Delays {
  readonly upDelay: number;
  readonly downDelay: number;
}

export const HIDDEN: Damped = { shown: false, against: null, isNew: true };
export const SHOWN: Damped = { shown: true, against: null, isNew: false };

/**
 * One look at what comes and goes: it is followed once it has been otherwise for the whole delay, at every look. What
 * changes more often than that changes nothing.
 * @param now milliseconds, monotonic
 */
export function damp(before: Damped, present: boolean, { upDelay, downDelay, now }: Delays & { now: number }): Damped {
  if (present === before.shown) return before.against === null ? before : { ...before, against: null };
  const since = before.against ?? now;
  const delay = present ? (before.isNew ? 0 : upDelay) : downDelay;
  if (now - since < delay) return { ...before, against: since };
  return { shown: present, against: null, isNew: before.isNew && !present };
}

/** Milliseconds until another look may follow what is the matter now; null: nothing is. */
export function timeLeft(damped: Damped, { upDelay, downDelay, now }: Delays & { now: number }): number | null {
  if (damped.against === null) return null;
  return Math.max(0, damped.against + (damped.shown ? downDelay : upDelay) - now);
}
