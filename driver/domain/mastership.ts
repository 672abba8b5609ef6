/**
 * Who of a pair answers for a load balancer's VIPs. The controllers grant mastership with a term; whoever has the higher
 * term is the master. Pure; times are numbers of milliseconds on one clock, of the engine or of the controllers.
 */

export interface MastershipSettings {
  /** Milliseconds after which a peer that was not heard on the data network is silent. */
  readonly peerTimeout: number;
  /** ... after which the gateway of the VIP network does not answer. */
  readonly gatewayTimeout: number;
  /** ... after which the controllers are away. */
  readonly controllerTimeout: number;
}

/** Avi's 100 ms x 10 between engines, and three heartbeats to the controllers. */
export const DEFAULT_MASTERSHIP: MastershipSettings = {
  peerTimeout: 1_000,
  gatewayTimeout: 3_000,
  controllerTimeout: 3_000,
};

/** Of one load balancer on one engine. */
export interface MastershipState {
  readonly role: 'master' | 'standby';
  /** The highest that was granted, taken or heard of. */
  readonly term: number;
  /** When the peer, the gateway and the controllers were last heard; null: never. */
  readonly peerHeard: number | null;
  readonly gatewayHeard: number | null;
  readonly controllerHeard: number | null;
  /** Since when it has looked: what was never heard is silent from then on. */
  readonly since: number;
  /** Since when the peer is heard and neither of the two is the master; null: it is not so. */
  readonly masterlessSince: number | null;
  /** Of two with the same claim the peer goes first. */
  readonly peerFirst: boolean;
  /** It is to give up this role for the peer, of a higher term: once that has it, or at this time at the latest. */
  readonly yields?: { readonly term: number; readonly by: number } | null;
  /** Why the role is what it is. */
  readonly reason: string;
}

export type MastershipEvent =
  /** The controllers have said who is to be the master. */
  | { readonly kind: 'granted'; readonly term: number; readonly master: boolean }
  /** The peer was heard, with its term and role. `first`: its id is the lower one, so that of equal claims its counts. */
  | { readonly kind: 'peer'; readonly term: number; readonly master: boolean; readonly first: boolean }
  | { readonly kind: 'gateway' }
  | { readonly kind: 'controller' }
  /** Time has passed. */
  | { readonly kind: 'tick' };

export function newMastership(now: number): MastershipState {
  return {
    ...{ role: 'standby', term: 0, peerHeard: null, gatewayHeard: null, controllerHeard: null, since: now },
    ...{ masterlessSince: null, peerFirst: false },
    reason: 'nothing was granted yet',
  };
}

/** One event on one engine. Whoever becomes the master tells neighbours (gratuitous ARP, unsolicited advertisement). */
export function nextMastership(
  state: MastershipState,
  event: MastershipEvent,
  now: number,
  settings: MastershipSettings = DEFAULT_MASTERSHIP,
): MastershipState {
  switch (event.kind) {
    case 'granted':
      return granted({ ...state, controllerHeard: now }, event, { now, settings });
    case 'peer':
      return heard(state, event, now);
    case 'gateway':
      return tick({ ...state, gatewayHeard: now }, now, settings);
    case 'controller':
      return tick({ ...state, controllerHeard: now }, now, settings);
    case 'tick':
      return tick(state, now, settings);
  }
}

/** How long a peer may take to have what was granted to it, in times it takes to be silent. */
const YIELD_TIMEOUTS = 3;

/** What is older than what was taken meanwhile is not followed: the controllers learn of that, and grant anew. */
function granted(
  state: MastershipState,
  { term, master }: { readonly term: number; readonly master: boolean },
  { now, settings }: { readonly now: number; readonly settings: MastershipSettings },
): MastershipState {
  if (term < state.term) return state;
  // Who gave up in this term is its master no more: the controllers learn of that, too, and grant another one.
  if (term === state.term) return state;
  const next = master ? 'master' : 'standby';
  const peerThere = state.peerHeard !== null && now - state.peerHeard <= settings.peerTimeout;
  if (!master && state.role === 'master' && peerThere && (state.yields?.term ?? 0) < term) {
    // Until the other one has said that it answers, this one does: nothing is lost between.
    return { ...state, yields: { term, by: now + YIELD_TIMEOUTS * settings.peerTimeout } };
  }
  if (!master && state.yields?.term === term) return state;
  return {
    ...state,
    term,
    yields: null,
    role: next,
    masterlessSince: null,
    reason: `the controllers granted term ${term}`,
  };
}

function heard(state: MastershipState, peer: Extract<MastershipEvent, { kind: 'peer' }>, now: number): MastershipState {
  const known = { ...state, peerHeard: now, peerFirst: peer.first };
  const higher = peer.term > state.term;
  const yields = peer.master && (higher || (peer.term === state.term && state.role === 'master' && peer.first));
  if (yields) {
    const reason = `the peer is the master with term ${peer.term}, and this one had ${state.term}`;
    return { ...known, term: peer.term, role: 'standby', masterlessSince: null, yields: null, reason };
  }
  // A term that was spent by one who gave up is spent for both.
  const term = Math.max(state.term, peer.term);
  if (peer.master || state.role === 'master') return { ...known, masterlessSince: null };
  return { ...known, term, masterlessSince: state.masterlessSince ?? now };
}

function tick(state: MastershipState, now: number, settings: MastershipSettings): MastershipState {
  const quiet = (last: number | null, timeout: number): boolean => now - (last ?? state.since) > timeout;
  const peerGone = quiet(state.peerHeard, settings.peerTimeout);
  const gatewayGone = quiet(state.gatewayHeard, settings.gatewayTimeout);
  const controllerGone = quiet(state.controllerHeard, settings.controllerTimeout);
  if (state.role === 'master') {
    if (state.yields && now >= state.yields.by) {
      const reason = `the controllers granted term ${state.yields.term} to the peer`;
      return { ...state, term: state.yields.term, role: 'standby', masterlessSince: null, yields: null, reason };
    }
    // A gateway that never answered, as some do not, says nothing by its silence.
    if (!peerGone || !controllerGone || !gatewayGone || state.gatewayHeard === null) return state;
    const reason = 'neither the peer nor the gateway nor a controller can be reached';
    return { ...state, role: 'standby', masterlessSince: null, reason };
  }
  // A term of 0 was never granted to anybody: there is nothing to take over.
  if (state.term === 0 || !controllerGone || gatewayGone || state.gatewayHeard === null) return state;
  const seen = peerGone ? 'is silent on the data network' : 'is no master either';
  if (!peerGone && !isMasterless(state, now, settings)) return state;
  const term = state.term + 1;
  const reason = `the controllers are away, the peer ${seen} and the gateway answers: term ${term}`;
  return { ...state, term, role: 'master', masterlessSince: null, reason };
}

/** Long enough for the peer to have said so if it were otherwise; of two, one waits longer. */
function isMasterless(
  { masterlessSince, peerFirst }: MastershipState,
  now: number,
  { peerTimeout }: MastershipSettings,
): boolean {
  return masterlessSince !== null && now - masterlessSince > (peerFirst ? 3 : 1) * peerTimeout;
}

/** An engine of a pair, as the controllers see it. */
export interface PairMember {
  readonly engineId: string;
  /** The row says that it is to be the master. */
  readonly primary: boolean;
  /** It is connected, and serves the load balancer. */
  readonly live: boolean;
  /** The other one hears it on the data network; null: it does not say. */
  readonly heard: boolean | null;
  /** Whether its gateway on the data network answers it; null or absent: it does not say. */
  readonly gateway?: boolean | null;
  /** What it said last of itself; null: nothing. */
  readonly claim: { readonly term: number; readonly master: boolean } | null;
  /** An operator wants it to hand over. */
  readonly handsOver?: boolean;
  /** The load balancer is to be here as long as both are well. */
  readonly preferred: boolean;
  /** Since when it has been live; null: it is not. */
  readonly liveSince: number | null;
}

export interface PairView {
  readonly members: readonly PairMember[];
  /** The highest term that was granted or heard of. */
  readonly term: number;
  /** Give back to the preferred one by itself. */
  readonly givesBack: boolean;
}

export interface Grant {
  readonly engineId: string;
  readonly term: number;
  /** `learnt`: it was taken while no controller was there. */
  readonly why: 'learnt' | 'takeover' | 'giveback' | 'again' | 'asked';
  readonly reason: string;
}

/** Milliseconds the preferred engine has to be live before it gets back what it had. */
export const GIVE_BACK_AFTER = 10_000;

/** Whom the controllers grant mastership anew; undefined: all stays as it is. */
export function grantMastership({ members, term, givesBack }: PairView, now: number): Grant | undefined {
  const taken = members.find(({ claim }) => claim?.master && claim.term > term);
  if (taken?.claim) {
    const reason = `engine ${taken.engineId} took over with term ${taken.claim.term} while no controller was there`;
    return { engineId: taken.engineId, term: taken.claim.term, why: 'learnt', reason };
  }
  const spent = Math.max(term, ...members.map(({ claim }) => claim?.term ?? 0));
  const master = members.find(({ primary }) => primary);
  const other = members.find((it) => it !== master && it.live);
  if (master?.live && master.gateway !== false && master.claim && !master.claim.master && master.claim.term >= term) {
    const reason = `engine ${master.engineId} gave up, and is well again`;
    return { engineId: master.engineId, term: spent + 1, why: 'again', reason };
  }
  if (!other) return undefined;
  if (!master || (!master.live && master.heard !== true)) {
    const seen = !master ? 'there is none' : `engine ${master.engineId} is silent, and not heard on the data network`;
    return {
      engineId: other.engineId,
      term: term + 1,
      why: 'takeover',
      reason: `the master is to be another: ${seen}`,
    };
  }
  if (master.handsOver) {
    const reason = `engine ${master.engineId} hands over, as an operator asked`;
    return { engineId: other.engineId, term: spent + 1, why: 'asked', reason };
  }
  // The controllers reach it, but clients do not.
  if (master.live && master.heard === false && master.gateway === false && other.gateway !== false) {
    const reason = `engine ${master.engineId} is cut off on the data network: neither its gateway nor its peer is there`;
    return { engineId: other.engineId, term: spent + 1, why: 'takeover', reason };
  }
  const wellFor = other.liveSince === null ? 0 : now - other.liveSince;
  if (!givesBack || !other.preferred || master.preferred || wellFor < GIVE_BACK_AFTER) return undefined;
  const reason = `engine ${other.engineId} is back and well, and the load balancer is to be there`;
  return { engineId: other.engineId, term: spent + 1, why: 'giveback', reason };
}
