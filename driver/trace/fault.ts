import type { TraceFacts } from './facts';

/** A way in which a VIP breaks: how it shows in the facts, what has likely brought it about, and what mends it. */
export interface Fault {
  /** In small letters and dashes: what tests and users know it by. */
  readonly name: string;
  /** Pure. Empty: it is not there. */
  find(facts: TraceFacts): readonly Sighting[];
}

export interface Sighting {
  /** The line it is about: see `subjects.ts`. */
  readonly subject: string;
  readonly what: string;
  /** Where that was read. */
  readonly read: string;
  readonly cause: string;
  readonly cure: string;
}

export interface Finding extends Sighting {
  readonly fault: string;
}
