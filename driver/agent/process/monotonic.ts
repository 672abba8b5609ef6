/**
 * Milliseconds since the machine booted: they do not jump when its clock is set, and mean the same to every process, so that
 * they may be written down for the next agent.
 */
export function monotonicNow(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}

/** A time of the same boot that was written down; what an agent of before this clock wrote counts from now. */
export function notLaterThanNow(time: number): number {
  return Math.min(time, monotonicNow());
}
