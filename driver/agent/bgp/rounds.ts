import type { Logger } from 'pino';

/** Work that is done again and again, and at once when something has changed. Never two rounds at a time. */
export interface Rounds {
  begin(): void;
  /** Something has changed: a round is due. Without effect before `begin`. */
  soon(): void;
  /** Resolves once no round is under way any more. */
  stop(): Promise<void>;
}

/** Milliseconds in which changes of one moment are gathered. */
const GATHERING = 20;
const AFTER_TROUBLE = 1000;

/** @param work gives the milliseconds until it is due again */
export function createRounds(work: () => Promise<number>, log: Logger): Rounds {
  let running: Promise<void> | null = null;
  let again = false;
  let state: 'new' | 'going' | 'stopped' = 'new';
  let timer: NodeJS.Timeout | undefined;

  const plan = (pause: number) => {
    clearTimeout(timer);
    if (state === 'going') timer = setTimeout(start, pause);
  };
  const start = () => {
    again = false;
    running = work()
      .catch((err: unknown) => {
        log.warn({ err }, 'BGP speakers could not be looked after');
        return AFTER_TROUBLE;
      })
      .then((pause) => {
        running = null;
        plan(again ? GATHERING : Math.max(GATHERING, pause));
      });
  };
  return {
    begin() {
      if (state !== 'new') return;
      state = 'going';
      plan(0);
    },
    soon() {
      if (running === null) plan(GATHERING);
      else again = true;
    },
    async stop() {
      state = 'stopped';
      clearTimeout(timer);
      await running;
    },
  };
}
