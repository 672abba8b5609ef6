import type { Db } from '../db/connect';
import { BGP_POOL, closeTrouble, openTrouble } from '../db/troubles';
import type { Inventory } from '../domain/inventory';

/** Part of the sessions that may be taken before somebody is told, and at which that is over. */
const NEARLY_ALL = 0.9;
const ENOUGH_LEFT = 0.85;

/** Tells when the sessions of BGP as a Service, which are few and of all of the cloud, come to an end. */
export async function watchPool(db: Db, { taken, most }: Inventory['sessions']): Promise<void> {
  if (taken >= most * NEARLY_ALL) {
    const message = `${taken} of the ${most} sessions of BGP as a Service in this cloud are taken: engines beyond get none`;
    await openTrouble(
      db,
      { cause: BGP_POOL, about: { what: message, context: {} } },
      { name: 'BGP_POOL_LOW', severity: 'warning', message },
    );
  }
  if (taken < most * ENOUGH_LEFT) {
    const message = `${taken} of the ${most} sessions of BGP as a Service in this cloud are taken: enough are left again`;
    await closeTrouble(db, BGP_POOL, () => ({ name: 'BGP_POOL_OK', severity: 'info', message }));
  }
}
