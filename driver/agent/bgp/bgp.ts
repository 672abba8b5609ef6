import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { DomainSpec, NetworkProblem } from '../../protocol/engineSpec';
import type { BgpState } from '../../protocol/messages';
import type { AgentConfig } from '../config';
import { monotonicNow } from '../process/monotonic';
import { createQueue, type Queue } from '../serve/queue';
import { type Announcements, createAnnouncements, type ServedHere } from './announcements';
import type { FindBird } from './find';
import { endOthers } from './process';
import type { SpeakingDomain } from './render';
import { createRounds } from './rounds';
import { createSpeaker, type Speaker } from './speaker';

/** A domain of the engine that is to be, with its namespace. */
export interface DomainHere {
  readonly spec: DomainSpec;
  readonly namespace: string;
  /** Its interfaces are there. */
  readonly ready: boolean;
}

/** The BGP speakers of an engine: one in each domain that asks for it. */
export interface Bgp {
  /** Takes over what an earlier agent left. To be called once, before `begin`. */
  adopt(): Promise<void>;
  /** All that was held is served again, or cannot be: from now on what is announced follows from what is served. */
  begin(): void;
  /** Something it depends on has changed. */
  changed(): void;
  /** One for each domain that has BGP. */
  states(): BgpState[];
  problems(): NetworkProblem[];
  /**
   * A load balancer counts as served no more, and is about to be ended: resolves when peers have been told. `gracefully`:
   * others serve on, so peers are first asked to take these.
   */
  withdrawn(loadBalancerId: string, gracefully: boolean): Promise<void>;
  /** Ends the speaker of a domain whose namespace goes. */
  close(domainId: string): Promise<void>;
  /** `keepServing`: they stay, for the next agent. */
  stop(options: { keepServing: boolean }): Promise<void>;
}

/** What speakers tell without being asked. */
export interface BgpNotices {
  state(state: BgpState): void;
  /** `problems` has become another. */
  problems(): void;
  event(name: string, message: string): void;
}

export interface BgpDeps {
  readonly config: Pick<AgentConfig, 'stateDir' | 'runDir'>;
  readonly findBird: FindBird;
  readonly log: Logger;
  readonly domains: () => readonly DomainHere[];
  readonly served: () => readonly ServedHere[];
  readonly notices: BgpNotices;
}

/** Milliseconds between two looks at the sessions. */
const ROUND = 1000;
/** Milliseconds it takes peers, and theirs, to forget a route. */
const FORGETTING = 300;

/** For an engine whose networks are not the agent's. */
export const noBgp: Bgp = {
  adopt: async () => undefined,
  begin: () => undefined,
  changed: () => undefined,
  states: () => [],
  problems: () => [],
  withdrawn: async () => undefined,
  close: async () => undefined,
  stop: async () => undefined,
};

interface Site {
  readonly deps: BgpDeps;
  readonly speakers: Map<string, Speaker>;
  readonly announcements: Announcements;
  readonly queue: Queue;
  /** What was last told of a domain's sessions. */
  readonly told: Map<string, string>;
}

export function createBgp(deps: BgpDeps): Bgp {
  const site: Site = {
    deps,
    speakers: new Map(),
    announcements: createAnnouncements(),
    queue: createQueue(),
    told: new Map(),
  };
  const { speakers, announcements, queue } = site;
  let begun = false;
  const rounds = createRounds(async () => {
    const pause = await queue.run(() => bringAbout(site));
    await queue.run(() => look(site));
    return pause;
  }, deps.log);
  return {
    async adopt() {
      const domains = speakingDomains(deps.domains());
      await endOthers(
        deps.config,
        domains.map(({ spec }) => spec.id),
      );
      for (const { spec, namespace } of domains) {
        announcements.adopt(spec.id, await speakerOf(site, spec.id).adopt(namespace));
      }
    },
    begin() {
      begun = true;
      rounds.begin();
    },
    changed: rounds.soon,
    // What has not been looked at yet would seem to be down.
    states: () => [...speakers].flatMap(([id, speaker]) => (site.told.has(id) ? [speaker.state()] : [])),
    problems: () => problemsOf(site),
    async withdrawn(loadBalancerId, gracefully) {
      const domainId = announcements.domainOf(loadBalancerId);
      if (!begun || domainId === null || !speakers.get(domainId)?.isHeard()) return;
      if (gracefully) await askAway(site, loadBalancerId);
      await queue.run(() => bringAbout(site));
      await sleep(FORGETTING);
    },
    close: (domainId) => queue.run(() => end(site, domainId)),
    async stop({ keepServing }) {
      await rounds.stop();
      await queue.idle();
      if (!keepServing) await Promise.all([...speakers.keys()].map((id) => end(site, id)));
    },
  };
}

/** RFC 8326: whoever has another way takes it, while there is this one. */
async function askAway(site: Site, loadBalancerId: string): Promise<void> {
  const { announcements, queue } = site;
  announcements.part(loadBalancerId);
  try {
    await queue.run(() => bringAbout(site));
    await sleep(FORGETTING);
  } finally {
    announcements.forget(loadBalancerId);
  }
}

function speakerOf({ deps, speakers }: Site, domainId: string): Speaker {
  const known = speakers.get(domainId);
  if (known !== undefined) return known;
  const speaker = createSpeaker(domainId, {
    ...deps,
    now: () => monotonicNow(),
    onCrash: () => deps.notices.event('BGP_SPEAKER_CRASHED', `bird of network ${domainId} ended unexpectedly`),
  });
  speakers.set(domainId, speaker);
  return speaker;
}

async function end({ speakers, told }: Site, domainId: string): Promise<void> {
  await speakers.get(domainId)?.end();
  speakers.delete(domainId);
  told.delete(domainId);
}

/** Has every speaker run as it is wanted; gives the milliseconds until that may be something else. */
async function bringAbout(site: Site): Promise<number> {
  const { deps, speakers, announcements } = site;
  const due = announcements.look(deps.served(), monotonicNow());
  const domains = speakingDomains(deps.domains());
  for (const id of [...speakers.keys()]) if (!domains.some(({ spec }) => spec.id === id)) await end(site, id);
  const before = JSON.stringify(problemsOf(site));
  await Promise.all(
    domains
      .filter(({ ready, spec }) => ready || speakers.has(spec.id))
      .map(({ spec, namespace }) =>
        speakerOf(site, spec.id).bringAbout(namespace, spec, announcements.routes(spec.id)),
      ),
  );
  if (JSON.stringify(problemsOf(site)) !== before) deps.notices.problems();
  return Math.min(due ?? ROUND, ROUND);
}

async function look({ deps, speakers, told }: Site): Promise<void> {
  for (const [domainId, speaker] of speakers) {
    try {
      await speaker.look();
    } catch (err) {
      deps.log.debug({ domainId, err }, 'bird did not tell of its sessions');
      continue;
    }
    const state = speaker.state();
    const text = JSON.stringify(state);
    if (told.get(domainId) === text) continue;
    told.set(domainId, text);
    deps.notices.state(state);
  }
}

function speakingDomains(domains: readonly DomainHere[]): (DomainHere & { readonly spec: SpeakingDomain })[] {
  return domains.flatMap(({ spec, ...rest }) =>
    spec.bgp === undefined ? [] : [{ ...rest, spec: { ...spec, bgp: spec.bgp } }],
  );
}

function problemsOf({ speakers }: Site): NetworkProblem[] {
  return [...speakers].flatMap(([domainId, speaker]) => {
    const reason = speaker.problem();
    return reason === null ? [] : [{ domainId, vnicId: null, reason, about: 'bgp' }];
  });
}
