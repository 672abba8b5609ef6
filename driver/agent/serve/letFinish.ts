import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadBalancerSpec } from '../../protocol/spec';
import { monotonicNow } from '../process/monotonic';
import { countHalfOpen } from './halfOpen';
import { countSessions } from './sessions';
import type { Unit } from './unit';

/** Milliseconds that what is under way may take to end. */
const FINISH = 2_000;
/** Between two looks. */
const LOOK = 100;
/** Looks in a row without a session: the request of a connection that has just come about is on its way. */
const IDLE = 3;

/**
 * Lets nobody new in, who is to ask again without having had a word, and waits for what is under way: traffic is still led
 * here, and goes elsewhere once the load balancer is forgotten. Of no use without a network of its own, where an address
 * that nobody listens on answers. Never throws.
 */
export async function letFinish(unit: Unit, spec: LoadBalancerSpec): Promise<void> {
  const { running, namespace, deps, id } = unit;
  if (running === null || namespace === null) return;
  try {
    await deps.networks.serve(id, [{ ...spec, closed: true }]);
    await untilIdle({
      ...{ now: monotonicNow, sleep },
      sessions: () => countSessions(running.daemon.runtime),
      halfOpen: () => countHalfOpen(namespace, spec.vips),
    });
  } catch (err) {
    deps.log.warn({ loadBalancer: id, err }, 'what is under way is ended at once');
  }
}

export interface Looks {
  readonly now: () => number;
  readonly sleep: (milliseconds: number) => Promise<unknown>;
  /** What is under way. */
  readonly sessions: () => Promise<number>;
  /** Connections that are about to become sessions. */
  readonly halfOpen: () => Promise<number>;
}

/** Resolves once nothing has been under way for some looks and nothing is about to be, or when its time is over. */
export async function untilIdle({ now, sleep: pause, sessions, halfOpen }: Looks): Promise<void> {
  const deadline = now() + FINISH;
  for (let idle = 0; idle < IDLE && now() < deadline; ) {
    await pause(LOOK);
    idle = (await sessions()) === 0 ? idle + 1 : 0;
    // Clients that are far away, or slow, may take longer than all looks to end their handshake.
    if (idle === IDLE && (await halfOpen()) > 0) idle = 0;
  }
}
