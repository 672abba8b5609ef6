/** Delays that grow by half from `first` to `longest` milliseconds, until they are reset. */
export interface BackOff {
  next(): number;
  reset(): void;
}

export function createBackOff(first: number, longest: number): BackOff {
  let delay = first;
  return {
    next() {
      const current = delay;
      delay = Math.min(longest, Math.ceil(delay * 1.5));
      return current;
    },
    reset() {
      delay = first;
    },
  };
}
