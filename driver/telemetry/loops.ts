/** Something a process does again and again, as its health knows it. */
export interface Loop {
  /** A round has come to its end. */
  ended(): void;
  /** A round broke off; another comes. */
  broke(error: unknown): void;
  /** It is no more: nothing is expected of it. */
  stop(): void;
}

/** The loops of a process: whether they come round. */
export interface Loops {
  /** @param limit seconds without a round that ends well, after which the process is ill */
  watch(name: string, limit: number): Loop;
  /** What does not come round; undefined when all do. */
  trouble(): string | undefined;
}

interface Watched {
  readonly name: string;
  readonly limit: number;
  since: number;
  reason: string | undefined;
}

/** @param now milliseconds that only ever go forward */
export function createLoops(now: () => number = () => performance.now()): Loops {
  const watched = new Set<Watched>();
  return {
    watch(name, limit) {
      const entry: Watched = { name, limit, since: now(), reason: undefined };
      watched.add(entry);
      return {
        ended() {
          entry.since = now();
          entry.reason = undefined;
        },
        broke(error) {
          entry.reason = error instanceof Error ? error.message : String(error);
        },
        stop() {
          watched.delete(entry);
        },
      };
    },
    trouble() {
      const late = [...watched].filter(({ since, limit }) => now() - since > limit * 1000);
      return late.length === 0 ? undefined : late.map((entry) => describe(entry, now())).join('; ');
    },
  };
}

function describe({ name, since, reason }: Watched, now: number): string {
  const seconds = Math.round((now - since) / 1000);
  return `${name} has not come to a good end for ${seconds} s${reason === undefined ? '' : ` (${reason})`}`;
}
