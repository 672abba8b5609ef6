import type { Logger } from 'pino';
import type { Db } from '../db/connect';
import { type EngineNetworks, findEngineNetworks, listEngineNetworks } from '../db/engineNetworks';
import { recordNews } from '../db/events';
import { listVnicsUsed } from '../db/vnics';
import { type BgpService, bgpSecretContext } from '../domain/bgp';
import type { Sealer } from '../domain/sealing';
import { isComplete } from '../domain/vnic';
import type { BgpSpec, EngineSpec, HeartbeatSpec, NetworkProblem } from '../protocol/engineSpec';
import type { NetworksAck } from '../protocol/messages';
import { buildEngineSpec, isPlaced } from '../target/engineSpec';
import type { EngineLink } from './connections';
import type { HealthSettings } from './settings';

/**
 * Tells engines their networks, and knows which of them are in force: a load balancer is pushed to an engine once the
 * vNICs it needs there are.
 */
export interface NetworkPusher {
  /** Tells the engine if its networks differ from what it was told, or said that it holds. */
  bring(link: EngineLink): Promise<void>;
  /** Where the engine is to serve the load balancer. */
  placeOf(link: EngineLink, loadBalancerId: string): Promise<Place>;
  acknowledged(link: EngineLink, ack: NetworksAck): void;
  /** The BGP that the engine was told of, by domain; undefined: nothing is known yet. */
  bgpOf(link: EngineLink): ReadonlyMap<string, BgpSpec> | undefined;
  /** Brings to all engines what lost hints have left out, and tells of problems that last. */
  review(): Promise<void>;
}

export interface Place {
  /** Null: where the agent runs. */
  readonly domainId: string | null;
  /** False: a vNIC is awaited; the load balancer's turn comes with `onReady`. */
  readonly ready: boolean;
}

export interface NetworkPusherDeps {
  readonly db: Db;
  readonly log: Logger;
  /** Opens the secrets of sessions. */
  readonly sealer?: Pick<Sealer, 'open'> | undefined;
  /** Of this health-manager. */
  readonly id: string;
  readonly links: () => readonly EngineLink[];
  readonly settings: Pick<HealthSettings, 'networkPatience'>;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** The vNICs a load balancer was waiting for may be in force now. */
  readonly onReady: (link: EngineLink, loadBalancerId: string) => void;
}

/** What is known of one connection. */
interface State {
  /** What the engine was told, or said that it holds. */
  digest: string | null;
  /** The vNICs of that. */
  vnics: readonly VnicOfDomain[];
  bgp: ReadonlyMap<string, BgpSpec> | undefined;
  /** Of the last one that was acknowledged. */
  inForce: ReadonlySet<string>;
  /** When the engine was first told of a vNIC. */
  readonly toldAt: Map<string, number>;
  problems: Map<string, LastingProblem>;
  readonly waiting: Set<string>;
  /** One message at a time is composed for a connection. */
  turn: Promise<void>;
  /** The next one, as long as it has not begun. */
  next: Promise<void> | null;
}

interface VnicOfDomain {
  readonly id: string;
  readonly domainId: string;
}

interface LastingProblem extends NetworkProblem {
  readonly since: number;
  told: boolean;
}

const NOWHERE: Place = { domainId: null, ready: true };

export function createNetworkPusher(deps: NetworkPusherDeps): NetworkPusher {
  const states = new WeakMap<EngineLink, State>();
  const stateOf = (link: EngineLink): State => {
    const known = states.get(link);
    if (known) return known;
    const state = newState(link);
    states.set(link, state);
    return state;
  };
  const bring = (link: EngineLink): Promise<void> => {
    if (!link.networks.managed) return Promise.resolve();
    const state = stateOf(link);
    return inTurn(state, async () => {
      const networks = await findEngineNetworks(deps.db, link.engineId);
      if (networks) tell(link, state, { networks, deps });
    });
  };
  return {
    bring,
    async placeOf(link, loadBalancerId) {
      if (!link.networks.managed) return NOWHERE;
      // First of all, so that what is pushed after this finds its networks told.
      await bring(link);
      const used = await listVnicsUsed(deps.db, loadBalancerId, link.engineId);
      const domainId = used.find((vnic) => vnic.domainId !== null)?.domainId ?? null;
      if (domainId === null) return NOWHERE;
      const state = stateOf(link);
      const wanted = used.filter(({ deleting }) => !deleting);
      const ready = wanted.every((vnic) => isComplete(vnic) && state.inForce.has(vnic.id));
      // One that is served already is not kept from its changes for long by a vNIC that does not come.
      const since = Math.max(...wanted.map(({ id }) => state.toldAt.get(id) ?? Number.POSITIVE_INFINITY));
      const late = wanted.every(isPlaced) && deps.now() - since > deps.settings.networkPatience;
      if (ready || (late && link.held.has(loadBalancerId))) return { domainId, ready: true };
      state.waiting.add(loadBalancerId);
      return { domainId, ready: false };
    },
    bgpOf: (link) => stateOf(link).bgp,
    acknowledged(link, ack) {
      const state = stateOf(link);
      if (ack.digest !== state.digest) return;
      noteProblems(state, ack.problems, deps.now());
      state.inForce = new Set(state.vnics.filter((it) => !ack.problems.some(concerns(it))).map(({ id }) => id));
      const waiting = [...state.waiting];
      state.waiting.clear();
      for (const loadBalancerId of waiting) deps.onReady(link, loadBalancerId);
    },
    async review() {
      const links = new Map(deps.links().flatMap((link) => (link.networks.managed ? [[link.engineId, link]] : [])));
      for (const networks of links.size === 0 ? [] : await listEngineNetworks(deps.db, deps.id)) {
        const link = links.get(networks.engineId);
        if (!link) continue;
        // What was read here may be old by now: what differs is read again in its turn.
        const spec = specOf(networks, deps);
        const { digest } = stateOf(link);
        const isNothing = digest === null && spec.domains.length === 0;
        if (spec.digest !== digest && !isNothing) await bring(link);
        await tellProblems(deps, link, stateOf(link));
      }
    },
  };
}

/** Whoever comes before a look has begun is served by it: with a reconnection come all load balancers at once. */
function inTurn(state: State, look: () => Promise<void>): Promise<void> {
  state.next ??= state.turn.then(() => {
    state.next = null;
    return look();
  });
  state.turn = state.next.catch(() => undefined);
  return state.next;
}

/** An engine that says it holds the present networks is believed: it would have said what is wrong with them. */
function newState({ networks }: EngineLink): State {
  return {
    digest: networks.digest,
    vnics: [],
    bgp: undefined,
    inForce: new Set(),
    toldAt: new Map(),
    problems: new Map(),
    waiting: new Set(),
    turn: Promise.resolve(),
    next: null,
  };
}

function tell(
  link: EngineLink,
  state: State,
  { networks, deps }: { readonly networks: EngineNetworks; readonly deps: NetworkPusherDeps },
): void {
  const now = deps.now();
  const spec = specOf(networks, deps);
  const vnics = spec.domains.flatMap((domain) => domain.vnics.map(({ id }) => ({ id, domainId: domain.id })));
  for (const { id } of vnics) if (!state.toldAt.has(id)) state.toldAt.set(id, now);
  state.bgp = new Map(spec.domains.flatMap(({ id, bgp }) => (bgp === undefined ? [] : [[id, bgp] as const])));
  if (spec.digest === state.digest) {
    if (state.vnics.length === 0) state.inForce = new Set(vnics.map(({ id }) => id));
    state.vnics = vnics;
    return;
  }
  if (state.digest === null && spec.domains.length === 0) return;
  state.digest = spec.digest;
  state.vnics = vnics;
  link.send({ type: 'networks', spec });
}

/** Secrets are sealed in the rows, and in clear nowhere but in what is sent. One that nothing opens leaves the session out. */
function specOf(
  { engineId, vnics, generation, sessions, heartbeats }: EngineNetworks,
  { sealer, log }: Pick<NetworkPusherDeps, 'sealer' | 'log'>,
): EngineSpec {
  const open = new Map<string, BgpService>();
  for (const [vnicId, service] of sessions) {
    const { md5Secret, groupId } = service;
    try {
      if (md5Secret !== null && !sealer) throw new Error('[certificates] server_certs_key_passphrase is not set');
      const clear = md5Secret === null ? null : (sealer?.open(md5Secret, bgpSecretContext(groupId)) ?? null);
      open.set(vnicId, { ...service, md5Secret: clear });
    } catch (err) {
      log.error({ err, engine: engineId, service: service.id }, 'the secret of a BGP service cannot be opened');
    }
  }
  return buildEngineSpec(vnics, generation, open, heartbeatsOf(heartbeats));
}

function heartbeatsOf(heartbeats: EngineNetworks['heartbeats']): ReadonlyMap<string, HeartbeatSpec> {
  return new Map(
    [...heartbeats].map(([domainId, { heartbeatInterval: interval, heartbeatCount, neighbours }]) => [
      domainId,
      { interval, timeout: interval * heartbeatCount, neighbours: [...neighbours] },
    ]),
  );
}

function concerns({ id, domainId }: VnicOfDomain) {
  return (problem: NetworkProblem): boolean =>
    problem.about === undefined &&
    (problem.vnicId === id || (problem.vnicId === null && problem.domainId === domainId));
}

function noteProblems(state: State, problems: readonly NetworkProblem[], now: number): void {
  const before = state.problems;
  state.problems = new Map(
    problems.map((problem) => {
      const key = `${problem.domainId} ${problem.vnicId} ${problem.reason}`;
      return [key, before.get(key) ?? { ...problem, since: now, told: false }];
    }),
  );
}

/** What goes away by itself in a moment, an interface that is just being plugged in, is nobody's trouble. */
async function tellProblems({ db, log, settings, now }: NetworkPusherDeps, link: EngineLink, { problems }: State) {
  const lasting = [...problems.values()].filter((it) => !it.told && now() - it.since > settings.networkPatience);
  if (lasting.length === 0) return;
  const reasons = lasting.map(
    ({ domainId, vnicId, reason }) => `network ${domainId}${vnicId === null ? '' : `, vNIC ${vnicId}`}: ${reason}`,
  );
  const message = `service engine ${link.engineName}: ${reasons.sort().join('; ')}`;
  await recordNews(db, { name: 'ENGINE_NETWORK_PROBLEM', severity: 'warning', message }, link.engineId);
  for (const problem of lasting) problem.told = true;
  log.warn(
    { engine: link.engineId, problems: lasting.map(({ reason }) => reason) },
    'networks of an engine are not right',
  );
}
