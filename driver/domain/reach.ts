import { groupBy } from './groupBy';

/**
 * What engines say of the VIP networks they are in, and which of them is cut from one. Pure; times are numbers of
 * milliseconds on one clock.
 */

/** What an engine says of a VIP network. */
export interface Reach {
  /** Whether its gateway there answers; null: it never did, or there is none, and nothing follows. */
  readonly gateway: boolean | null;
  /** Ids of the neighbours it hears there. */
  readonly heard: readonly string[];
  /** ... and of those that it has heard and does not hear any more. */
  readonly missed: readonly string[];
}

/** As an engine puts it, which knows of no time before its agent began. */
export interface ReportedReach extends Pick<Reach, 'heard' | 'missed'> {
  /** The VIP network. */
  readonly domainId: string;
  readonly gateway: 'answers' | 'silent' | 'unanswered' | null;
}

/** What follows from a report after what was known: a new agent is silent of a gateway that has answered the one before. */
export function learnReach(
  { gateway, heard, missed }: ReportedReach,
  before: Pick<Reach, 'gateway'> | undefined,
): Reach {
  const hasAnswered = (before?.gateway ?? null) !== null;
  const isSilent = gateway === 'silent' || (gateway === 'unanswered' && hasAnswered);
  return { gateway: gateway === 'answers' ? true : isSilent ? false : null, heard, missed };
}

/** `trouble`: it has lost what it had. `unknown`: it never had anything to lose. */
export type ReachState = 'well' | 'trouble' | 'unknown';

/** A gateway that answers says that clients are in reach, whoever else is not; one that has stopped says more than neighbours. */
export function stateOfReach({ gateway, heard, missed }: Reach): ReachState {
  if (gateway !== null) return gateway ? 'well' : 'trouble';
  if (heard.length > 0) return 'well';
  return missed.length > 0 ? 'trouble' : 'unknown';
}

/** What is known of an engine that is connected, in one VIP network. */
export interface KnownReach extends Reach {
  readonly engineId: string;
  readonly engineName: string;
  readonly networkId: string;
  readonly state: ReachState;
  /** Since when it is in this state. */
  readonly since: number;
  /** It is known to be cut from it, with or without others that were well there; null: it is not. */
  readonly mark: { readonly proven: boolean } | null;
}

/** Why an engine is taken for cut from a network. */
export interface Cut {
  /** Others are well there, so that it is not the network. */
  readonly proven: boolean;
  /** As it goes on after "it". */
  readonly seen: string;
}

export interface ReachTimes {
  /** How long an engine has lost a network before its load balancers there leave it. */
  readonly cutAfter: number;
  /** How long it is well again before it takes any there. */
  readonly cutOverAfter: number;
}

/** Others are believed that have been as they are for a while: of a gateway that has just come back some know sooner. */
interface Others {
  readonly all: readonly KnownReach[];
  readonly well: readonly KnownReach[];
  /** Of these a gateway would have been heard by now. */
  readonly unknown: readonly KnownReach[];
}

/** Judges what an engine says by what others say of the same network; undefined: nothing follows. */
export function judgeReach(
  one: KnownReach,
  all: readonly KnownReach[],
  { cutAfter, cutOverAfter }: ReachTimes,
  now: number,
): Cut | undefined {
  if (one.state !== 'trouble') return undefined;
  const well = all.filter(({ state, since }) => state === 'well' && now - since >= cutAfter);
  const unknown = all.filter(({ state, since }) => state === 'unknown' && now - since >= cutOverAfter);
  return one.gateway === false ? judgeByGateway(one, { all, well, unknown }) : judgeByNeighbours(one, well);
}

function judgeByGateway(one: KnownReach, { all, well, unknown }: Others): Cut | undefined {
  const answered = well.find(({ gateway }) => gateway === true);
  const lost = 'is not answered by its gateway any more';
  if (answered) return { proven: true, seen: `${lost}, while engine ${answered.engineName} is` };
  // Of a gateway that nobody reaches, or that is just back, nothing is known of this engine.
  if (one.heard.length > 0 || all.some(({ gateway }) => gateway !== null)) return undefined;
  const together = well.find(({ heard }) => heard.some((id) => id !== one.engineId));
  if (together) return { proven: true, seen: `${lost}, and hears nobody, while engine ${together.engineName} does` };
  if (unknown.length > 0) return undefined;
  return { proven: false, seen: `${lost}, and no other engine is there that could tell more` };
}

/** Who has missed whom is told by who else is there for either: of two with nobody else, by nothing. */
function judgeByNeighbours(one: KnownReach, well: readonly KnownReach[]): Cut | undefined {
  const witness = well.find(
    ({ engineId, gateway, heard }) =>
      one.missed.includes(engineId) && (gateway === true || heard.some((id) => id !== one.engineId)),
  );
  if (!witness) return undefined;
  const how = witness.gateway === true ? 'is answered by its gateway' : 'hears others';
  return { proven: true, seen: `hears none of its neighbours any more, of which engine ${witness.engineName} ${how}` };
}

/** What is to follow for an engine in a network. */
export type Judged =
  /** Its load balancers there leave it. `isNews`: that is to be noted and told. */
  | { readonly kind: 'cut'; readonly reach: KnownReach; readonly cut: Cut; readonly isNews: boolean }
  /** It was cut, and is not any more. */
  | { readonly kind: 'over'; readonly reach: KnownReach; readonly seen: string };

/** What is concluded of one engine. */
export interface EngineReach {
  readonly engineId: string;
  readonly judged: readonly Judged[];
  /** When it had lost all networks of which anything is known; null: it has one. */
  readonly lostAt: number | null;
}

/** Concludes for each engine of these; in the order of their ids. */
export function judgeEngines(
  reach: readonly KnownReach[],
  engineIds: readonly string[],
  times: ReachTimes,
  now: number,
): readonly EngineReach[] {
  const byNetwork = groupBy(reach, ({ networkId }) => networkId);
  const byEngine = groupBy(reach, ({ engineId }) => engineId);
  return [...engineIds].sort().flatMap((engineId) => {
    const own = byEngine.get(engineId);
    if (!own) return [];
    const looked = own.map((it) => {
      const others = (byNetwork.get(it.networkId) ?? []).filter((other) => other.engineId !== engineId);
      return { reach: it, others, cut: judgeReach(it, others, times, now) };
    });
    const judged = looked.flatMap((it) => judge(it, own, { times, now }));
    return [{ engineId, judged, lostAt: lostAt(looked, now - times.cutAfter / 2) }];
  });
}

interface Looked {
  readonly reach: KnownReach;
  readonly others: readonly KnownReach[];
  readonly cut: Cut | undefined;
}

interface Moment {
  readonly times: ReachTimes;
  readonly now: number;
}

function judge({ reach, others, cut }: Looked, own: readonly KnownReach[], { times, now }: Moment): Judged[] {
  const { mark, state } = reach;
  const isLasting = ({ since }: KnownReach): boolean => now - since >= times.cutOverAfter;
  if (mark === null)
    return cut && now - reach.since >= times.cutAfter ? [{ kind: 'cut', reach, cut, isNews: true }] : [];
  if (state === 'trouble') {
    if (cut) return [{ kind: 'cut', reach, cut, isNews: cut.proven && !mark.proven }];
    const isGone = others.length > 0 && others.every((it) => it.state !== 'well' && isLasting(it));
    return isGone ? [{ kind: 'over', reach, seen: 'is no worse off than all others there' }] : [];
  }
  if (!isLasting(reach)) return [];
  if (state === 'well') return [{ kind: 'over', reach, seen: 'is well there again' }];
  if (!mark.proven)
    return [{ kind: 'over', reach, seen: 'serves nobody there any more, and nobody else was well there' }];
  // With nothing left there that could answer it, the engine is believed if its other networks say that it is well.
  const elsewhere = own.filter((it) => it !== reach && it.state !== 'unknown');
  const isWell = elsewhere.length > 0 && elsewhere.every((it) => it.state === 'well' && isLasting(it));
  return isWell ? [{ kind: 'over', reach, seen: 'serves nobody there any more, and is well elsewhere' }] : [];
}

/** Also what has yet to last somewhat longer: of what is lost at once some know sooner than others. */
function lostAt(looked: readonly Looked[], from: number): number | null {
  const known = looked.filter(({ reach }) => reach.state !== 'unknown');
  const isLost = ({ reach, cut }: Looked): boolean =>
    reach.state === 'trouble' && (reach.mark !== null || (cut !== undefined && reach.since <= from));
  return known.length > 0 && known.every(isLost) ? Math.max(...known.map(({ reach }) => reach.since)) : null;
}
