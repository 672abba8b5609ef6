import { fromBit } from './codecs';
import { type Db, dbNow, nowPlus, nowPlusSql, nowSql, prepared } from './connect';
import type { Want } from './placements';
import type { Bit } from './rows';

/**
 * Placements that others have replaced and that keep the connections they have: rows, so that a worker that comes after
 * a crash goes on where the one before was. Times are the database's.
 */

/** How far a placement's drain has come. */
export interface Drain {
  readonly placementId: string;
  /** Its time is up. */
  readonly expired: boolean;
  /** It has been drained for long enough that its engine has told what it counts since. */
  readonly reported: boolean;
  /** Connections of the load balancer on its engine, as last told. */
  readonly connections: number;
}

interface DrainRow {
  id: string;
  expired: Bit;
  reported: Bit;
  connections: number | string | null;
}

/** @param settle seconds within which engines tell what they count */
export async function listDrains(db: Db, loadBalancerId: string, settle: number): Promise<readonly Drain[]> {
  const rows = await prepared<DrainRow>(
    db,
    `select p.id, (case when p.drain_until <= ${nowSql(db)} then 1 else 0 end) as expired,
      (case when p.drain_since <= ${nowPlusSql(db, -settle)} then 1 else 0 end) as reported,
      (select sum(s.active_connections) from listener_statistics s
        where s.load_balancer_id = p.load_balancer_id and s.amphora_id = p.service_engine_id) as connections
      from placement p where p.load_balancer_id = ? and p.deleting = 0 and p.drain_until is not null`,
    [loadBalancerId],
  );
  return rows.map((row) => ({
    placementId: row.id,
    expired: fromBit(row.expired),
    reported: fromBit(row.reported),
    connections: Number(row.connections ?? 0),
  }));
}

/** Placements that have drained and whose engines have been told to forget the load balancer, less than `seconds` ago. */
export async function listLingering(db: Db, loadBalancerId: string, seconds: number): Promise<readonly string[]> {
  return db('placement')
    .where({ load_balancer_id: loadBalancerId, deleting: 1 })
    .whereNotNull('drain_until')
    .where('updated_at', '>', nowPlus(db, -seconds))
    .pluck('id');
}

/** Begins drains of `seconds` at most; one that is under way keeps its time. Their engines are to be told. */
export async function startDrains(
  trx: Db,
  ids: readonly string[],
  { generation, epoch, seconds }: Pick<Want, 'generation' | 'epoch'> & { readonly seconds: number },
): Promise<void> {
  if (ids.length === 0) return;
  await trx('placement')
    .whereIn('id', ids)
    .where({ deleting: 0 })
    .whereNull('drain_until')
    .update({
      drain_since: dbNow(trx),
      drain_until: nowPlus(trx, seconds),
      wanted_generation: generation,
      wanted_epoch: epoch,
      updated_at: dbNow(trx),
    });
}

/** Calls placements back: nobody serves in their stead any more. */
export async function stopDrains(trx: Db, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await trx('placement')
    .whereIn('id', ids)
    .update({ drain_since: null, drain_until: null, updated_at: dbNow(trx) });
}
