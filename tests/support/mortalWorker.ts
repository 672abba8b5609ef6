import { randomUUID } from 'node:crypto';
import type { EngineParts } from '../../driver/reconcile/engineRun';

/** What ends a worker in the middle of a run. */
class Crash extends Error {}

/** The calls that make something or take it away. */
const CHANGES = ['createPort', 'createServer', 'attachPort', 'detachPort', 'deletePort', 'deleteServer', 'updatePort'];

/** A worker that dies between a change of a cloud and its answer: the cloud has done it, nobody has noted it. */
export interface MortalWorker {
  /** True if it died of the work. */
  run(work: (parts: EngineParts) => Promise<unknown>): Promise<boolean>;
}

/** It dies when its `fatal`-th change has been carried out, and does nothing at all from then on. */
export function mortalWorker(parts: EngineParts, fatal: number): MortalWorker {
  let changes = 0;
  let isDead = false;
  const stopTheDead = (): void => {
    if (isDead) throw new Crash();
  };
  const mortal = <T extends object>(driver: T): T =>
    new Proxy(driver, {
      get(target, property) {
        const value: unknown = Reflect.get(target, property);
        if (typeof value !== 'function') return value;
        return async (...args: unknown[]) => {
          stopTheDead();
          const result: unknown = await Reflect.apply(value, target, args);
          if (CHANGES.includes(String(property))) changes += 1;
          isDead ||= changes === fatal;
          stopTheDead();
          return result;
        };
      },
    });
  const db = new Proxy(parts.db, {
    apply: (target, self, args) => {
      stopTheDead();
      return Reflect.apply(target, self, args);
    },
    get: (target, property) => {
      stopTheDead();
      return Reflect.get(target, property);
    },
  });
  const own = {
    ...parts,
    ...{ db, network: mortal(parts.network), compute: mortal(parts.compute), owner: `mortal-${randomUUID()}` },
  };
  return {
    run: (work) =>
      work(own).then(
        () => false,
        (error: unknown) => {
          if (error instanceof Crash) return true;
          throw error;
        },
      ),
  };
}
