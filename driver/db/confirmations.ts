import type { ObjectRefusal } from '../domain/tree';
import { fromBit, toBit, toJson, toNumber } from './codecs';
import { type Db, dbNow } from './connect';
import type { EngineConnection } from './engineConnections';
import type { PlacementRow } from './rows';

/** What engines say of their placements. Only the health-manager that holds the newest connection changes anything. */

/** A placement as the comparison with what an engine holds needs it. */
export interface HeldPlacement {
  readonly loadBalancerId: string;
  readonly deleting: boolean;
  readonly stale: boolean;
  readonly wantedGeneration: number;
  readonly wantedEpoch: number;
  readonly confirmedGeneration: number;
}

export async function listPlacementsOn(db: Db, engineId: string): Promise<readonly HeldPlacement[]> {
  const rows: PlacementRow[] = await db('placement').where({ service_engine_id: engineId }).select('*');
  return rows.map((row) => ({
    loadBalancerId: row.load_balancer_id,
    deleting: fromBit(row.deleting),
    stale: fromBit(row.stale),
    wantedGeneration: toNumber(row.wanted_generation),
    wantedEpoch: toNumber(row.wanted_epoch),
    confirmedGeneration: toNumber(row.confirmed_generation),
  }));
}

/** An engine and a load balancer on it. */
export interface PlacedPair {
  readonly engineId: string;
  readonly loadBalancerId: string;
}

/** What the engines of a health-manager have still to be told, or to confirm; also what they refused, which may be asked for anew. */
export async function listUnconfirmed(db: Db, connectedTo: string): Promise<readonly PlacedPair[]> {
  const rows: Pick<PlacementRow, 'service_engine_id' | 'load_balancer_id'>[] = await db('placement as p')
    .join('service_engine as e', 'e.id', 'p.service_engine_id')
    .where('e.connected_to', connectedTo)
    .where((open) =>
      open
        .where('p.deleting', 1)
        .orWhere('p.stale', 1)
        .orWhere('p.refused', 1)
        .orWhereRaw('p.confirmed_generation < p.wanted_generation'),
    )
    .select('p.service_engine_id', 'p.load_balancer_id');
  return rows.map((row) => ({ engineId: row.service_engine_id, loadBalancerId: row.load_balancer_id }));
}

/** That an engine has a generation in force, less what it refuses; or, `refused`, that nothing of it is. */
export interface Confirmation {
  readonly loadBalancerId: string;
  readonly generation: number;
  readonly refused: boolean;
  readonly refusals: readonly ObjectRefusal[];
}

/**
 * Writes a confirmation, only ever forward. A stale placement is so no more once it has confirmed what is wanted. True if
 * anything changed.
 */
export async function confirmPlacement(trx: Db, from: EngineConnection, given: Confirmation): Promise<boolean> {
  const refusals = given.refusals.length === 0 ? null : toJson(given.refusals);
  const refused = toBit(given.refused);
  const changed = await trx('placement')
    .where({ load_balancer_id: given.loadBalancerId, service_engine_id: from.engineId, deleting: 0 })
    .where('confirmed_generation', '<=', given.generation)
    .where((news) =>
      news
        .where('confirmed_generation', '<', given.generation)
        .orWhere('refused', '<>', refused)
        .orWhereRaw("coalesce(refusals, '') <> ?", [refusals ?? ''])
        .orWhere((back) => back.where('stale', 1).where('wanted_generation', '<=', given.generation)),
    )
    .whereExists(isNewest(trx, from))
    .update({
      confirmed_generation: given.generation,
      refusals,
      refused,
      stale: trx.raw('case when wanted_generation <= ? then 0 else stale end', [given.generation]),
      updated_at: dbNow(trx),
    });
  return changed === 1;
}

/**
 * The engine serves the load balancer no more: its placement goes and the slot is free. False when it is wanted there
 * again, or is gone already.
 */
export async function confirmRemoval(
  trx: Db,
  from: EngineConnection,
  { loadBalancerId, generation }: { loadBalancerId: string; generation: number },
): Promise<boolean> {
  const removed = await trx('placement')
    .where({ load_balancer_id: loadBalancerId, service_engine_id: from.engineId, deleting: 1 })
    .where('wanted_generation', '<=', generation)
    .whereExists(isNewest(trx, from))
    .delete();
  if (removed === 0) return false;
  await trx('service_engine')
    .where({ id: from.engineId })
    .where('slots_used', '>', 0)
    .update({ slots_used: trx.raw('slots_used - 1') });
  await trx('listener_statistics')
    .where({ amphora_id: from.engineId, load_balancer_id: loadBalancerId })
    .update({ active_connections: 0 });
  return true;
}

function isNewest(db: Db, { engineId, epoch }: EngineConnection) {
  return db('service_engine').where({ id: engineId, connection_epoch: epoch }).select('id');
}
