import type { Logger } from 'pino';

/** What has been started and must be ended, last first. */
export interface Cleanup {
  add(what: string, end: () => Promise<unknown>): void;
  /** Ends everything, once; a part that fails to end is logged and does not keep the others from it. */
  run(): Promise<void>;
}

export function createCleanup(log: Logger): Cleanup {
  const ends: { what: string; end: () => Promise<unknown> }[] = [];
  return {
    add: (what, end) => void ends.push({ what, end }),
    run: async () => {
      for (let last = ends.pop(); last; last = ends.pop()) {
        try {
          await last.end();
        } catch (err) {
          log.warn({ err }, `${last.what} did not end cleanly`);
        }
      }
    },
  };
}
