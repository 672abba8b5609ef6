import type { Loop } from '../telemetry/loops';

/** Does the work again and again, `interval` milliseconds after it has ended. Errors are the work's own to handle. */
export interface Periodic {
  /** Stops, and resolves when no run is left. */
  stop(): Promise<void>;
}

/** @param rounds told of every end */
export function periodically(interval: number, work: () => Promise<void>, rounds?: Loop): Periodic {
  let stopped = false;
  let running: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  const plan = (): void => {
    timer = setTimeout(() => {
      running = work().finally(() => {
        rounds?.ended();
        if (!stopped) plan();
      });
    }, interval);
  };
  plan();
  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
      rounds?.stop();
    },
  };
}
