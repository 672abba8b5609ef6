import type { Logger } from 'pino';
import type { DomainSpec, NetworkProblem } from '../../protocol/engineSpec';
import type { LoadBalancerSpec } from '../../protocol/spec';
import { enter } from '../process/enter';
import { createQueue } from '../serve/queue';
import { errorMessage } from '../systemError';
import { createAnnouncer } from './announce';
import { read } from './commands';
import { renderFilter, type ServedSpec } from './filter';
import { gather } from './interfaces';
import { type Link, readLinks } from './ip';
import { bringLinksAbout, fingerprint, isRouted, isThere } from './links';
import { ensureNamespace, nameAgain, namespaceIdentity, removeNamespace } from './namespace';
import { interfaceName, type Vip, type Wanted, wantedOf } from './wanted';

/** What a domain needs of its engine. */
export interface DomainDeps {
  readonly log: Logger;
  /** The namespaces of the engine's other domains, where an interface may be that this one wants. */
  others(): readonly string[];
  /** Whether neighbours are to be told that the VIPs are here. */
  answers(spec: LoadBalancerSpec): boolean;
  /** To be called when `problems` or `ready` have become others. */
  onChange(): void;
}

/** One routing domain: its namespace and what is in it. All changes to it run one after the other. */
export interface Domain {
  readonly id: string;
  readonly namespace: string;
  /** Null: it is not to be any more. */
  spec(): DomainSpec | null;
  want(spec: DomainSpec | null): void;
  /** True when load balancers can be served in it: it is there, filtered, with the VIPs' interface. */
  ready(): boolean;
  /** In force or not, as of the last look. */
  problems(): readonly NetworkProblem[];
  /** Notes what is served of a load balancer, without doing anything about it. */
  note(loadBalancerId: string, specs: readonly ServedSpec[]): void;
  /** Load balancers that are served in it. */
  users(): number;
  /** What is served of them now, or is about to be. */
  serving(): readonly LoadBalancerSpec[];
  /** Brings all of it about; never rejects. */
  bringAbout(): Promise<void>;
  /** Brings about what the load balancers ask for: their VIPs and ports. Rejects when that cannot be. */
  admit(): Promise<void>;
  /** True if interfaces are not as they were left, or, looked at thoroughly, routes and rules are not as wanted. */
  hasChanged(thorough: boolean): Promise<boolean>;
  /** Removes the namespace. Rejects if it stays. */
  remove(): Promise<void>;
  stop(): void;
}

interface State {
  readonly id: string;
  readonly namespace: string;
  readonly deps: DomainDeps;
  readonly served: Map<string, readonly ServedSpec[]>;
  spec: DomainSpec | null;
  made: boolean;
  /** Of the namespace as it was left. */
  identity: string | null;
  ready: boolean;
  problems: readonly NetworkProblem[];
  /** The filter that is in force. */
  filter: string | null;
  /** The VIPs that are there, as they were asked for; null if they may not be. */
  vips: string | null;
  /** The interfaces as they were left. */
  links: readonly Link[];
}

export function createDomain(id: string, namespace: string, deps: DomainDeps): Domain {
  const state: State = {
    id,
    namespace,
    deps,
    served: new Map(),
    spec: null,
    made: false,
    identity: null,
    ready: false,
    problems: [],
    filter: null,
    vips: null,
    links: [],
  };
  const queue = createQueue();
  const announcer = createAnnouncer(namespace, deps.log);
  const bringAbout = () => queue.run(() => tryAll(state, announcer.renew));
  return {
    id,
    namespace,
    spec: () => state.spec,
    want(spec) {
      state.spec = spec;
    },
    ready: () => state.ready,
    problems: () => state.problems,
    note(loadBalancerId, specs) {
      if (specs.length === 0) state.served.delete(loadBalancerId);
      else state.served.set(loadBalancerId, specs);
    },
    users: () => state.served.size,
    serving: () => [...state.served.values()].flatMap((specs) => specs.at(-1) ?? []),
    bringAbout,
    admit: () => queue.run(() => admit(state, announcer.renew)),
    hasChanged: (thorough) => queue.run(() => hasChanged(state, thorough)),
    async remove() {
      announcer.stop();
      await queue.run(() => removeNamespace(namespace));
      state.made = false;
      state.ready = false;
    },
    stop: announcer.stop,
  };
}

type Announce = (device: string, addresses: readonly string[]) => void;

async function tryAll(state: State, announce: Announce): Promise<void> {
  const { id, spec, deps } = state;
  if (spec === null) return;
  let ready = false;
  let problems: NetworkProblem[];
  try {
    problems = await bringAllAbout(state, spec, announce);
    ready = isThere(spec, state.links);
  } catch (err) {
    deps.log.warn({ domain: id, err }, 'a network domain could not be brought about');
    problems = [{ domainId: id, vnicId: null, reason: errorMessage(err) }];
    ready = state.ready && state.filter !== null;
  }
  const changed = ready !== state.ready || JSON.stringify(problems) !== JSON.stringify(state.problems);
  state.ready = ready;
  state.problems = problems;
  if (changed) deps.onChange();
}

async function bringAllAbout(state: State, spec: DomainSpec, announce: Announce): Promise<NetworkProblem[]> {
  const { id, namespace, deps } = state;
  await keepNamespace(state);
  if (await ensureNamespace(namespace)) state.filter = null;
  state.identity = namespaceIdentity(namespace);
  state.made = true;
  // First: nothing may come in that it would not let in.
  await setFilter(state, spec);
  const vips = vipsOf(state);
  state.vips = null;
  const wanted = wantedOf(spec, vips);
  await gather(namespace, spec.vnics, deps.others());
  const { failures, links } = await bringLinksAbout(namespace, wanted);
  state.links = links;
  const present = new Set(links.map(({ ifname }) => ifname));
  const awaited = spec.vnics
    .filter((vnic) => !present.has(interfaceName(vnic)))
    .map(({ id: vnicId, macAddress }) => ({
      domainId: id,
      vnicId,
      reason: `no interface ${macAddress} is plugged in`,
    }));
  const refused = [...failures].map(([{ vnicId, words }, reason]) => ({
    domainId: id,
    vnicId,
    reason: `${words}: ${reason}`,
  }));
  announceVips(spec, wanted, announce);
  if (refused.length === 0) state.vips = JSON.stringify(vips);
  return [...awaited, ...refused];
}

/** Its name may have been deleted while processes live in it, and its interfaces with them. */
async function keepNamespace({ id, namespace, identity, deps }: State): Promise<void> {
  if (identity === null || namespaceIdentity(namespace) === identity) return;
  const kept = await nameAgain(namespace, identity);
  deps.log.warn({ domain: id, namespace, kept }, 'somebody has deleted a namespace');
}

async function admit(state: State, announce: Announce): Promise<void> {
  const { spec, namespace } = state;
  // Not there any more, or not yet: all of it is brought about when it is.
  if (spec === null || !state.ready) return;
  await setFilter(state, spec);
  const vips = vipsOf(state);
  // Most changes are to members, and none of the network's business.
  if (JSON.stringify(vips) === state.vips) return;
  state.vips = null;
  const wanted = wantedOf(spec, vips);
  const { failures, links } = await bringLinksAbout(namespace, wanted);
  state.links = links;
  announceVips(spec, wanted, announce);
  const failed = [...failures].find(([{ words }]) => words.startsWith('address'));
  if (failed !== undefined) throw new Error(`${failed[0].words}: ${failed[1]}`);
  state.vips = JSON.stringify(vips);
}

async function setFilter(state: State, spec: DomainSpec): Promise<void> {
  const text = renderFilter(spec, [...state.served.values()].flat());
  if (text === state.filter) return;
  await read(enter(state.namespace, 'nft', ['-f', '-']), text);
  state.filter = text;
}

function vipsOf({ served, deps }: State): Vip[] {
  const vips = new Map<string, Vip>();
  // Of a spec in force and one that is coming, the latter counts.
  for (const spec of [...served.values()].flat()) {
    const answered = deps.answers(spec);
    for (const address of spec.vips) vips.set(address, { address, answered });
  }
  return [...vips.values()];
}

function announceVips({ vnics: [first] }: DomainSpec, { links: [link] }: Wanted, announce: Announce): void {
  if (first === undefined || link === undefined) return;
  const own = first.addresses.length;
  announce(
    link.name,
    link.addresses.slice(own).map(({ cidr }) => cidr),
  );
}

async function hasChanged(state: State, thorough: boolean): Promise<boolean> {
  const { made, spec, namespace, links, problems } = state;
  if (!made) return false;
  if (fingerprint(await linksOf(state)) !== fingerprint(links)) return true;
  // What is in trouble is tried again anyway.
  if (!thorough || spec === null || problems.length > 0) return false;
  return !(await isRouted(namespace, wantedOf(spec, vipsOf(state)), links).catch(() => true));
}

async function linksOf({ namespace }: State): Promise<readonly Link[]> {
  return readLinks(namespace).catch(() => []);
}
