import { type BreakerSettings, type BreakerState, type BreakerVerdict, DEFAULT_BREAKER, nextBreaker } from './breaker';
import type { EngineStatus } from './engine';
import { type EngineReach, type Judged, judgeEngines, type KnownReach, type ReachTimes } from './reach';

/**
 * What is done about engines of a group that are lost: a function of what rows and clouds say. Pure; times are numbers of
 * milliseconds on one clock.
 */

export interface HealingSettings extends ReachTimes {
  /** How long an engine that nobody hears is silent before its load balancers move. */
  readonly moveAfter: number;
  /** How long an engine that serves nothing, and of whose server nothing is known, is silent before it is taken down. */
  readonly retireAfter: number;
  /** When as many are lost as could be a mass failure, the others of it are waited for: so long after the last one. */
  readonly settle: number;
  readonly breaker: BreakerSettings;
}

export const DEFAULT_HEALING: HealingSettings = {
  moveAfter: 0,
  retireAfter: 300_000,
  settle: 2_000,
  cutAfter: 6_000,
  cutOverAfter: 30_000,
  breaker: DEFAULT_BREAKER,
};

export interface HealingEngine {
  readonly id: string;
  readonly name: string;
  readonly status: EngineStatus;
  readonly deleting: boolean;
  /** Since when the controllers have not heard of it; null: they do. */
  readonly silentSince: number | null;
  /** Whether another engine hears it on a network of data, or has lately; null: nobody listens for it. */
  readonly heard: boolean | null;
  /** Its server in the compute service. `unknown`: it could not be asked, or has none yet. */
  readonly server: 'running' | 'stopped' | 'gone' | 'unknown';
  /** The cloud leads traffic of a VIP to it. */
  readonly wired: boolean;
  /** It has been told of: it is isolated, and still is. */
  readonly knownIsolated: boolean;
}

export interface HealingPlacement {
  readonly id: string;
  readonly loadBalancerId: string;
  readonly engineId: string;
  /** It is on its way off its engine already, or gone but for the engine's word. */
  readonly leaving: boolean;
  /** Its engine serves it as far as is known, or may come to: it has confirmed it, or is of a pair, and takes over unseen. */
  readonly mayServe: boolean;
  /** The VIP network; null or absent: there is none. */
  readonly networkId?: string | null;
}

/** A group with its engines and what is placed on them. */
export interface HealingView {
  readonly engines: readonly HealingEngine[];
  readonly placements: readonly HealingPlacement[];
  readonly breaker: BreakerState;
  /** What all engines that are connected, also those of other groups, say of the networks that those of this one are in. */
  readonly reach?: readonly KnownReach[];
}

export type HealingDecision =
  /** The load balancer is to have another engine; this placement stays until that serves. */
  | {
      readonly kind: 'move';
      readonly engineId: string;
      readonly placementId: string;
      readonly loadBalancerId: string;
      readonly reason: string;
    }
  /** Only its way to the controllers is cut: it serves, and is left alone. Told once. */
  | { readonly kind: 'isolated'; readonly engineId: string; readonly reason: string }
  /** It is heard by nobody any more, or by the controllers again. */
  | { readonly kind: 'rejoined'; readonly engineId: string; readonly reason: string }
  /** It is connected, and cut from a VIP network: it takes nothing there. Told again when others prove it. */
  | {
      readonly kind: 'cut';
      readonly engineId: string;
      readonly networkId: string;
      readonly proven: boolean;
      readonly reason: string;
    }
  /** ... and is not any more. */
  | { readonly kind: 'cutOver'; readonly engineId: string; readonly networkId: string; readonly reason: string }
  /** It is certain that it serves nothing: its server goes. */
  | { readonly kind: 'retire'; readonly engineId: string; readonly reason: string };

export interface HealingPlan {
  readonly decisions: readonly HealingDecision[];
  readonly breaker: BreakerVerdict;
}

/** Decides for one group. The same view gives the same plan; `breaker.breaker` is to be kept for the next one. */
export function planHealing(view: HealingView, settings: HealingSettings, now: number): HealingPlan {
  const reaches = judgeEngines(view.reach ?? [], view.engines.filter(isThere).map(idOf), settings, now);
  const lost = [...view.engines.filter(isLost).map(asLost), ...reaches.flatMap(asCut)];
  lost.sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
  const engines = view.engines.filter((it) => !it.deleting && (it.status === 'READY' || it.status === 'DOWN'));
  const look = { engines: engines.length, losses: lost.map(({ at }) => at) };
  const breaker = nextBreaker(view.breaker, look, settings.breaker, now);
  const isMass = mayBeMass(view, look.losses, settings, now);
  const allowed = new Set((isMass ? [] : lost.slice(0, breaker.allowance)).map(idOf));
  const isHeld = isMass || breaker.breaker.state !== 'closed';
  const isAllowed = ({ engineId, lostAt }: EngineReach): boolean => (lostAt === null ? !isHeld : allowed.has(engineId));
  return {
    decisions: [
      ...view.engines.flatMap(judgeIsolation),
      ...lost.flatMap(({ engine }) => (engine && allowed.has(engine.id) ? heal(engine, view, { settings, now }) : [])),
      ...(isHeld ? [] : view.engines.filter(isIsolated)).flatMap((it) => takeBack(it, view, { settings, now })),
      ...reaches.flatMap((it) =>
        it.judged.flatMap((one) => (isAllowed(it) || one.kind === 'over' ? leave(one, view, now) : [])),
      ),
    ],
    breaker,
  };
}

/** An engine that is lost, or cut from all of its networks. */
interface Lost {
  readonly id: string;
  readonly at: number;
  /** Of one that is silent. */
  readonly engine?: HealingEngine;
}

const idOf = ({ id }: { readonly id: string }): string => id;

const asLost = (engine: HealingEngine): Lost => ({ id: engine.id, at: silence(engine), engine });

const asCut = ({ engineId, lostAt }: EngineReach): Lost[] => (lostAt === null ? [] : [{ id: engineId, at: lostAt }]);

/** Connected, and to serve. */
function isThere({ status, deleting, silentSince }: HealingEngine): boolean {
  return status === 'READY' && !deleting && silentSince === null;
}

/** Of a mass failure the first engines are no different from a few that were lost by themselves. */
function mayBeMass(
  { breaker: { state, forgiven } }: HealingView,
  losses: readonly number[],
  { breaker: { enabled, least, window }, settle }: HealingSettings,
  now: number,
): boolean {
  if (!enabled || state !== 'closed') return false;
  const recent = losses.filter((at) => at > forgiven && at > now - window);
  return recent.length >= least && now - Math.max(...recent) < settle;
}

/** Silent for the controllers, though not on its way out. */
function isSilent({ status, deleting, silentSince }: HealingEngine): boolean {
  return status === 'DOWN' && !deleting && silentSince !== null;
}

/** Nobody has any sign of it. One whose server does not run cannot be heard, whatever was said a moment ago. */
function isLost(engine: HealingEngine): boolean {
  // Of one that was heard, and whose neighbours have fallen silent too, nothing else has become known.
  const heard = engine.heard ?? engine.knownIsolated;
  return isSilent(engine) && (!heard || isOff(engine));
}

/** Only its way to the controllers is cut. */
function isIsolated(engine: HealingEngine): boolean {
  return isSilent(engine) && !isLost(engine);
}

function isOff({ server }: HealingEngine): boolean {
  return server === 'gone' || server === 'stopped';
}

function silence({ silentSince }: HealingEngine): number {
  return silentSince ?? 0;
}

function judgeIsolation(engine: HealingEngine): HealingDecision[] {
  const { id: engineId, name, knownIsolated } = engine;
  const isolated = isIsolated(engine);
  if (isolated === knownIsolated) return [];
  if (isolated) {
    const reason = `service engine ${name} is silent on the management network, and heard by its neighbours on the data network: it serves, and stays as it is`;
    return [{ kind: 'isolated', engineId, reason }];
  }
  const how = isSilent(engine) ? 'is heard by nobody any more' : 'is heard by the controllers again';
  return [{ kind: 'rejoined', engineId, reason: `service engine ${name} ${how}` }];
}

interface Terms {
  readonly settings: HealingSettings;
  readonly now: number;
}

/** What an isolated engine had not put in force when its way was cut it never will in time: nobody waits for it. */
function takeBack(engine: HealingEngine, { placements }: HealingView, { settings, now }: Terms): HealingDecision[] {
  const silentFor = now - silence(engine);
  if (silentFor < settings.moveAfter) return [];
  const unserved = placements.filter((it) => it.engineId === engine.id && !it.leaving && !it.mayServe);
  const reason = `service engine ${engine.name} has been silent for ${Math.round(silentFor / 1000)} s, and had not put it in force before`;
  return unserved.map(({ id: placementId, loadBalancerId }) => ({
    ...{ kind: 'move', engineId: engine.id, placementId, loadBalancerId, reason },
  }));
}

function heal(engine: HealingEngine, { placements }: HealingView, { settings, now }: Terms): HealingDecision[] {
  const silentFor = now - silence(engine);
  if (silentFor < settings.moveAfter && !isOff(engine)) return [];
  const here = placements.filter(({ engineId }) => engineId === engine.id);
  const staying = here.filter(({ leaving }) => !leaving);
  const reason = reasonOf(engine, silentFor);
  if (staying.length > 0) {
    return staying.map(({ id: placementId, loadBalancerId }) => ({
      ...{ kind: 'move', engineId: engine.id, placementId, loadBalancerId, reason },
    }));
  }
  const certain = isOff(engine) || silentFor >= settings.retireAfter;
  if (here.length > 0 || engine.wired || !certain) return [];
  return [
    { kind: 'retire', engineId: engine.id, reason: `${reason}, no VIP leads to it, and nothing is placed on it` },
  ];
}

function reasonOf({ name, heard, server }: HealingEngine, silentFor: number): string {
  const seconds = Math.round(silentFor / 1000);
  const peers = heard === null ? 'nobody listens for it on the data network' : 'its neighbours do not hear it';
  const cloud = server === 'unknown' ? 'its server could not be asked after' : `its server is ${server}`;
  return `service engine ${name} has been silent for ${seconds} s: ${peers}, ${cloud}`;
}

/** What is served in the network leaves the engine, which goes on with it until others serve it. */
function leave(judged: Judged, { placements }: HealingView, now: number): HealingDecision[] {
  const { engineId, engineName, networkId, since } = judged.reach;
  const about = { engineId, networkId };
  const who = `service engine ${engineName}, in network ${networkId},`;
  if (judged.kind === 'over') return [{ kind: 'cutOver', ...about, reason: `${who} ${judged.seen}` }];
  const { proven, seen } = judged.cut;
  const reason = `${who} ${seen}, for ${Math.round((now - since) / 1000)} s, though the controllers hear it`;
  const staying = placements.filter((it) => it.engineId === engineId && it.networkId === networkId && !it.leaving);
  return [
    ...(judged.isNews ? [{ kind: 'cut' as const, ...about, proven, reason }] : []),
    ...staying.map(({ id: placementId, loadBalancerId }) => ({
      ...{ kind: 'move' as const, engineId, placementId, loadBalancerId, reason },
    })),
  ];
}
