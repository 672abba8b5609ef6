import type { Db } from '../../driver/db/connect';

/**
 * Points of a reconcile at which a worker can be ended or stopped: before each statement to the database, each message to
 * the bus and each call to a cloud, and right after each of them. Which one is told by the environment of the test's own
 * process entry: the program users start has none of this.
 */
export interface FaultPoints {
  /** The `count`-th point after `arm` is the fatal one. */
  arm(count: number, signal: NodeJS.Signals): void;
  watch<T extends object>(part: T): T;
  watchDb(db: Db): void;
}

export function createFaultPoints(): FaultPoints {
  let left = 0;
  let signal: NodeJS.Signals = 'SIGKILL';
  const pass = (): void => {
    if (left === 0) return;
    left -= 1;
    if (left === 0) process.kill(process.pid, signal);
  };
  const around =
    (value: (...args: unknown[]) => unknown, self: object) =>
    (...args: unknown[]): unknown => {
      pass();
      const result: unknown = Reflect.apply(value, self, args);
      if (!(result instanceof Promise)) return result;
      return result.then((it: unknown) => {
        pass();
        return it;
      });
    };
  return {
    arm(count, what) {
      left = count;
      signal = what;
    },
    watch: <T extends object>(part: T): T =>
      new Proxy(part, {
        get(target, property) {
          const value: unknown = Reflect.get(target, property);
          return typeof value === 'function' ? around(value as (...args: unknown[]) => unknown, target) : value;
        },
      }),
    watchDb(db) {
      // Of the class: each transaction has a client of its own.
      const statements = Object.getPrototypeOf(db.client) as Record<string, (...args: unknown[]) => unknown>;
      for (const name of ['_query', 'runPrepared']) {
        const original = statements[name];
        if (original === undefined) throw new Error(`the database's client has no ${name}`);
        statements[name] = function watched(this: object, ...args: unknown[]): unknown {
          return around(original, this)(...args);
        };
      }
    },
  };
}
