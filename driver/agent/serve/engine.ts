import { setTimeout as sleep } from 'node:timers/promises';
import type { Ack, Held, ListenerCounters, LoadBalancerReport } from '../../protocol/messages';
import type { LoadBalancerSpec } from '../../protocol/spec';
import type { ServedHere } from '../bgp/announcements';
import { unitPaths } from '../config';
import { isUsableId } from '../haproxy/admitValue';
import { fault } from '../haproxy/fault';
import type { LogTarget } from '../haproxy/log';
import { monotonicNow } from '../process/monotonic';
import { tidyMaterialsHome } from '../state/memoryDirectory';
import { listStored } from '../state/specStore';
import { acknowledgement, removal } from './acknowledgement';
import type { UnitFacts } from './inspect';
import type { LoadBalancer } from './loadBalancer';
import { createRegistry, type EngineNotices } from './registry';
import type { ServeDeps } from './unit';

/** All load balancers of this engine. */
export interface Engine {
  /** Resolves when all that was stored has been taken over or started, or could not be. */
  readonly recovered: Promise<unknown>;
  /** `materials`: texts by the digests that the spec names. */
  put(spec: LoadBalancerSpec, materials?: Readonly<Record<string, string>>): Promise<Ack>;
  remove(id: string, generation: number, epoch: number): Promise<Ack>;
  held(): Held[];
  reports(): { readonly version: number; readonly report: LoadBalancerReport }[];
  /** What is held of a load balancer; null if nothing is. */
  spec(loadBalancerId: string): LoadBalancerSpec | null;
  /** How a load balancer is served at the moment; null if nothing is held of it. */
  inspect(loadBalancerId: string): Promise<UnitFacts | null>;
  /** Those whose VIPs are to be announced. */
  served(): ServedHere[];
  counters(): ListenerCounters[];
  /** Where lines of a listener's connections go; null if nowhere. */
  logTarget(loadBalancerId: string, listenerId: string): LogTarget | null;
  /** What a PROMETHEUS listener of the load balancer answers; null if there is none. */
  metrics(loadBalancerId: string): Promise<string | null>;
  /** Open client connections. */
  connections(): number;
  /** Domains of networks have come: load balancers that waited for them are tried again. */
  retry(): void;
  /** Ends all polling and, unless told to keep serving, all haproxies. */
  stop(options: { keepServing: boolean }): Promise<void>;
}

/** Milliseconds between two looks at a load balancer whose members are checked; the others get one in five rounds. */
const ROUND = 1000;
const SLICES = 20;
const QUIET_ROUNDS = 5;
/** Rounds between two times that counters are written to disk. */
const TIDY_ROUNDS = 10;

/** Opens what is stored, starts serving it in the background and polls from then on. */
export async function openEngine(deps: ServeDeps, notices: EngineNotices): Promise<Engine> {
  const registry = createRegistry(deps, notices);
  const find = (id: string) => registry.list().find((one) => one.id === id);
  const stored = (await listStored(deps.config.stateDir)).filter(isUsableId);
  await tidyMaterialsHome(deps.materialsHome, new Set(stored.map((id) => unitPaths(deps.config, id).materials)));
  // All are open before anybody asks what is held.
  await Promise.all(stored.map((id) => registry.use(id, async () => undefined, true)));
  const stopping = new AbortController();
  const recovered = deps.networks
    .open(registry.list().flatMap((one) => one.spec() ?? []))
    .then(() => Promise.all(stored.map((id) => registry.use(id, (one) => recoverOne(one, deps, stopping.signal)))));
  const polling = pollAll(registry.list, deps, stopping.signal);
  return {
    recovered,
    put: async (spec, materials) =>
      isUsableId(spec.id)
        ? registry.use(spec.id, (loadBalancer) => loadBalancer.put(spec, materials))
        : refuseUnusable(spec),
    remove: async (id, generation, epoch) =>
      isUsableId(id)
        ? registry.use(id, (loadBalancer) => loadBalancer.remove(generation, epoch))
        : removal(id, generation, epoch),
    held: () => present(registry.list(), (loadBalancer) => loadBalancer.held()),
    reports: () => present(registry.list(), (loadBalancer) => loadBalancer.report()),
    spec: (id) => find(id)?.spec() ?? null,
    inspect: async (id) => (await find(id)?.inspect()) ?? null,
    served: () => present(registry.list(), (loadBalancer) => loadBalancer.served()),
    counters: () => registry.list().flatMap((loadBalancer) => loadBalancer.counters()),
    logTarget: (id, listenerId) => find(id)?.logTarget(listenerId) ?? null,
    metrics: async (id) => (await find(id)?.metrics()) ?? null,
    connections: () =>
      registry
        .list()
        .flatMap((loadBalancer) => loadBalancer.counters())
        .reduce((sum, { activeConnections }) => sum + activeConnections, 0),
    retry: () => {
      for (const loadBalancer of registry.list()) loadBalancer.retry();
    },
    async stop(options) {
      stopping.abort();
      await polling;
      await recovered;
      await Promise.all(registry.list().map((loadBalancer) => loadBalancer.stop(options)));
    },
  };
}

function refuseUnusable(spec: LoadBalancerSpec): Ack {
  const faults = [fault('loadbalancer', spec.id, 'its id has characters an engine cannot use')];
  return acknowledgement({ spec, outcome: 'refused', faults });
}

function present<T>(all: readonly LoadBalancer[], pick: (one: LoadBalancer) => T | null): T[] {
  return all.flatMap((one) => pick(one) ?? []);
}

async function recoverOne(loadBalancer: LoadBalancer, { log }: ServeDeps, signal: AbortSignal): Promise<void> {
  try {
    if (!signal.aborted) await loadBalancer.recover();
  } catch (error) {
    log.error({ loadBalancer: loadBalancer.id, err: error }, 'a load balancer could not be taken over');
  }
}

/** One look at each that is due, spread over a round. A round takes longer than its time when the machine is busy. */
async function pollAll(list: () => LoadBalancer[], deps: ServeDeps, signal: AbortSignal): Promise<void> {
  for (let round = 0; !signal.aborted; round += 1) {
    const tidy = round % TIDY_ROUNDS === TIDY_ROUNDS - 1;
    const due = list().filter((one, index) => tidy || one.changesByItself() || (index + round) % QUIET_ROUNDS === 0);
    const size = Math.max(1, Math.ceil(due.length / SLICES));
    const started = monotonicNow();
    for (let slice = 0; slice < SLICES && !signal.aborted; slice += 1) {
      await Promise.all(due.slice(slice * size, (slice + 1) * size).map((one) => pollOne(one, tidy, deps)));
      const next = started + ((slice + 1) * ROUND) / SLICES;
      await sleep(Math.max(1, next - monotonicNow()), undefined, { signal }).catch(() => undefined);
    }
  }
}

async function pollOne(loadBalancer: LoadBalancer, tidy: boolean, { log }: ServeDeps): Promise<void> {
  try {
    await loadBalancer.poll();
    if (tidy) await loadBalancer.tidy();
  } catch (error) {
    // Mostly because its haproxy has just ended; the loss of the connection is what brings it back.
    log.debug({ loadBalancer: loadBalancer.id, err: error }, 'a look at a load balancer failed');
  }
}
