import type { Logger } from 'pino';
import { type BgpSession, forgetBgpSession, listBgpSessions, saveBgpSession } from '../db/bgpSessions';
import { type Db, inTransaction } from '../db/connect';
import { recordEvents } from '../db/events';
import type { Happening } from '../domain/settlement';
import type { BgpSpec } from '../protocol/engineSpec';
import type { BgpState } from '../protocol/messages';
import { explainSession } from './bgpReasons';
import type { EngineLink } from './connections';
import type { HealthSettings } from './settings';

/** Keeps what engines say of their BGP sessions, and tells of those that come up, go down or do not come up. */
export interface BgpSessions {
  take(link: EngineLink, state: BgpState): Promise<void>;
  /** Tells of sessions that have not come up for too long, and forgets those that are not to be any more. */
  review(): Promise<void>;
}

export interface BgpSessionsDeps {
  readonly db: Db;
  readonly log: Logger;
  readonly links: () => readonly EngineLink[];
  /** What the engine was told of BGP, by domain; undefined: nobody knows at present. */
  readonly toldOf: (link: EngineLink) => ReadonlyMap<string, BgpSpec> | undefined;
  /** A session may take `networkPatience` to come up before it is called down. */
  readonly settings: Pick<HealthSettings, 'networkPatience'>;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
}

interface Known {
  /** By domain: what was last written. */
  readonly written: Map<string, string>;
  readonly states: Map<string, BgpState>;
  /** Since when a session is not there, by domain and peer. */
  readonly downSince: Map<string, number>;
  readonly told: Set<string>;
  turn: Promise<void>;
}

export function createBgpSessions(deps: BgpSessionsDeps): BgpSessions {
  const all = new WeakMap<EngineLink, Known>();
  const knownOf = (link: EngineLink): Known => {
    const known = all.get(link) ?? {
      ...{ written: new Map(), states: new Map(), downSince: new Map(), told: new Set(), turn: Promise.resolve() },
    };
    all.set(link, known);
    return known;
  };
  const inTurn = (known: Known, work: () => Promise<void>): Promise<void> => {
    const turn = known.turn.then(work);
    known.turn = turn.catch(() => undefined);
    return turn;
  };
  return {
    take(link, state) {
      const known = knownOf(link);
      known.states.set(state.domainId, state);
      return inTurn(known, () => keep(deps, { link, known, state }));
    },
    async review() {
      for (const link of deps.links()) {
        const known = all.get(link);
        if (known === undefined) continue;
        await inTurn(known, async () => {
          await forgetOthers(deps, link, known);
          for (const state of known.states.values()) await keep(deps, { link, known, state });
        });
      }
    },
  };
}

interface Heard {
  readonly link: EngineLink;
  readonly known: Known;
  readonly state: BgpState;
}

/** States on the way up are all the same to who asks: only what matters is written, and only when it is another. */
async function keep(deps: BgpSessionsDeps, { link, known, state }: Heard): Promise<void> {
  const bgp = deps.toldOf(link)?.get(state.domainId);
  const sessions = state.peers.map((peer): BgpSession => {
    const key = `${state.domainId} ${peer.address}`;
    const established = peer.state === 'established';
    if (established) known.downSince.delete(key);
    else if (!known.downSince.has(key)) known.downSince.set(key, deps.now());
    return {
      ...{ engineId: link.engineId, domainId: state.domainId, peerAddress: peer.address, established },
      reason: established ? null : explainSession(bgp, peer),
      announced: established ? state.announced : [],
    };
  });
  const late = sessions.filter((it) => isLate(it, known, deps));
  const text = JSON.stringify(sessions);
  if (known.written.get(state.domainId) === text && late.length === 0) return;
  const before = await listBgpSessions(deps.db, link.engineId);
  const told = await inTransaction(deps.db, async (trx) => {
    const fired: BgpSession[] = [];
    for (const session of sessions) {
      const earlier = before.find((it) => isSame(it, session));
      const changed = earlier?.established !== session.established;
      await saveBgpSession(trx, session, changed);
      // One that has only just begun has time.
      const due = late.includes(session) || (changed && (session.established || earlier?.established));
      if (!due) continue;
      const happening = happeningOf(link, session, earlier);
      await recordEvents(trx, [happening], { engineId: link.engineId });
      deps.log.info({ engine: link.engineId, event: happening.name }, happening.message);
      fired.push(session);
    }
    return fired;
  });
  known.written.set(state.domainId, text);
  for (const session of sessions.filter(({ established }) => established)) known.told.delete(keyOf(session));
  for (const session of told.filter(({ established }) => !established)) known.told.add(keyOf(session));
}

function isSame(one: BgpSession, other: BgpSession): boolean {
  return one.domainId === other.domainId && one.peerAddress === other.peerAddress;
}

function keyOf({ domainId, peerAddress }: BgpSession): string {
  return `${domainId} ${peerAddress}`;
}

function isLate(session: BgpSession, { downSince, told }: Known, { settings, now }: BgpSessionsDeps): boolean {
  const since = downSince.get(keyOf(session));
  return since !== undefined && !told.has(keyOf(session)) && now() - since >= settings.networkPatience;
}

function happeningOf(
  { engineName }: EngineLink,
  { established, peerAddress, domainId, reason }: BgpSession,
  earlier: BgpSession | undefined,
): Happening {
  const session = `BGP session of service engine ${engineName} with ${peerAddress} in network ${domainId}`;
  if (established) return { name: 'BGP_SESSION_UP', severity: 'info', message: `${session} is established` };
  const what = earlier?.established ? 'went down' : 'does not come up';
  return { name: 'BGP_SESSION_DOWN', severity: 'warning', message: `${session} ${what}: ${reason ?? 'unknown'}` };
}

/** Domains without BGP any more, and peers that are gone. */
async function forgetOthers({ db, toldOf }: BgpSessionsDeps, link: EngineLink, known: Known): Promise<void> {
  const told = toldOf(link);
  if (told === undefined) return;
  for (const domainId of known.states.keys()) if (!told.has(domainId)) known.states.delete(domainId);
  const size = [...told.values()].reduce((sum, { peers }) => sum + peers.length, 0);
  const kept = await listBgpSessions(db, link.engineId);
  if (kept.length <= size) return;
  for (const session of kept) {
    if (told.get(session.domainId)?.peers.some(({ address }) => address === session.peerAddress)) continue;
    await forgetBgpSession(db, session);
    known.written.delete(session.domainId);
  }
}
