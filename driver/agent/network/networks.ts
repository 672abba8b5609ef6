import type { Logger } from 'pino';
import type { DomainSpec, EngineSpec, NetworkProblem } from '../../protocol/engineSpec';
import type { NetworksAck } from '../../protocol/messages';
import type { LoadBalancerSpec } from '../../protocol/spec';
import { createQueue, type Queue } from '../serve/queue';
import { createDomain, type Domain } from './domain';
import type { ServedSpec } from './filter';
import { namespaceName } from './namespace';
import { loadNetworks, storeNetworks } from './store';
import { type Watched, watch } from './watch';

/** Where processes of a load balancer run: in a namespace, or where the agent is; or why they cannot run now. */
export type Place =
  | { readonly namespace: string | null }
  /** `left`: where they may be since they could. */
  | { readonly problem: string; readonly left: string | null };

export interface NetworkDomain {
  readonly spec: DomainSpec;
  readonly namespace: string;
  /** Its interfaces are there. */
  readonly ready: boolean;
  /** What is served in it now, or is about to be. */
  readonly serving: readonly LoadBalancerSpec[];
}

/** The networks of an engine. */
export interface Networks {
  /** Whether it makes namespaces at all. */
  readonly managed: boolean;
  /** Digest of the spec that is in force as a whole; null if none is. */
  digest(): string | null;
  place(domainId: string | null): Place;
  /** The domains that are to be. */
  domains(): readonly NetworkDomain[];
  /**
   * Has these specs of a load balancer served: their VIPs are there, and their ports open to whom they say. With none its
   * VIPs go. Rejects when that cannot be.
   */
  serve(loadBalancerId: string, specs: readonly ServedSpec[]): Promise<void>;
  /**
   * Takes over what an earlier agent left, with the load balancers that are held, and looks after it from then on. Never
   * rejects.
   */
  open(held: readonly LoadBalancerSpec[]): Promise<void>;
  /** Brings a spec about; an older one than is held changes nothing. */
  put(spec: EngineSpec): Promise<NetworksAck>;
  /** `NetworksNotices.answers` may say otherwise: VIPs follow. Never rejects. */
  renewVips(): Promise<void>;
  /** `NetworksNotices.otherProblems` has become another: tells it. */
  reviewProblems(): void;
  /** `keepServing`: namespaces stay, for the next agent; else they are removed, and interfaces come back. */
  stop(options: { keepServing: boolean }): Promise<void>;
}

/** What the networks tell without being asked. */
export interface NetworksNotices {
  /** How the spec is in force has changed. */
  acknowledge(ack: NetworksAck): void;
  /** Whether neighbours are to be told that the VIPs of what is served are here. */
  answers(spec: LoadBalancerSpec): boolean;
  /** Load balancers that wait for a domain may be served now. */
  onReady(): void;
  /** A domain, or what is to be in it, has changed. */
  onChange(): void;
  /** The namespace of a domain is about to go: ends what others run in it. */
  beforeRemoval(domainId: string): Promise<void>;
  /** What is wrong in domains by what others run in them. */
  otherProblems(): readonly NetworkProblem[];
}

export interface NetworksDeps {
  readonly engineId: string;
  readonly stateDir: string;
  readonly log: Logger;
  readonly notices: NetworksNotices;
}

/** Where the agent is, and nothing else. */
export const noNetworks: Networks = {
  managed: false,
  digest: () => null,
  place: (domainId) =>
    domainId === null ? { namespace: null } : { problem: 'this engine does not manage its networks', left: null },
  domains: () => [],
  serve: async () => undefined,
  renewVips: async () => undefined,
  reviewProblems: () => undefined,
  open: async () => undefined,
  put: async ({ generation, digest }) => ({ type: 'networksAck', generation, digest, problems: [] }),
  stop: async () => undefined,
};

interface Site {
  readonly deps: NetworksDeps;
  readonly domains: Map<string, Domain>;
  spec: EngineSpec | null;
  /** What an earlier agent left has been taken over. */
  settled: boolean;
  /** The acknowledgement last given, less its type. */
  told: string;
}

/** The networks of an engine that manages them: a namespace for each domain. Throws if this is not root. */
export async function createNetworks(deps: NetworksDeps): Promise<Networks> {
  if (process.getuid?.() !== 0) throw new Error('an agent that manages networks must be root');
  const stored = await loadNetworks(deps.stateDir);
  const site: Site = { deps, domains: new Map(), spec: stored.spec, settled: false, told: '' };
  for (const [id, name] of Object.entries(stored.namespaces)) site.domains.set(id, newDomain(site, id, name));
  const queue = createQueue();
  const stopping = new AbortController();
  let watching: NodeJS.Timeout[] = [];
  return {
    managed: true,
    digest: () => (site.settled && problemsOf(site).length === 0 ? (site.spec?.digest ?? null) : null),
    place: (domainId) => placeOf(site, domainId),
    domains: () =>
      wantedOf(site).map(({ domain, spec }) => ({
        ...{ spec, namespace: domain.namespace, ready: domain.ready() },
        serving: domain.serving(),
      })),
    serve: (id, specs) => serve(site, id, specs),
    async open(held) {
      for (const spec of held) if (spec.domainId !== null) site.domains.get(spec.domainId)?.note(spec.id, [spec]);
      await queue
        .run(() => settle(site))
        .catch((err: unknown) => deps.log.error({ err }, 'networks were not taken over'));
      site.settled = true;
      if (!stopping.signal.aborted) watching = watch(watchedOf(site, queue));
    },
    put: (spec) =>
      queue.run(async () => {
        await put(site, spec);
        deps.notices.onChange();
        return tell(site);
      }),
    async renewVips() {
      for (const domain of site.domains.values()) {
        await domain.admit().catch((err: unknown) => deps.log.warn({ err, domain: domain.id }, 'VIPs did not follow'));
      }
    },
    reviewProblems: () =>
      void queue
        .run(async () => tellChanges(site))
        .catch((err: unknown) => deps.log.warn({ err }, 'problems of networks were not told')),
    async stop({ keepServing }) {
      stopping.abort();
      for (const timer of watching) clearInterval(timer);
      for (const domain of site.domains.values()) domain.stop();
      await queue.idle();
      if (!keepServing) await Promise.all([...site.domains.values()].map((domain) => domain.remove()));
    },
  };
}

function newDomain(site: Site, id: string, namespace: string): Domain {
  const { log, notices } = site.deps;
  const domain = createDomain(id, namespace, {
    log,
    answers: notices.answers,
    others: () => [...site.domains.values()].map((other) => other.namespace).filter((name) => name !== namespace),
    onChange() {
      notices.onChange();
      if (domain.ready()) notices.onReady();
    },
  });
  return domain;
}

function placeOf({ domains, spec }: Site, domainId: string | null): Place {
  if (domainId === null) return { namespace: null };
  const domain = domains.get(domainId);
  if (domain === undefined || domain.spec() === null) {
    const problem = `this engine has not been told of its network ${domainId} yet`;
    return { problem, left: domain?.namespace ?? null };
  }
  if (domain.ready()) return { namespace: domain.namespace };
  const problem = domain.problems()[0]?.reason ?? (spec === null ? 'it is not known yet' : 'it is being set up');
  return { problem: `its network ${domainId} is not there yet: ${problem}`, left: domain.namespace };
}

async function serve(site: Site, id: string, specs: readonly ServedSpec[]): Promise<void> {
  const domainId = specs.at(-1)?.domainId ?? null;
  for (const domain of site.domains.values()) {
    const before = domain.users();
    domain.note(id, domain.id === domainId ? specs : []);
    if (domain.id === domainId || domain.users() !== before) await domain.admit();
    if (domain.users() === 0 && domain.spec() === null) await drop(site, domain);
  }
}

async function put(site: Site, spec: EngineSpec): Promise<void> {
  const held = site.spec;
  if (held !== null && spec.generation < held.generation) return;
  if (held?.digest === spec.digest && held.generation === spec.generation && problemsOf(site).length === 0) return;
  site.spec = spec;
  for (const { id } of spec.domains) {
    if (!site.domains.has(id)) site.domains.set(id, newDomain(site, id, namespaceName(site.deps.engineId, id)));
  }
  await settle(site);
}

/** Brings what is held about, and removes the domains that nobody wants or uses. */
async function settle(site: Site): Promise<void> {
  const wanted = new Map((site.spec?.domains ?? []).map((domain) => [domain.id, domain]));
  for (const domain of site.domains.values()) domain.want(wanted.get(domain.id) ?? null);
  // Before anything is made, so that no namespace is ever forgotten.
  await store(site);
  const all = [...site.domains.values()];
  // First those that give interfaces away: another one may want them.
  for (const domain of all) if (domain.spec() === null && domain.users() === 0) await drop(site, domain);
  await Promise.all(all.filter((domain) => domain.spec() !== null).map((domain) => domain.bringAbout()));
}

async function drop(site: Site, domain: Domain): Promise<void> {
  await site.deps.notices.beforeRemoval(domain.id);
  await domain.remove();
  site.domains.delete(domain.id);
  await store(site);
}

async function store({ deps, domains, spec }: Site): Promise<void> {
  const namespaces = Object.fromEntries([...domains.values()].map(({ id, namespace }) => [id, namespace]));
  await storeNetworks(deps.stateDir, { spec, namespaces });
}

function wantedOf({ domains }: Site): { readonly domain: Domain; readonly spec: DomainSpec }[] {
  return [...domains.values()].flatMap((domain) => {
    const spec = domain.spec();
    return spec === null ? [] : [{ domain, spec }];
  });
}

function problemsOf(site: Site): NetworkProblem[] {
  const wanted = wantedOf(site);
  const others = site.deps.notices.otherProblems();
  return [
    ...wanted.flatMap(({ domain }) => domain.problems()),
    ...others.filter(({ domainId }) => wanted.some(({ spec }) => spec.id === domainId)),
  ];
}

function tell(site: Site): NetworksAck {
  const { generation, digest } = site.spec ?? { generation: 0, digest: '' };
  const ack: NetworksAck = { type: 'networksAck', generation, digest, problems: problemsOf(site) };
  site.told = JSON.stringify(ack);
  return ack;
}

function watchedOf(site: Site, queue: Queue): Watched {
  const { log } = site.deps;
  return {
    log,
    wanted: () => [...site.domains.values()].filter((domain) => domain.spec() !== null),
    bringAbout: (choose) =>
      queue.run(async () => {
        const domains = await choose();
        await Promise.all(domains.map((domain) => domain.bringAbout()));
        if (domains.length > 0) tellChanges(site);
        else tell(site);
      }),
  };
}

function tellChanges(site: Site): void {
  const before = site.told;
  const ack = tell(site);
  if (site.spec !== null && site.told !== before) site.deps.notices.acknowledge(ack);
}
