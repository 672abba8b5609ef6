import type { Db } from '../db/connect';
import { closeTrouble, openTrouble } from '../db/troubles';
import { UnavailableError } from '../domain/errors';

/**
 * Tells that a cloud's API is away, or back: one event, whichever of the processes find out, and however often they try
 * meanwhile. True: it was news.
 */
export async function tellCloud(db: Db, cloud: string, state: 'away' | 'back'): Promise<boolean> {
  const cause = `cloud ${cloud}`;
  if (state === 'away') {
    const message = `the ${cloud} service does not answer: nobody asks it for a while`;
    const trouble = { cause, about: { what: message, context: {} } };
    return openTrouble(db, trouble, { name: 'CLOUD_AWAY', severity: 'error', message });
  }
  const over = await closeTrouble(db, cause, ({ age }) => ({
    name: 'CLOUD_BACK',
    severity: 'info',
    message: `the ${cloud} service answers again after ${age.toFixed(0)} s`,
  }));
  return over !== undefined;
}

/** Work in a cloud that tells when the cloud is away, and that it is back. */
export function tellingOutage(db: Db, cloud: string, work: () => Promise<void>): () => Promise<void> {
  return async () => {
    try {
      await work();
    } catch (error) {
      if (error instanceof UnavailableError) await tellCloud(db, cloud, 'away');
      throw error;
    }
    await tellCloud(db, cloud, 'back');
  };
}
