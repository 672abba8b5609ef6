import type { Logger } from 'pino';
import type { ContrailDriver } from '../clouds/contrail/port';
import type { Db } from '../db/connect';
import { recordEvents } from '../db/events';
import type { Leftover } from './leftovers';

export interface SweepDeps {
  readonly db: Db;
  readonly log: Logger;
  readonly driver: Pick<ContrailDriver, 'discard'>;
  readonly settings: { readonly grace: number };
  readonly now: () => Date;
}

/** Deletes what has been left over for the whole grace. */
export async function sweepLeftovers(
  { db, log, driver, settings, now }: SweepDeps,
  leftovers: readonly Leftover[],
  firstSeen: Map<string, number>,
): Promise<void> {
  const ids = new Set(leftovers.map(({ object }) => object.id));
  for (const id of [...firstSeen.keys()]) if (!ids.has(id)) firstSeen.delete(id);
  const at = now().getTime();
  for (const { object, why, loadBalancerId } of leftovers) {
    const since = firstSeen.get(object.id) ?? at;
    firstSeen.set(object.id, since);
    if (at - since < settings.grace * 1_000) continue;
    const { type, id, name } = object;
    try {
      await driver.discard(type, id);
    } catch (err) {
      log.warn({ err, id }, 'what is left over in Contrail could not be deleted yet');
      continue;
    }
    const message = `the ${type} ${name} (${id}) bears our mark and ${why}: it is deleted`;
    const told = { name: 'WIRING_LEFTOVER_DELETED', severity: 'warning' as const, message };
    await recordEvents(db, [{ ...told, resourceType: type, resourceId: id }], { loadBalancerId });
    log.warn({ id }, message);
  }
}
