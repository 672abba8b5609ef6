import { type Damped, damp, HIDDEN, SHOWN, timeLeft } from '../../domain/damp';
import type { AnnouncementSpec } from '../../protocol/spec';
import type { Route } from './render';

/** A load balancer that is served here, as far as its announcement goes. */
export interface ServedHere {
  readonly id: string;
  readonly domainId: string;
  readonly vips: readonly string[];
  readonly announcement: AnnouncementSpec;
  /** It has listeners. */
  readonly wanted: boolean;
  /** Its processes run. */
  readonly serving: boolean;
  /** A request could be answered; null: not known yet, as before the first look at statistics. */
  readonly usable: boolean | null;
}

/** Decides which VIPs are announced. */
export interface Announcements {
  /** Takes for announced what the BIRD of an earlier agent announces in a domain. */
  adopt(domainId: string, addresses: ReadonlySet<string>): void;
  /** Looks at what is served now. Milliseconds until the next look is due; null: none is by itself. */
  look(served: readonly ServedHere[], now: number): number | null;
  /** Where VIPs of the load balancer were announced at the last look; null: nowhere. */
  domainOf(loadBalancerId: string): string | null;
  /** The load balancer is about to end here: what is announced of it stays, with GRACEFUL_SHUTDOWN, until `forget`. */
  part(loadBalancerId: string): void;
  forget(loadBalancerId: string): void;
  /** As of the last look. */
  routes(domainId: string): Route[];
}

interface Entry {
  readonly domainId: string;
  /** Since when it has been on its way off this engine; null: it stays. */
  readonly drainingSince: number | null;
  readonly damped: Damped;
  readonly routes: readonly Route[];
}

/** Milliseconds peers have to find other ways for what is on its way off this engine: RFC 8326, section 4. */
const GRACE = 2000;

export function createAnnouncements(): Announcements {
  const adopted = new Map<string, ReadonlySet<string>>();
  const parting = new Map<string, Entry>();
  let entries = new Map<string, Entry>();
  return {
    adopt: (domainId, addresses) => void adopted.set(domainId, addresses),
    look(served, now) {
      const next = new Map<string, Entry>();
      let soonest: number | null = null;
      for (const one of served) {
        const known = entries.get(one.id);
        const before = known?.domainId === one.domainId ? known.damped : firstOf(one, adopted.get(one.domainId));
        const drainingSince = one.announcement.draining ? (known?.drainingSince ?? now) : null;
        const damped = judge(before, one, { now, drainingSince });
        const { domainId } = one;
        next.set(one.id, { domainId, drainingSince, damped, routes: damped.shown ? routesOf(one) : [] });
        const left = [timeLeft(damped, { ...one.announcement, now }), drainingSince && drainingSince + GRACE - now];
        for (const time of left) if (time !== null && time > 0) soonest = Math.min(soonest ?? time, time);
      }
      entries = next;
      return soonest;
    },
    domainOf(id) {
      const entry = entries.get(id);
      return entry?.damped.shown ? entry.domainId : null;
    },
    part(id) {
      const entry = entries.get(id);
      if (entry) parting.set(id, { ...entry, routes: entry.routes.map((route) => ({ ...route, graceful: true })) });
    },
    forget: (id) => void parting.delete(id),
    routes: (domainId) =>
      [...new Map([...entries, ...parting]).values()]
        .filter((entry) => entry.domainId === domainId)
        .flatMap(({ routes }) => routes),
  };
}

function firstOf({ vips }: ServedHere, adopted: ReadonlySet<string> | undefined): Damped {
  return vips.some((vip) => adopted?.has(vip)) ? SHOWN : HIDDEN;
}

/** What a user has ended, a listener or the load balancer itself, is not waited for. */
function judge(
  before: Damped,
  { announcement, wanted, serving, usable }: ServedHere,
  { now, drainingSince }: { readonly now: number; readonly drainingSince: number | null },
): Damped {
  // It is not announced anew, and soon not at all: what connections there are go on.
  if (drainingSince !== null && (!before.shown || now - drainingSince >= GRACE)) return HIDDEN;
  if (usable === null) return before;
  if (!wanted) return HIDDEN;
  const present = announcement.when === 'always' ? serving : usable;
  return damp(before, present, { ...announcement, now });
}

function routesOf({ vips, announcement }: ServedHere): Route[] {
  return vips.map((address) => ({ address, graceful: announcement.draining }));
}
