import { readFileSync } from 'node:fs';
import type { Logger } from 'pino';
import type { Domain } from './domain';

/** What is looked after. */
export interface Watched {
  readonly log: Logger;
  /** The domains that are to be. */
  wanted(): Domain[];
  /** Brings those about that are chosen when its turn comes, and tells what has come of it. */
  bringAbout(choose: () => Domain[] | Promise<Domain[]>): Promise<void>;
}

/** Milliseconds between two looks for interfaces that have been plugged in, at what the domains have, and at problems. */
const GLANCE = 200;
const AUDIT = 5000;
/** Audits of which one looks at routes and rules as well: that is four processes more a domain. */
const THOROUGH = 2;
const RETRY = 3000;

/** Looks for what is awaited, and after what is there; tells when anything has come of it. Gives what is to be cleared to end it. */
export function watch({ wanted, bringAbout, log }: Watched): NodeJS.Timeout[] {
  let names = interfacesHere();
  let busy = false;
  const look = (choose: () => Domain[] | Promise<Domain[]>) => {
    if (busy) return;
    busy = true;
    bringAbout(choose)
      .catch((err: unknown) => log.warn({ err }, 'a look at the networks failed'))
      .finally(() => {
        busy = false;
      });
  };
  const troubled = () => wanted().filter((domain) => domain.problems().length > 0 || !domain.ready());
  const glance = setInterval(() => {
    const now = interfacesHere();
    if (now === names || busy) return;
    names = now;
    look(troubled);
  }, GLANCE);
  const retry = setInterval(() => {
    if (troubled().length > 0) look(troubled);
  }, RETRY);
  let audits = 0;
  const audit = setInterval(
    () =>
      look(async () => {
        audits += 1;
        const thorough = audits % THOROUGH === 0;
        const changed = await Promise.all(wanted().map((domain) => domain.hasChanged(thorough)));
        return wanted().filter((_, index) => changed[index]);
      }),
    AUDIT,
  );
  return [glance, retry, audit];
}

/** The names of the interfaces where the agent is, also of those that are down: cheap enough for several times a second. */
function interfacesHere(): string {
  return readFileSync('/proc/self/net/dev', 'latin1').replace(/:.*/g, '');
}
