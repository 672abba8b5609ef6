import type { Logger } from 'pino';
import {
  DEFAULT_MASTERSHIP,
  type MastershipEvent,
  type MastershipState,
  newMastership,
  nextMastership,
} from '../../domain/mastership';
import type { HeartbeatSpec } from '../../protocol/engineSpec';
import type { ReachReport } from '../../protocol/messages';
import type { LoadBalancerSpec } from '../../protocol/spec';
import type { DomainHere } from '../bgp/bgp';
import type { Beat, Claim } from './beat';
import { loadMasterships, type StoredMasterships, storeMasterships } from './file';
import { createGateways, type GatewayProbe, type Gateways } from './gateways';
import { type Line, openLine } from './line';
import { reportReach, type Surroundings } from './reach';

/** A domain with what is served in it. */
export type ServingDomain = DomainHere & { readonly serving: readonly LoadBalancerSpec[] };

/** Which load balancers of pairs this engine is the master of, and which neighbours it hears. */
export interface Masterships {
  /** Whether neighbours are to be told that the VIPs are here. A grant in the spec is taken. */
  answers(spec: LoadBalancerSpec): boolean;
  /** False for one of a pair whose master is the other one. */
  leads(loadBalancerId: string): boolean;
  /** All that a controller is to know when it comes. */
  tell(): void;
  stop(): Promise<void>;
}

interface HeardNeighbour {
  readonly engineId: string;
  readonly heard: boolean;
}

/** What is told without being asked. */
export interface MastershipNotices {
  neighbours(heard: readonly HeardNeighbour[], reach: readonly ReachReport[]): void;
  masterships(claims: readonly (Claim & { readonly reason: string })[]): void;
  event(name: string, loadBalancerId: string, message: string): void;
  /** Roles have changed: VIPs and routes follow. */
  onChange(): void;
}

export interface MastershipDeps {
  readonly engineId: string;
  readonly boot: string;
  readonly stateDir: string;
  readonly log: Logger;
  readonly domains: () => readonly ServingDomain[];
  readonly probe: GatewayProbe;
  /** When a controller was last heard; null: never. */
  readonly controllerHeard: () => number | null;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  readonly notices: MastershipNotices;
}

interface Entry {
  state: MastershipState;
  /** The other engine of the pair, once it was heard. */
  peerId: string | null;
}

interface Site {
  readonly deps: MastershipDeps;
  readonly stored: StoredMasterships;
  readonly entries: Map<string, Entry>;
  readonly lines: Map<string, Line & { readonly key: string }>;
  /** What was last told of neighbours. */
  told: string;
  saved: string;
}

/** Milliseconds between two looks. */
const TICK = 50;

/** For an engine whose networks are not the agent's: it answers for whatever is asked of it. */
export const noMasterships: Masterships = {
  answers: ({ answersForVips }) => answersForVips ?? true,
  leads: () => true,
  tell: () => undefined,
  stop: async () => undefined,
};

export async function openMasterships(deps: MastershipDeps): Promise<Masterships> {
  const stored = await loadMasterships(deps.stateDir);
  const site: Site = { deps, stored, entries: new Map(), lines: new Map(), told: '', saved: '' };
  const gateways = createGateways(deps.probe, deps.now);
  const timer = setInterval(() => {
    try {
      look(site, gateways);
    } catch (err) {
      deps.log.warn({ err }, 'a look at masterships failed');
    }
  }, TICK);
  return {
    answers: (spec) => (spec.answersForVips ?? true) && (grant(site, spec)?.state.role ?? 'master') === 'master',
    leads: (id) => (site.entries.get(id)?.state.role ?? 'master') === 'master',
    tell() {
      site.told = '';
      deps.notices.masterships(claimsOf(site));
    },
    async stop() {
      clearInterval(timer);
      for (const line of site.lines.values()) line.close();
    },
  };
}

/** Undefined for one that is not of a pair. */
function grant(site: Site, { id, mastership }: LoadBalancerSpec): Entry | undefined {
  if (mastership === undefined) {
    site.entries.delete(id);
    return undefined;
  }
  const entry = site.entries.get(id) ?? restored(site, id);
  site.entries.set(id, entry);
  if (mastership.term > entry.state.term) feed(site, id, { kind: 'granted', ...mastership });
  return entry;
}

function restored({ stored, deps }: Site, id: string): Entry {
  const known = stored[id];
  const state = newMastership(deps.now());
  if (known === undefined) return { state, peerId: null };
  const role = known.master ? 'master' : 'standby';
  return { state: { ...state, term: known.term, role, reason: 'as it was' }, peerId: known.peerId };
}

/** True if the role has changed. */
function feed(site: Site, id: string, event: MastershipEvent, timeout = DEFAULT_MASTERSHIP.peerTimeout): boolean {
  const entry = site.entries.get(id);
  if (entry === undefined) return false;
  const before = entry.state;
  entry.state = nextMastership(before, event, site.deps.now(), { ...DEFAULT_MASTERSHIP, peerTimeout: timeout });
  if (entry.state.role === before.role && entry.state.term === before.term) return false;
  const { role, term, reason } = entry.state;
  site.deps.log.warn({ loadBalancer: id, role, term, reason }, 'a mastership has changed');
  if (event.kind !== 'granted' && role !== before.role) {
    const name = role === 'master' ? 'MASTERSHIP_TAKEN' : 'MASTERSHIP_GIVEN_UP';
    site.deps.notices.event(name, id, `${role === 'master' ? 'took over' : 'gave up'} with term ${term}: ${reason}`);
  }
  site.deps.notices.masterships(claimsOf(site).filter(({ loadBalancerId }) => loadBalancerId === id));
  return entry.state.role !== before.role;
}

function claimsOf({ entries }: Site): (Claim & { readonly reason: string })[] {
  return [...entries].map(
    ([
      loadBalancerId,
      {
        state: { term, role, reason },
      },
    ]) => ({
      ...{ loadBalancerId, term, reason },
      master: role === 'master',
    }),
  );
}

function look(site: Site, gateways: Gateways): void {
  const { deps } = site;
  const now = deps.now();
  const domains = deps.domains().filter(({ ready, spec }) => ready && spec.heartbeat !== undefined);
  keepLines(site, domains);
  let changed = false;
  const surroundings: Surroundings[] = [];
  for (const domain of deps.domains()) {
    const paired = domain.serving.filter(({ mastership }) => mastership !== undefined);
    for (const spec of paired) grant(site, spec);
    const isPaired = paired.length > 0;
    const gateway = isPaired || domain.ready ? gateways.look(domain, isPaired) : null;
    if (domain.ready) surroundings.push({ domain, gateway, line: site.lines.get(domain.spec.id) });
    const gatewayAt = gateway?.answeredAt ?? null;
    for (const { id } of paired) changed = judge(site, id, { domain, gatewayAt }) || changed;
  }
  forget(site);
  gateways.keep(deps.domains());
  for (const { spec, serving } of domains) {
    const claims = claimsOf(site).filter(({ loadBalancerId: id }) => serving.some((it) => it.id === id));
    const line = site.lines.get(spec.id);
    if (spec.heartbeat !== undefined) line?.want(spec.heartbeat, claims);
    line?.beat(now);
  }
  tellNeighbours(
    site,
    domains,
    surroundings.map((it) => reportReach(it, now)),
  );
  save(site);
  if (changed) deps.notices.onChange();
}

interface Seen {
  readonly domain: ServingDomain;
  readonly gatewayAt: number | null;
}

/** What has been heard since is fed before time passes. */
function judge(site: Site, id: string, { domain, gatewayAt }: Seen): boolean {
  const entry = site.entries.get(id);
  if (entry === undefined) return false;
  const controllerAt = site.deps.controllerHeard();
  entry.state = {
    ...entry.state,
    gatewayHeard: gatewayAt,
    controllerHeard: Math.max(controllerAt ?? 0, entry.state.controllerHeard ?? 0) || null,
  };
  // Whom it would take over from, it has to have known.
  if (entry.state.role === 'standby' && entry.peerId === null) return false;
  return feed(site, id, { kind: 'tick' }, domain.spec.heartbeat?.timeout);
}

function forget({ entries, deps }: Site): void {
  const served = new Set(deps.domains().flatMap(({ serving }) => serving.map(({ id }) => id)));
  for (const id of entries.keys()) if (!served.has(id)) entries.delete(id);
}

function hear(site: Site, { from, claims }: Beat): void {
  const first = from < site.deps.engineId;
  let changed = false;
  for (const { loadBalancerId, term, master } of claims) {
    const entry = site.entries.get(loadBalancerId);
    if (entry === undefined) continue;
    entry.peerId = from;
    changed = feed(site, loadBalancerId, { kind: 'peer', term, master, first }) || changed;
  }
  // Of those it did not speak of this time it is known that it lives.
  const now = site.deps.now();
  for (const entry of site.entries.values()) {
    if (entry.peerId === from) entry.state = { ...entry.state, peerHeard: now };
  }
  if (changed) site.deps.notices.onChange();
}

function keepLines(site: Site, domains: readonly ServingDomain[]): void {
  const { deps, lines } = site;
  const wanted = new Map(
    domains.flatMap((domain) => {
      const address = addressOf(domain);
      return address === undefined
        ? []
        : [[domain.spec.id, { address, key: `${domain.namespace} ${address}` }] as const];
    }),
  );
  for (const [id, line] of lines) {
    if (wanted.get(id)?.key === line.key) continue;
    line.close();
    lines.delete(id);
  }
  for (const { spec, namespace } of domains) {
    const want = wanted.get(spec.id);
    if (want === undefined || lines.has(spec.id)) continue;
    const { engineId, boot, log, now } = deps;
    const onBeat = (beat: Beat) => hear(site, beat);
    const line = openLine({ ...{ engineId, boot, namespace, log, now, onBeat }, address: want.address });
    lines.set(spec.id, { ...line, key: want.key });
  }
}

/** Of the family that neighbours are spoken to in. */
function addressOf({ spec: { vnics, heartbeat } }: ServingDomain): string | undefined {
  const isV6 = heartbeat?.neighbours[0]?.address.includes(':') ?? false;
  return vnics[0]?.addresses.map((cidr) => cidr.split('/')[0] ?? '').find((it) => it.includes(':') === isV6);
}

function tellNeighbours(site: Site, domains: readonly ServingDomain[], reach: readonly ReachReport[]): void {
  const now = site.deps.now();
  const heard = new Map<string, boolean>();
  for (const { spec } of domains) {
    const { neighbours, timeout }: HeartbeatSpec = spec.heartbeat ?? { neighbours: [], timeout: 0, interval: 0 };
    for (const { engineId } of neighbours) {
      const at = site.lines.get(spec.id)?.heardAt(engineId);
      heard.set(engineId, (heard.get(engineId) ?? false) || (at !== undefined && now - at <= timeout));
    }
  }
  const gateway = gatewayOf(site, now);
  if (gateway !== null) heard.set(site.deps.engineId, gateway);
  const list = [...heard].map(([engineId, isHeard]) => ({ engineId, heard: isHeard }));
  const text = JSON.stringify([list, reach]);
  if (text === site.told) return;
  site.told = text;
  site.deps.notices.neighbours(list, reach);
}

/** Whether the gateways of pairs answer; null: there are none, or they never did. */
function gatewayOf({ entries }: Site, now: number): boolean | null {
  const times = [...entries.values()].flatMap(({ state }) => state.gatewayHeard ?? []);
  return times.length === 0 ? null : times.every((at) => now - at <= DEFAULT_MASTERSHIP.gatewayTimeout);
}

function save(site: Site): void {
  const { deps, entries } = site;
  const masterships = Object.fromEntries(
    [...entries].map(([id, { state, peerId }]) => [id, { term: state.term, master: state.role === 'master', peerId }]),
  );
  const text = JSON.stringify(masterships);
  if (text === site.saved || (site.saved === '' && text === '{}')) return;
  site.saved = text;
  storeMasterships(deps.stateDir, masterships).catch((err: unknown) =>
    deps.log.warn({ err }, 'masterships could not be kept'),
  );
}
