import { toNumber } from './codecs';
import { type Db, dbNow, nowPlus } from './connect';
import type { JobLeaseRow } from './rows';

/** Who runs a periodic job now: one process of all, by the database's clock. */

export interface JobLease {
  readonly name: string;
  readonly owner: string;
  readonly epoch: number;
}

/** Undefined when somebody else holds the job. Its own holder gets it again, with a higher epoch. */
export async function takeJobLease(
  db: Db,
  { name, owner, seconds }: { name: string; owner: string; seconds: number },
): Promise<JobLease | undefined> {
  const free = () =>
    db('job_lease')
      .where({ name })
      .where((it) => it.whereNull('lease_until').orWhere('lease_until', '<=', dbNow(db)).orWhere('lease_owner', owner));
  const values = { lease_owner: owner, lease_epoch: db.raw('lease_epoch + 1'), lease_until: nowPlus(db, seconds) };
  if ((await free().update(values)) === 0) {
    await db('job_lease')
      .insert({ name, lease_owner: null, lease_epoch: 0, lease_until: null })
      .onConflict('name')
      .ignore();
    if ((await free().update(values)) === 0) return undefined;
  }
  const row: JobLeaseRow | undefined = await db('job_lease').where({ name, lease_owner: owner }).first('*');
  return row && { name, owner, epoch: toNumber(row.lease_epoch) };
}

/** Holds it for so many seconds more. False when it is lost. */
export async function renewJobLease(db: Db, lease: JobLease, seconds: number): Promise<boolean> {
  const renewed = await held(db, lease).update({ lease_until: nowPlus(db, seconds) });
  return renewed === 1;
}

/** Whoever asks next has it; a lease lost already stays with its new holder. */
export async function releaseJobLease(db: Db, lease: JobLease): Promise<void> {
  await held(db, lease).update({ lease_owner: null, lease_until: null });
}

function held(db: Db, { name, owner, epoch }: JobLease) {
  return db('job_lease').where({ name, lease_owner: owner, lease_epoch: epoch });
}
