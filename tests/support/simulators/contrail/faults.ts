import type { Database, Snapshot } from './database';

/** What may go wrong with a Contrail, at the will of a test. */
export interface ContrailFaults {
  /** Answers with this status, the next `times` requests (default: until `clear`), only those that `when` is true of. */
  answer(status: number, given?: { times?: number; when?: (request: AskedRequest) => boolean; text?: string }): void;
  /** Carries requests out, and closes the connection instead of answering. */
  loseAnswers(given?: { times?: number; when?: (request: AskedRequest) => boolean }): void;
  /** Closes connections without reading what is asked. */
  dropConnections(given?: { times?: number; when?: (request: AskedRequest) => boolean }): void;
  /** Milliseconds before each answer; 0: none. */
  delay: number;
  /** The schema transformer does nothing; when it is started again it catches up. */
  transformerStopped: boolean;
  /** The pool of BGPaaS source ports is used up. */
  noFreeBgpPort: boolean;
  /** Everything as it is now. */
  snapshot(): Snapshot;
  /** An old database has been restored: everything is as it was then. */
  restore(snapshot: Snapshot): void;
  /** No fault any more. */
  clear(): void;
}

export interface AskedRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
}

/** What happens to a request instead of its answer. */
export type Trouble =
  | { readonly kind: 'answer'; readonly status: number; readonly text: string }
  | { readonly kind: 'lose' | 'drop' };

interface Planned {
  readonly trouble: Trouble;
  readonly when: (request: AskedRequest) => boolean;
  left: number;
}

/** The faults, and the side of them that the server asks. */
export interface FaultBoard extends ContrailFaults {
  troubleFor(request: AskedRequest): Trouble | undefined;
  /** Calls back when the schema transformer is started again. */
  onTransformerStart(listener: () => void): void;
}

export function createFaults(db: Database): FaultBoard {
  let planned: Planned[] = [];
  let stopped = false;
  let started: () => void = () => undefined;
  const plan = (
    trouble: Trouble,
    { times = Number.POSITIVE_INFINITY, when = () => true }: Partial<Pick<Planned, 'when'>> & { times?: number } = {},
  ): void => {
    planned.push({ trouble, when, left: times });
  };
  return {
    delay: 0,
    noFreeBgpPort: false,
    get transformerStopped() {
      return stopped;
    },
    set transformerStopped(value) {
      const starts = stopped && !value;
      stopped = value;
      if (starts) started();
    },
    answer: (status, { text = `Simulated fault ${status}`, ...given } = {}) =>
      plan({ kind: 'answer', status, text }, given),
    loseAnswers: (given) => plan({ kind: 'lose' }, given),
    dropConnections: (given) => plan({ kind: 'drop' }, given),
    snapshot: () => db.snapshot(),
    restore: (snapshot) => db.restore(snapshot),
    clear() {
      planned = [];
      this.delay = 0;
      this.noFreeBgpPort = false;
      this.transformerStopped = false;
    },
    troubleFor(request) {
      const found = planned.find(({ when }) => when(request));
      if (!found) return undefined;
      found.left -= 1;
      if (found.left <= 0) planned = planned.filter((one) => one !== found);
      return found.trouble;
    },
    onTransformerStart(listener) {
      started = listener;
    },
  };
}
