import { setTimeout as sleep } from 'node:timers/promises';
import type { Db } from './connect';

/** A probe must answer before whoever asks it gives up. */
const PATIENCE = 4_000;

/**
 * Whether the database answers within a few seconds: what is wrong, or undefined.
 * @param patience milliseconds
 */
export async function pingDatabase(db: Db, patience = PATIENCE): Promise<string | undefined> {
  const answer = (async () => {
    try {
      await db.raw('select 1');
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  })();
  const late = sleep(patience, `The database did not answer within ${patience / 1000} s.`, { ref: false });
  return Promise.race([answer, late]);
}
