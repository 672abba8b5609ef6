import type { Setting } from './settings';
import type { Stage } from './stage';

/** One row of the table: a test by traffic and the settings that it proves. */
export interface Row {
  readonly proves: readonly Setting[];
  /** A sentence, the title of the test. */
  readonly title: string;
  /** Milliseconds; 20 s unless said. */
  readonly timeout?: number;
  readonly run: (stage: Stage) => Promise<void>;
}
