import type { AnnouncementSpec } from '../../protocol/spec';
import { type Damped, damp, HIDDEN, SHOWN, timeLeft } from './damp';
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
  /** As of the last look. */
  routes(domainId: string): Route[];
}

interface Entry {
  readonly domainId: string;
  readonly damped: Damped;
  readonly routes: readonly Route[];
}

export function createAnnouncements(): Announcements {
  const adopted = new Map<string, ReadonlySet<string>>();
  let entries = new Map<string, Entry>();
  return {
    adopt: (domainId, addresses) => void adopted.set(domainId, addresses),
    look(served, now) {
      const next = new Map<string, Entry>();
      let soonest: number | null = null;
      for (const one of served) {
        const known = entries.get(one.id);
        const before = known?.domainId === one.domainId ? known.damped : firstOf(one, adopted.get(one.domainId));
        const damped = judge(before, one, now);
        next.set(one.id, { domainId: one.domainId, damped, routes: damped.shown ? routesOf(one) : [] });
        const left = timeLeft(damped, { ...one.announcement, now });
        if (left !== null) soonest = Math.min(soonest ?? left, left);
      }
      entries = next;
      return soonest;
    },
    domainOf(id) {
      const entry = entries.get(id);
      return entry?.damped.shown ? entry.domainId : null;
    },
    routes: (domainId) =>
      [...entries.values()].filter((entry) => entry.domainId === domainId).flatMap(({ routes }) => routes),
  };
}

function firstOf({ vips }: ServedHere, adopted: ReadonlySet<string> | undefined): Damped {
  return vips.some((vip) => adopted?.has(vip)) ? SHOWN : HIDDEN;
}

/** What a user has ended, a listener or the load balancer itself, is not waited for. */
function judge(before: Damped, { announcement, wanted, serving, usable }: ServedHere, now: number): Damped {
  if (usable === null) return before;
  if (!wanted) return HIDDEN;
  const present = announcement.when === 'always' ? serving : usable;
  return damp(before, present, { ...announcement, now });
}

function routesOf({ vips, announcement }: ServedHere): Route[] {
  return vips.map((address) => ({ address, graceful: announcement.draining }));
}
