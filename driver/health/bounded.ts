/** Lets so many run at a time; the others wait their turn, in order. */
export interface Bounded {
  run<T>(work: () => Promise<T>): Promise<T>;
}

export function createBounded(limit: number): Bounded {
  const waiting: (() => void)[] = [];
  let free = limit;
  const enter = (): Promise<void> | undefined => {
    if (free > 0) {
      free -= 1;
      return undefined;
    }
    return new Promise((resolve) => waiting.push(resolve));
  };
  const leave = (): void => {
    const next = waiting.shift();
    if (next) next();
    else free += 1;
  };
  return {
    async run(work) {
      await enter();
      try {
        return await work();
      } finally {
        leave();
      }
    },
  };
}
