import { toDbTime } from './codecs';
import type { Db } from './connect';

/** What a placement can be asked to do from outside. */
export type PlacementRequest = 'failover' | 'configure' | 'delete';

/** Writes a request into one placement, for the worker to meet. @returns false when the placement is gone */
export async function requestOfPlacement(
  db: Db,
  placementId: string,
  { request, requestId }: { request: PlacementRequest; requestId: string },
  at: Date,
): Promise<boolean> {
  const changed = await db('placement')
    .where({ id: placementId, deleting: 0 })
    .update({ request, request_id: requestId, updated_at: toDbTime(at) });
  return changed === 1;
}

/** Marks an engine that serves nothing as wanted gone. @returns false when it is gone or serves something */
export async function removeSpareEngine(db: Db, engineId: string, at: Date): Promise<boolean> {
  const changed = await db('service_engine')
    .where({ id: engineId, deleting: 0 })
    .whereNotExists(db('placement').where('placement.service_engine_id', engineId).select('id'))
    .update({ deleting: 1, generation: db.raw('generation + 1'), retry_at: null, updated_at: toDbTime(at) });
  return changed === 1;
}
