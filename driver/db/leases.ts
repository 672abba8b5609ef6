import { type Db, dbNow, nowPlus } from './connect';

/**
 * Leases: one holder a unit of reconciliation. Taking one raises the unit's epoch, and every later write of the holder
 * is conditional on owner and epoch, so that a holder that was overtaken changes nothing. Times are the database's.
 */

export type LeasedTable = 'load_balancer' | 'service_engine' | 'service_engine_group';

export interface LeasedUnit {
  readonly table: LeasedTable;
  readonly id: string;
}

/** A lease that is held. */
export interface Lease extends LeasedUnit {
  /** New for every process. */
  readonly owner: string;
  readonly epoch: number;
}

/** The lease has passed to somebody else, or the unit is gone: whatever the former holder was about to write is void. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError';
  constructor(readonly unit: LeasedUnit) {
    super(`the lease of ${unit.table} ${unit.id} is lost`);
  }
}

/**
 * Takes the lease if nobody else holds it; its own owner may take it again, with a new epoch. True when taken: the epoch
 * is in the row. Callers that load the row anyway read it there; `takeLease` does it for the others.
 */
export async function grabLease(db: Db, { table, id }: LeasedUnit, holder: LeaseTerms): Promise<boolean> {
  const taken = await db(table)
    .where({ id })
    .where((free) => {
      free.whereNull('lease_owner').orWhere('lease_owner', holder.owner).orWhere('lease_until', '<', dbNow(db));
    })
    .update({
      lease_owner: holder.owner,
      lease_epoch: db.raw('lease_epoch + 1'),
      lease_until: nowPlus(db, holder.seconds),
    });
  return taken === 1;
}

export interface LeaseTerms {
  readonly owner: string;
  /** How long it is held unless renewed. */
  readonly seconds: number;
}

/** `grabLease`, then reads the epoch. Undefined while somebody else holds it, and for a unit that does not exist. */
export async function takeLease(db: Db, unit: LeasedUnit, holder: LeaseTerms): Promise<Lease | undefined> {
  if (!(await grabLease(db, unit, holder))) return undefined;
  const row: { lease_epoch: number; lease_owner: string | null } | undefined = await db(unit.table)
    .where({ id: unit.id })
    .first('lease_epoch', 'lease_owner');
  if (row?.lease_owner !== holder.owner) return undefined;
  return { ...unit, owner: holder.owner, epoch: Number(row.lease_epoch) };
}

/**
 * Holds the lease on for `seconds` from now. As the first statement of a transaction it locks the unit's row, so that
 * everything after it is written by the holder alone.
 * @throws LeaseLostError
 */
export async function renewLease(db: Db, lease: Lease, seconds: number): Promise<void> {
  const renewed = await held(db, lease).update({ lease_until: nowPlus(db, seconds) });
  if (renewed !== 1) throw new LeaseLostError(lease);
}

/** Gives the lease back, with what is to be written into the unit's row at the end. False when it was lost already. */
export async function releaseLease(
  db: Db,
  lease: Lease,
  last: Readonly<Record<string, unknown>> = {},
): Promise<boolean> {
  return (await held(db, lease).update({ ...last, lease_owner: null, lease_until: null })) === 1;
}

/** Gives back what `grabLease` took of a unit that turned out not to be there any more: a row that is kept as DELETED. */
export async function dropLease(db: Db, { table, id }: LeasedUnit, owner: string): Promise<void> {
  await db(table).where({ id, lease_owner: owner }).update({ lease_owner: null, lease_until: null });
}

/** Ends the leases of one holder, who has no more use for them: whatever it still writes under them is void. */
export async function releaseLeasesOf(db: Db, owner: string): Promise<void> {
  for (const table of ['load_balancer', 'service_engine', 'service_engine_group']) {
    await db(table).where('lease_owner', owner).update({ lease_owner: null, lease_until: null });
  }
}

/**
 * Ends every lease there is, those of periodic jobs too. Only for a database that no other process can have open: whoever
 * held one is dead, and need not be waited for.
 */
export async function voidLeases(db: Db): Promise<void> {
  for (const table of ['load_balancer', 'service_engine', 'service_engine_group', 'job_lease']) {
    await db(table).whereNotNull('lease_owner').update({ lease_owner: null, lease_until: null });
  }
}

function held(db: Db, { table, id, owner, epoch }: Lease) {
  return db(table).where({ id, lease_owner: owner, lease_epoch: epoch });
}
