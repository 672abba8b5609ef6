import type { NetworkDriver } from '../clouds/network/port';
import type { Db } from '../db/connect';
import type { EnginePort, WiringRecord } from '../db/wiring';
import type { LoadBalancerTree } from '../domain/tree';
import type { VipPlace } from '../target/networkNeeds';

/** What the kinds of a load balancer's unit are computed from. */
export interface WiringTarget {
  readonly tree: LoadBalancerTree;
  /** Ports of the engines that are to answer for the VIPs; none for a load balancer that goes. */
  readonly ports: readonly EnginePort[];
  /** In which network each VIP is answered for. */
  readonly vips: readonly VipPlace[];
  /** By port of an engine: the QoS policies that load balancers want which use it. None where that is not looked at. */
  readonly policies: ReadonlyMap<string, readonly (string | null)[]>;
  /** What the cloud was told before. */
  readonly recorded: readonly WiringRecord[];
}

/** For what is only about the VIP's own port. */
export const NO_WIRING = { ports: [], vips: [], policies: new Map(), recorded: [] } as const;

/** What the kinds of a load balancer's unit work with. */
export interface WiringClouds {
  readonly network: NetworkDriver;
  readonly db: Db;
  /** Runs pieces of work on one port one after another: that spares most conflicts between changes of its address pairs. */
  readonly alone: Mutex;
}

/** Runs the pieces of work of one key one after another. */
export type Mutex = <T>(key: string, work: () => Promise<T>) => Promise<T>;

export function createMutex(): Mutex {
  const tails = new Map<string, Promise<unknown>>();
  return async (key, work) => {
    const before = tails.get(key) ?? Promise.resolve();
    const run = before.then(work, work);
    const tail = run.catch(() => undefined);
    tails.set(key, tail);
    try {
      return await run;
    } finally {
      if (tails.get(key) === tail) tails.delete(key);
    }
  };
}
