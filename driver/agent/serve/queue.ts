/** Runs work one after the other, in the order it was given. */
export interface Queue {
  run<T>(work: () => Promise<T>): Promise<T>;
  /** Resolves when all that was given so far is done. */
  idle(): Promise<void>;
}

export function createQueue(): Queue {
  let last: Promise<unknown> = Promise.resolve();
  return {
    run(work) {
      const result = last.then(work);
      last = result.catch(() => undefined);
      return result;
    },
    idle: () => last.then(() => undefined),
  };
}
