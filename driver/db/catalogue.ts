import type { Db } from './connect';
import type { AvailabilityZoneProfileRow, AvailabilityZoneRow, FlavorProfileRow, FlavorRow } from './rows';

/** Writes of flavors, availability zones and their profiles, and who uses them. */

export interface CatalogueTables {
  flavor: FlavorRow;
  flavor_profile: FlavorProfileRow;
  availability_zone: AvailabilityZoneRow;
  availability_zone_profile: AvailabilityZoneProfileRow;
}
type Table = keyof CatalogueTables;

const KEY: Readonly<Record<Table, string>> = {
  flavor: 'id',
  flavor_profile: 'id',
  availability_zone: 'name',
  availability_zone_profile: 'id',
};

/** Who refers to a row. */
const USERS = {
  flavor: { table: 'load_balancer', column: 'flavor_id' },
  flavor_profile: { table: 'flavor', column: 'flavor_profile_id' },
  availability_zone: { table: 'load_balancer', column: 'availability_zone' },
  availability_zone_profile: { table: 'availability_zone', column: 'availability_zone_profile_id' },
} as const;

/** @throws DuplicateKeyError */
export async function insertCatalogue<T extends Table>(db: Db, table: T, row: CatalogueTables[T]): Promise<void> {
  await db(table).insert(row);
}

/** @throws DuplicateKeyError */
export async function updateCatalogue<T extends Table>(
  db: Db,
  table: T,
  key: string,
  changes: Partial<CatalogueTables[T]>,
): Promise<void> {
  if (Object.keys(changes).length > 0) {
    await db(table)
      .where({ [KEY[table]]: key })
      .update(changes);
  }
}

/** @returns false when it is not there */
export async function deleteCatalogue(db: Db, table: Table, key: string): Promise<boolean> {
  return (
    (await db(table)
      .where({ [KEY[table]]: key })
      .delete()) === 1
  );
}

/** True if a load balancer that is not deleted, a flavor or a zone refers to it. */
export async function isUsed(db: Db, table: Table, key: string): Promise<boolean> {
  const user = USERS[table];
  const users = db(user.table).where({ [user.column]: key });
  if (user.table === 'load_balancer') users.whereNot({ provisioning_status: 'DELETED' });
  return (await users.first(db.raw('1 as used'))) !== undefined;
}
