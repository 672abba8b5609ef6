import type { Ack } from '../../protocol/messages';
import { type LoadBalancer, openLoadBalancer } from './loadBalancer';
import type { ServeDeps } from './unit';

/** What the engine tells without being asked. */
export interface EngineNotices {
  acknowledge(ack: Ack): void;
  event(name: string, loadBalancerId: string, message: string): void;
}

/** The load balancers that are open: those with a spec, and those somebody is at work with. */
export interface Registry {
  list(): LoadBalancer[];
  /** Opens the load balancer for the work, if it is not; afterwards it is forgotten if it has no spec and no other work. */
  use<T>(id: string, work: (loadBalancer: LoadBalancer) => Promise<T>, keep?: boolean): Promise<T>;
}

interface Entry {
  readonly opening: Promise<LoadBalancer>;
  users: number;
}

export function createRegistry(deps: ServeDeps, notices: EngineNotices): Registry {
  const entries = new Map<string, Entry>();
  const opened = new Map<string, LoadBalancer>();

  const open = (id: string): Entry => {
    const opening = openLoadBalancer(id, deps, {
      acknowledge: notices.acknowledge,
      event: (name, message) => notices.event(name, id, message),
    });
    return { opening, users: 0 };
  };
  return {
    list: () => [...opened.values()],
    async use(id, work, keep = false) {
      const entry = entries.get(id) ?? open(id);
      entries.set(id, entry);
      entry.users += 1;
      try {
        const loadBalancer = await entry.opening;
        opened.set(id, loadBalancer);
        return await work(loadBalancer);
      } finally {
        entry.users -= 1;
        if (entry.users === 0 && !keep && opened.get(id)?.isHeld() !== true) {
          entries.delete(id);
          opened.delete(id);
        }
      }
    },
  };
}
