import type { Logger } from 'pino';
import type { BusMessage } from '../bus/port';
import { createKeyedQueue, type KeyedQueue } from '../reconcile/keyedQueue';
import type { Outcome } from '../reconcile/outcome';

/** The units of reconciliation: what a key of the queue stands for. */
export type UnitKind = 'load_balancer' | 'engine';

export interface UnitRunners {
  readonly load_balancer: (id: string) => Promise<Outcome>;
  readonly engine: (id: string) => Promise<Outcome>;
}

export interface UnitQueueDeps {
  readonly run: UnitRunners;
  readonly log: Logger;
  /** Runs at a time. */
  readonly concurrency: number;
  /** Seconds until a unit is tried again whose run broke. */
  readonly retryBroken: number;
}

/** A queue of units that comes back to what did not settle. */
export function createUnitQueue({ run, log, concurrency, retryBroken }: UnitQueueDeps): KeyedQueue {
  const queue: KeyedQueue = createKeyedQueue({
    concurrency,
    async run(key) {
      const { kind, id } = parseKey(key);
      const outcome = await run[kind](id);
      const again = outcome.kind === 'settled' ? outcome.lookAgain : outcome.retryAfter;
      if (again !== undefined) queue.addLater(key, again * 1000);
    },
    onError(err, key) {
      log.warn({ err, unit: key }, 'a run broke off; it is tried again');
      queue.addLater(key, retryBroken * 1000);
    },
  });
  return queue;
}

export function keyOf(kind: UnitKind, id: string): string {
  return `${kind} ${id}`;
}

function parseKey(key: string): { kind: UnitKind; id: string } {
  const at = key.indexOf(' ');
  return { kind: key.slice(0, at) === 'engine' ? 'engine' : 'load_balancer', id: key.slice(at + 1) };
}

/** The hint that wants the unit of a key looked at. */
export function hintOf(key: string): BusMessage {
  const { kind, id } = parseKey(key);
  return { method: kind, args: { id }, ...(kind === 'load_balancer' && { loadBalancerId: id }) };
}

/** What a message wants looked at. */
export interface Wanted {
  readonly key: string;
  /** The project, where the message tells: units are taken fairly over projects. */
  readonly lane: string | undefined;
}

/** Reads one of our own hints: `load_balancer` or `engine` and an id. Undefined for one that names nothing. */
export function readHint({ method, args }: BusMessage): Wanted | undefined {
  const { id } = args;
  if (typeof id !== 'string' || id === '' || (method !== 'engine' && method !== 'load_balancer')) return undefined;
  return { key: keyOf(method, id), lane: undefined };
}
