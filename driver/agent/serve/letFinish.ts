import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadBalancerSpec } from '../../protocol/spec';
import { monotonicNow } from '../process/monotonic';
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
    let idle = 0;
    for (const deadline = monotonicNow() + FINISH; monotonicNow() < deadline && idle < IDLE; ) {
      await sleep(LOOK);
      idle = (await countSessions(running.daemon.runtime)) === 0 ? idle + 1 : 0;
    }
  } catch (err) {
    deps.log.warn({ loadBalancer: id, err }, 'what is under way is ended at once');
  }
}
