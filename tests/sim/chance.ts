/** Chance that is the same for the same seed, on every machine. */
export interface Chance {
  /** From 0 up to, and without, 1. */
  next(): number;
  between(low: number, high: number): number;
  /** Below `bound`. */
  index(bound: number): number;
  happens(probability: number): boolean;
  /** Time until the next of things that happen on average every `mean`. */
  waiting(mean: number): number;
  pick<T>(all: readonly T[]): T | undefined;
  /** Another source, of its own: what is drawn there changes nothing here. */
  fork(name: string): Chance;
}

/** Mulberry32 by Tommy Ettinger (public domain): 32 bits of state are plenty for this. */
export function createChance(seed: number): Chance {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const index = (bound: number): number => Math.floor(next() * bound);
  return {
    next,
    between: (low, high) => low + next() * (high - low),
    index,
    happens: (probability) => next() < probability,
    waiting: (mean) => -Math.log(1 - next()) * mean,
    pick: (all) => all[index(all.length)],
    fork: (name) => createChance([...name].reduce((sum, it) => Math.imul(sum, 31) + it.charCodeAt(0), seed + 1)),
  };
}
