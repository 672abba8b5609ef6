import type { Logger } from 'pino';
import type { Db } from '../../db/connect';
import { recordEvents } from '../../db/events';

/** Something about who calls, or says it is an engine. */
export interface PortEvent {
  readonly name: string;
  readonly severity: 'info' | 'warning' | 'error';
  readonly message: string;
  /** Null: nobody known. */
  readonly engineId: string | null;
}

/** Records events that anybody can cause: the same thing once in a while, and so many at most in all. */
export interface Teller {
  tell(event: PortEvent): void;
}

/** Milliseconds in which the same is told once. */
const QUIET = 600_000;
/** Events within a minute; beyond it they are logged alone. */
const MOST = 60;
const MINUTE = 60_000;
const MOST_REMEMBERED = 2_000;

export function createTeller({ db, log, now }: { db: Db; log: Logger; now: () => number }): Teller {
  const told = new Map<string, number>();
  let minute = { began: now(), count: 0 };

  const isNews = (key: string): boolean => {
    const last = told.get(key);
    if (last !== undefined && now() - last < QUIET) return false;
    if (now() - minute.began >= MINUTE) minute = { began: now(), count: 0 };
    if (minute.count >= MOST) return false;
    minute.count += 1;
    told.delete(key);
    told.set(key, now());
    const [oldest] = told.keys();
    if (told.size > MOST_REMEMBERED && oldest !== undefined) told.delete(oldest);
    return true;
  };
  return {
    tell({ engineId, ...event }) {
      if (!isNews(`${event.name} ${engineId} ${event.message}`)) return;
      log.warn({ event: event.name, engine: engineId }, event.message);
      recordEvents(db, [event], { engineId }).catch((err: unknown) =>
        log.warn({ err, event: event.name }, 'an event could not be recorded'),
      );
    },
  };
}
