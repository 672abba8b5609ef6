/**
 * The mass-failure breaker of a service engine group. When much of a group falls silent within a short time it is rather
 * the controllers' view that has failed than the engines: nothing is moved, unwired or taken down until it is known
 * better. Pure; times are numbers of milliseconds on one clock.
 */

export interface BreakerSettings {
  readonly enabled: boolean;
  /** It trips when more than this share (0..1) of the group's engines is lost ... */
  readonly share: number;
  /** ... within so many milliseconds ... */
  readonly window: number;
  /** ... and at least so many engines: one or two are always healed. */
  readonly least: number;
  /** Milliseconds without a further loss after which it begins to let engines be healed. */
  readonly quiet: number;
  /** Then one more engine may be healed each so many milliseconds. */
  readonly stepEvery: number;
}

export const DEFAULT_BREAKER: BreakerSettings = {
  enabled: true,
  share: 0.5,
  window: 60_000,
  least: 3,
  quiet: 300_000,
  stepEvery: 30_000,
};

/** What is kept of a group's breaker. */
export interface BreakerState {
  /** Closed: all is healed at once. Open: nothing is. Resuming: one engine after the other. */
  readonly state: 'closed' | 'open' | 'resuming';
  /** When it came into this state. */
  readonly since: number;
  /** An operator closed it, or it has resumed: losses before this count no more. */
  readonly forgiven: number;
}

export const CLOSED_BREAKER: BreakerState = { state: 'closed', since: 0, forgiven: 0 };

/** What a look at the group has shown. */
export interface BreakerLook {
  /** Engines of the group that are to serve: those that are lost among them, those that come up or go not. */
  readonly engines: number;
  /** When each of those that are lost now was. */
  readonly losses: readonly number[];
}

export interface BreakerVerdict {
  readonly breaker: BreakerState;
  /** Engines that may be healed now, counted from the one that was lost first. */
  readonly allowance: number;
  /** What has happened, for an event; null: nothing. */
  readonly change: 'tripped' | 'resuming' | 'closed' | null;
}

/** One look. The state it gives is to be kept and given to the next one. */
export function nextBreaker(
  before: BreakerState,
  { engines, losses }: BreakerLook,
  settings: BreakerSettings,
  now: number,
): BreakerVerdict {
  if (!settings.enabled) return { breaker: CLOSED_BREAKER, allowance: Number.POSITIVE_INFINITY, change: null };
  const to = (state: 'open' | 'resuming', change: BreakerVerdict['change'], forgiven = before.forgiven) => ({
    ...{ breaker: { state, since: now, forgiven }, change },
    allowance: state === 'open' ? 0 : 1,
  });
  const recent = losses.filter((at) => at > before.forgiven && at > now - settings.window).length;
  const isMass = recent >= settings.least && recent > settings.share * engines;
  if (before.state !== 'open' && isMass) return to('open', 'tripped');
  if (before.state !== 'closed' && losses.length === 0) {
    return { breaker: CLOSED_BREAKER, allowance: Number.POSITIVE_INFINITY, change: 'closed' };
  }
  switch (before.state) {
    case 'closed':
      return { breaker: before, allowance: Number.POSITIVE_INFINITY, change: null };
    case 'open': {
      const last = Math.max(before.since, ...losses);
      return now - last >= settings.quiet
        ? to('resuming', 'resuming', now)
        : { breaker: before, allowance: 0, change: null };
    }
    case 'resuming':
      return {
        breaker: before,
        allowance: 1 + Math.floor((now - before.since) / settings.stepEvery),
        change: null,
      };
  }
}

/** An operator has looked: what was lost until now is healed. */
export function resumeBreaker(now: number): BreakerState {
  return { state: 'closed', since: now, forgiven: now };
}

/** Reads what is kept; what makes no sense is a closed one. */
export function readBreaker(stored: unknown): BreakerState {
  const given = typeof stored === 'object' && stored !== null ? (stored as Record<string, unknown>) : {};
  const { state, since, forgiven } = given as Partial<Record<keyof BreakerState, unknown>>;
  if (state !== 'open' && state !== 'resuming' && state !== 'closed') return CLOSED_BREAKER;
  const time = (value: unknown): number => (typeof value === 'number' && Number.isFinite(value) ? value : 0);
  return { state, since: time(since), forgiven: time(forgiven) };
}
