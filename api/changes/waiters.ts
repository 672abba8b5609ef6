import { setTimeout as sleep } from 'node:timers/promises';

/** How many changes may wait for a pending load balancer, and how often they look. */
export interface WaiterLimits {
  readonly perLoadBalancer: number;
  readonly perProcess: number;
  /** Milliseconds until the next look when nobody wakes; a fresh value each time, so that processes spread. */
  pollAfter(): number;
}

export const WAITER_LIMITS: WaiterLimits = {
  perLoadBalancer: 32,
  perProcess: 1000,
  pollAfter: () => 200 + Math.random() * 200,
};

/**
 * The changes of this process that wait for a load balancer to become mutable, first come first served. A waiter holds
 * neither a transaction nor a connection.
 */
export interface Waiters {
  /** Something of the load balancer was settled: whoever is first in its queue looks again at once. */
  wake(loadBalancerId: string): void;
  isWaitedFor(loadBalancerId: string): boolean;
  /** How many wait for it. */
  length(loadBalancerId: string): number;
  /** Queues up; undefined when the load balancer's queue or the process is full. */
  join(loadBalancerId: string): Turn | undefined;
  /** Nobody waits any more: their time is up now, and the queues are full for those who come. */
  end(): void;
}

/** A place in the queue. */
export interface Turn {
  /**
   * Resolves when the caller is first and `ready` says that it is worth trying.
   * @returns false when `until` (milliseconds since the epoch) has passed or the signal is aborted
   */
  next(ready: () => Promise<boolean>, until: number, signal?: AbortSignal): Promise<boolean>;
  leave(): void;
}

interface Place {
  /** Ends the place's present sleep. */
  wake: AbortController;
}

export function createWaiters(limits: WaiterLimits = WAITER_LIMITS): Waiters {
  const queues = new Map<string, Place[]>();
  const ended = new AbortController();
  let waiting = 0;
  const wake = (id: string) => queues.get(id)?.[0]?.wake.abort();

  const leave = (id: string, place: Place) => {
    const queue = queues.get(id);
    const index = queue?.indexOf(place) ?? -1;
    if (!queue || index < 0) return;
    queue.splice(index, 1);
    waiting -= 1;
    if (queue.length === 0) queues.delete(id);
    else if (index === 0) wake(id);
  };

  return {
    wake,
    isWaitedFor: (id) => queues.has(id),
    length: (id) => queues.get(id)?.length ?? 0,
    join: (id) => {
      const queue = queues.get(id) ?? [];
      if (ended.signal.aborted || queue.length >= limits.perLoadBalancer || waiting >= limits.perProcess)
        return undefined;
      const place: Place = { wake: new AbortController() };
      queue.push(place);
      queues.set(id, queue);
      waiting += 1;
      return {
        next: (ready, until, signal) =>
          turnOf(
            place,
            { isFirst: () => queue[0] === place, limits },
            { ready, until, signals: [ended.signal, ...(signal ? [signal] : [])] },
          ),
        leave: () => leave(id, place),
      };
    },
    end: () => ended.abort(),
  };
}

interface Watch {
  ready(): Promise<boolean>;
  readonly until: number;
  readonly signals: readonly AbortSignal[];
}

async function turnOf(
  place: Place,
  { isFirst, limits }: { isFirst: () => boolean; limits: WaiterLimits },
  { ready, until, signals }: Watch,
): Promise<boolean> {
  for (;;) {
    if (signals.some(({ aborted }) => aborted) || Date.now() >= until) return false;
    if (place.wake.signal.aborted) place.wake = new AbortController();
    if (isFirst() && (await ready())) return true;
    const left = until - Date.now();
    await pause(isFirst() ? Math.min(limits.pollAfter(), left) : left, [place.wake.signal, ...signals]);
  }
}

/** A sleep that ends early, and quietly, when any of the signals is aborted. */
async function pause(milliseconds: number, signals: readonly AbortSignal[]): Promise<void> {
  if (milliseconds <= 0) return;
  try {
    await sleep(milliseconds, undefined, { signal: AbortSignal.any([...signals]) });
  } catch {
    // Woken.
  }
}
