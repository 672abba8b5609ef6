import type { ScaleIn } from '../domain/scaling';
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

/** What an operator's call asks of placements. */
export interface LeaveRequest {
  readonly request: 'scalein' | 'migrate';
  /** The engine that is to take over; any without. */
  readonly target?: string | null;
  readonly requestId: string;
  readonly at: Date;
}

/** Asks placements to leave their engines; who takes over a role has it from now on. In a transaction that claimed the load balancer. */
export async function askToLeave(
  trx: Db,
  { placements, promote }: { placements: ScaleIn['leave']; promote?: ScaleIn['promote'] },
  { request, target = null, requestId, at }: LeaveRequest,
): Promise<void> {
  const ids = placements.map(({ id }) => id);
  await trx('placement')
    .whereIn('id', ids)
    .update({ request, request_target: target, request_id: requestId, updated_at: toDbTime(at) });
  if (!promote) return;
  await trx('placement').whereIn('id', ids).where({ role: 'primary' }).update({ role: promote.role });
  await trx('placement').where({ id: promote.id }).update({ role: 'primary' });
}

/** What was asked of a placement is taken back: it stays on its engine, and is told again. In a transaction that claimed the load balancer. */
export async function callBack(trx: Db, placementId: string): Promise<void> {
  await trx('placement').where({ id: placementId, deleting: 0 }).update({
    request: null,
    request_id: null,
    request_target: null,
    drain_since: null,
    drain_until: null,
  });
}

/** Gives a load balancer another flavor. What operators have scaled it by was meant for the one before. */
export async function writeFlavor(trx: Db, loadBalancerId: string, flavorId: string | null): Promise<void> {
  await trx('load_balancer').where({ id: loadBalancerId }).update({ flavor_id: flavorId, scale_adjustment: null });
}

/** Writes by how many engines operators have scaled a load balancer. */
export async function writeScale(trx: Db, loadBalancerId: string, adjustment: number): Promise<void> {
  await trx('load_balancer').where({ id: loadBalancerId }).update({ scale_adjustment: adjustment });
}

/** Marks an engine that serves nothing as wanted gone. @returns false when it is gone or serves something */
export async function removeSpareEngine(db: Db, engineId: string, at: Date): Promise<boolean> {
  const changed = await db('service_engine')
    .where({ id: engineId, deleting: 0 })
    .whereNotExists(db('placement').where('placement.service_engine_id', engineId).select('id'))
    .update({ deleting: 1, generation: db.raw('generation + 1'), retry_at: null, updated_at: toDbTime(at) });
  return changed === 1;
}
