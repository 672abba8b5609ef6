import { setTimeout as sleep } from 'node:timers/promises';
import type { Ack, Held, ListenerCounters, LoadBalancerReport } from '../../protocol/messages';
import type { LoadBalancerSpec } from '../../protocol/spec';
import { isUsableId } from '../haproxy/admitValue';
import { fault } from '../haproxy/fault';
import { listStored } from '../state/specStore';
import { acknowledgement, removal } from './acknowledgement';
import { type LoadBalancer, openLoadBalancer } from './loadBalancer';
import type { ServeDeps } from './unit';

/** What the engine tells without being asked. */
export interface EngineNotices {
  acknowledge(ack: Ack): void;
  event(name: string, loadBalancerId: string, message: string): void;
}

/** All load balancers of this engine. */
export interface Engine {
  /** Resolves when all that was stored has been taken over or started, or could not be. */
  readonly recovered: Promise<unknown>;
  put(spec: LoadBalancerSpec): Promise<Ack>;
  remove(id: string, generation: number, epoch: number): Promise<Ack>;
  held(): Held[];
  reports(): { readonly version: number; readonly report: LoadBalancerReport }[];
  counters(): ListenerCounters[];
  /** Open client connections. */
  connections(): number;
  saveCounters(): Promise<void>;
  /** Ends all polling and, unless told to keep serving, all haproxies. */
  stop(options: { keepServing: boolean }): Promise<void>;
}

/** Milliseconds between two looks at a load balancer whose members are checked; the others get one in five rounds. */
const ROUND = 1000;
const SLICES = 20;
const QUIET_ROUNDS = 5;

/** Opens what is stored, starts serving it in the background and polls from then on. */
export async function openEngine(deps: ServeDeps, notices: EngineNotices): Promise<Engine> {
  const all = new Map<string, Promise<LoadBalancer>>();
  const opened = new Map<string, LoadBalancer>();
  const open = (id: string) => {
    const known = all.get(id);
    if (known !== undefined) return known;
    const opening = openLoadBalancer(id, deps, {
      acknowledge: notices.acknowledge,
      event: (name, message) => notices.event(name, id, message),
    }).then((loadBalancer) => {
      opened.set(id, loadBalancer);
      return loadBalancer;
    });
    all.set(id, opening);
    return opening;
  };
  const forget = (id: string) => {
    all.delete(id);
    opened.delete(id);
  };

  const found = (await listStored(deps.config.stateDir)).filter(isUsableId);
  const stored = await Promise.all(found.map(open));
  const recovery = Promise.all(stored.map((loadBalancer) => recoverOne(loadBalancer, deps, forget)));
  const stopping = new AbortController();
  const polling = pollAll(() => [...opened.values()], deps, stopping.signal);
  return {
    recovered: recovery,
    put: async (spec) => (isUsableId(spec.id) ? (await open(spec.id)).put(spec) : refuseUnusable(spec)),
    async remove(id, generation, epoch) {
      if (!isUsableId(id)) return removal(id, generation, epoch);
      const loadBalancer = await open(id);
      const ack = await loadBalancer.remove(generation, epoch);
      if (ack.outcome === 'removed' && !loadBalancer.isHeld()) forget(id);
      return ack;
    },
    held: () => present(opened, (loadBalancer) => loadBalancer.held()),
    reports: () => present(opened, (loadBalancer) => loadBalancer.report()),
    counters: () => [...opened.values()].flatMap((loadBalancer) => loadBalancer.counters()),
    connections: () =>
      [...opened.values()].flatMap((one) => one.counters()).reduce((sum, one) => sum + one.activeConnections, 0),
    async saveCounters() {
      for (const loadBalancer of opened.values()) await loadBalancer.saveCounters();
    },
    async stop(options) {
      stopping.abort();
      await polling;
      await recovery;
      await Promise.all([...opened.values()].map((loadBalancer) => loadBalancer.stop(options)));
    },
  };
}

function refuseUnusable(spec: LoadBalancerSpec): Ack {
  const faults = [fault('loadbalancer', spec.id, 'its id has characters an engine cannot use')];
  return acknowledgement({ spec, outcome: 'refused', faults });
}

function present<T>(opened: ReadonlyMap<string, LoadBalancer>, pick: (one: LoadBalancer) => T | null): T[] {
  return [...opened.values()].map(pick).filter((value): value is Awaited<T> & T => value !== null);
}

async function recoverOne(loadBalancer: LoadBalancer, { log }: ServeDeps, forget: (id: string) => void): Promise<void> {
  try {
    await loadBalancer.recover();
    if (!loadBalancer.isHeld()) forget(loadBalancer.id);
  } catch (error) {
    log.error({ loadBalancer: loadBalancer.id, err: error }, 'a load balancer could not be taken over');
  }
}

/** One look at each that is due, spread over a round. A round takes longer than its time when the machine is busy. */
async function pollAll(list: () => LoadBalancer[], deps: ServeDeps, signal: AbortSignal): Promise<void> {
  for (let round = 0; !signal.aborted; round += 1) {
    const due = list().filter((one, index) => one.changesByItself() || (index + round) % QUIET_ROUNDS === 0);
    const size = Math.max(1, Math.ceil(due.length / SLICES));
    const started = Date.now();
    for (let slice = 0; slice < SLICES && !signal.aborted; slice += 1) {
      await Promise.all(due.slice(slice * size, (slice + 1) * size).map((one) => pollOne(one, deps)));
      const next = started + ((slice + 1) * ROUND) / SLICES;
      await sleep(Math.max(1, next - Date.now()), undefined, { signal }).catch(() => undefined);
    }
  }
}

async function pollOne(loadBalancer: LoadBalancer, { log }: ServeDeps): Promise<void> {
  try {
    await loadBalancer.poll();
  } catch (error) {
    // Its haproxy has just ended; the loss of the connection is what brings it back.
    log.debug({ loadBalancer: loadBalancer.id, err: error }, 'statistics could not be read');
  }
}
