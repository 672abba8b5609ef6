import { mkdir, rename, rm } from 'node:fs/promises';
import type { BgpState } from '../../protocol/messages';
import type { AgentConfig } from '../config';
import { isAlive, type ProcessIdentity } from '../process/identity';
import { StartError } from '../process/startError';
import { createBackOff } from '../serve/backOff';
import { readIfPresent, writeAtomically } from '../state/files';
import { errorMessage } from '../systemError';
import { ask } from './control';
import type { FindBird } from './find';
import { adoptBird, type BirdPaths, birdPaths, complaintOf, endBird, startBird, whyRefused } from './process';
import { announcedBy, familyOf, protocolName, type Route, renderBird, type SpeakingDomain } from './render';
import { readNotifications, readSessions, type Session, tellingError } from './sessions';
import { hostPrefix } from './words';

/** The BGP speaker of one domain. Its methods are called one after the other. */
export interface Speaker {
  /** Finds the BIRD of an earlier agent. Gives the addresses it announces. */
  adopt(namespace: string): Promise<ReadonlySet<string>>;
  /** Has it run in the namespace, announcing the routes. Never rejects: what is wrong is in `problem`. */
  bringAbout(namespace: string, domain: SpeakingDomain, routes: readonly Route[]): Promise<void>;
  /** Asks it for its sessions. */
  look(): Promise<void>;
  /** As of the last look. */
  state(): BgpState;
  /** Why it does not announce what it should; null: it does. */
  problem(): string | null;
  /** True if a peer is told of anything now. */
  isHeard(): boolean;
  /** Takes leave of the peers and ends it. */
  end(): Promise<void>;
}

export interface SpeakerDeps {
  readonly config: Pick<AgentConfig, 'stateDir' | 'runDir'>;
  readonly findBird: FindBird;
  /** It ended by itself. */
  onCrash(): void;
  /** Milliseconds. */
  now(): number;
}

interface State {
  readonly domainId: string;
  readonly paths: BirdPaths;
  readonly deps: SpeakerDeps;
  bird: ProcessIdentity | null;
  /** What it runs with; null: not known. */
  text: string | null;
  /** What it has refused, and why. */
  refused: { readonly text: string; readonly reason: string } | null;
  problem: string | null;
  domain: SpeakingDomain | null;
  without: ReadonlyMap<string, string>;
  sessions: ReadonlyMap<string, Session>;
  notifications: ReadonlyMap<string, string>;
  /** When it was started, and when it may be started again. */
  startedAt: number;
  notBefore: number;
}

const FIRST_PAUSE = 200;
const LONGEST_PAUSE = 10_000;
/** One that lived this long has not crashed at its start. */
const LONG_LIFE = 30_000;

export function createSpeaker(domainId: string, deps: SpeakerDeps): Speaker {
  const restarts = createBackOff(FIRST_PAUSE, LONGEST_PAUSE);
  const state: State = {
    ...{ domainId, deps, paths: birdPaths(deps.config, domainId) },
    ...{ bird: null, text: null, refused: null, problem: null, domain: null },
    ...{ startedAt: 0, notBefore: 0 },
    ...{ without: new Map(), sessions: new Map(), notifications: new Map() },
  };
  return {
    async adopt(namespace) {
      state.bird = await adoptBird(namespace, state.paths);
      return state.bird === null ? new Set() : announcedBy((await readIfPresent(state.paths.config)) ?? '');
    },
    async bringAbout(namespace, domain, routes) {
      if (hasCrashed(state)) {
        if (deps.now() - state.startedAt > LONG_LIFE) restarts.reset();
        state.notBefore = deps.now() + restarts.next();
        deps.onCrash();
      }
      state.domain = domain;
      try {
        state.problem = await bringAbout(state, namespace, routes);
      } catch (error) {
        state.notBefore = deps.now() + restarts.next();
        const said = error instanceof StartError && error.output !== '' ? `: ${error.output}` : '';
        state.problem = `${errorMessage(error)}${said}`;
      }
    },
    look: () => look(state),
    state: () => stateOf(state),
    problem: () => state.problem,
    isHeard: () => stateOf(state).announced.length > 0,
    async end() {
      await endBird(state.paths);
      await rm(state.paths.directory, { recursive: true, force: true });
      Object.assign(state, { bird: null, text: null, sessions: new Map(), domain: null, problem: null });
    },
  };
}

function hasCrashed(state: State): boolean {
  if (state.bird === null || isAlive(state.bird)) return false;
  Object.assign(state, { bird: null, text: null, sessions: new Map() });
  return true;
}

/** What is wrong, or null. Throws what goes wrong with a start. */
async function bringAbout(state: State, namespace: string, routes: readonly Route[]): Promise<string | null> {
  const { paths, deps, domain } = state;
  if (domain === null) return null;
  const { text, without } = renderBird(domain, routes, paths.log);
  if (state.bird !== null && text === state.text) return null;
  if (text === state.refused?.text) return state.refused.reason;
  if (state.bird === null && deps.now() < state.notBefore) return state.problem;
  const bird = await deps.findBird();
  if ('problem' in bird) return bird.problem;

  await mkdir(paths.directory, { recursive: true, mode: 0o700 });
  await writeAtomically(paths.candidate, text, false);
  const complaint = await whyRefused(bird.path, paths.candidate);
  if (complaint !== null) return refuse(state, text, complaint);
  const before = await readIfPresent(paths.config);
  await rename(paths.candidate, paths.config);
  if (state.bird === null) {
    state.startedAt = deps.now();
    state.bird = await startBird(bird.path, namespace, paths);
  } else {
    const { code, lines } = await ask(paths.socket, `configure "${paths.config}"`);
    if (code.startsWith('8') || code.startsWith('9')) {
      if (before !== null) await writeAtomically(paths.config, before, false);
      return refuse(state, text, complaintOf(lines.join('\n')));
    }
  }
  state.text = text;
  state.refused = null;
  state.without = without;
  return null;
}

function refuse(state: State, text: string, complaint: string): string {
  const reason = `bird refuses its configuration: ${complaint}`;
  state.refused = { text, reason };
  return reason;
}

async function look(state: State): Promise<void> {
  if (state.bird === null || !isAlive(state.bird)) return;
  const { lines } = await ask(state.paths.socket, 'show protocols all');
  state.sessions = readSessions(lines);
  if ([...state.sessions.values()].every((session) => session.state === 'established')) return;
  state.notifications = readNotifications((await readIfPresent(state.paths.log)) ?? '');
}

function stateOf({ domainId, domain, bird, sessions, notifications, without, text }: State): BgpState {
  const alive = bird !== null && isAlive(bird);
  const peers = (domain?.bgp.peers ?? []).map(({ address }) => {
    const reason = without.get(address);
    const session = reason === undefined && alive ? sessions.get(protocolName(address)) : undefined;
    if (session === undefined) return { address, state: 'down' as const, lastError: reason ?? null };
    return {
      address,
      state: session.state,
      lastError: tellingError(session, notifications.get(protocolName(address))),
    };
  });
  const families = new Set(
    alive ? [...sessions.values()].flatMap((it) => (it.state === 'established' ? [...it.families] : [])) : [],
  );
  const announced = [...announcedBy(text ?? '')].filter((it) => families.has(familyOf(it)));
  return { type: 'bgp', domainId, peers, announced: announced.map((it) => hostPrefix(it).text).sort() };
}
