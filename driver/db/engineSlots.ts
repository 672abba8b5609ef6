import type { EngineDemand, GroupLimits } from '../domain/placement';
import { usableSlots } from '../domain/placementRules';
import { toBit } from './codecs';
import { change, type Db, RetryableDbError } from './connect';

/** The slots of engines, which go with placements. */

/** An engine that was chosen; with its generation if something is to be plugged into it. */
export interface ChosenEngine {
  readonly id: string;
  readonly generation?: number;
}

/**
 * Takes a slot: the rules once more, against the row as it is now, for others place at the same time.
 * @throws RetryableDbError when the engine can be had no more
 */
export async function takeSlot(
  trx: Db,
  chosen: ChosenEngine,
  { demand, limits }: { demand: EngineDemand; limits: GroupLimits },
): Promise<void> {
  const { tenancy, perApp: ofFew } = limits;
  const perApp = toBit(demand.perApp);
  const guards: [sql: string, binding: string | number][] = [
    ['slots_used < ?', usableSlots({ slots: MANY }, demand, limits)],
  ];
  if (tenancy !== 'shared') guards.push(['(slots_used = 0 or project_id = ?)', demand.projectId]);
  if (!ofFew) guards.push(['(slots_used = 0 or coalesce(per_app, 0) = ?)', perApp]);
  // A load balancer that is there already may have come to need another network meanwhile.
  if (chosen.generation !== undefined) guards.push(['generation = ?', chosen.generation]);
  // MySQL evaluates assignments one after another: the count comes last.
  const taken = await change(
    trx,
    `update service_engine set project_id = case when slots_used = 0 or project_id = ? then ? else null end,
        per_app = case when slots_used = 0 then ? else per_app end, slots_used = slots_used + 1
      where id = ? and deleting = 0 and slots_used < slots and ${guards.map(([sql]) => sql).join(' and ')}`,
    [demand.projectId, demand.projectId, perApp, chosen.id, ...guards.map(([, binding]) => binding)],
  );
  if (taken !== 1) throw new RetryableDbError(new Error(`engine ${chosen.id} was taken by another load balancer`));
}

const MANY = Number.MAX_SAFE_INTEGER;

/** Gives a slot back; usage never falls below zero. */
export async function freeSlot(trx: Db, engineId: string): Promise<void> {
  await trx('service_engine')
    .where({ id: engineId })
    .where('slots_used', '>', 0)
    .update({ slots_used: trx.raw('slots_used - 1') });
}
