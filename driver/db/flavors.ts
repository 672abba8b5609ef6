import { fromBit, fromJson } from './codecs';
import type { Db } from './connect';
import type { AvailabilityZoneProfileRow, AvailabilityZoneRow, FlavorProfileRow, FlavorRow } from './rows';

/** A flavor with what its profile says. */
export interface Flavor {
  readonly id: string;
  readonly enabled: boolean;
  readonly provider: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export async function findFlavor(db: Db, id: string): Promise<Flavor | undefined> {
  const row: (FlavorRow & FlavorProfileRow) | undefined = await db('flavor')
    .join('flavor_profile', 'flavor_profile.id', 'flavor.flavor_profile_id')
    .where('flavor.id', id)
    .first('flavor.id', 'flavor.enabled', 'flavor_profile.provider_name', 'flavor_profile.flavor_data');
  if (!row) return undefined;
  const data = fromJson<Record<string, unknown>>(row.flavor_data);
  return { id, enabled: fromBit(row.enabled), provider: row.provider_name, data };
}

/** An availability zone with what its profile says. */
export interface AvailabilityZone {
  readonly name: string;
  readonly enabled: boolean;
  readonly provider: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export async function findAvailabilityZone(db: Db, name: string): Promise<AvailabilityZone | undefined> {
  const profile = 'availability_zone_profile';
  const row: (AvailabilityZoneRow & AvailabilityZoneProfileRow) | undefined = await db('availability_zone')
    .join(profile, `${profile}.id`, 'availability_zone.availability_zone_profile_id')
    .where('availability_zone.name', name)
    .first('availability_zone.enabled', `${profile}.provider_name`, `${profile}.availability_zone_data`);
  if (!row) return undefined;
  const data = fromJson<Record<string, unknown>>(row.availability_zone_data);
  return { name, enabled: fromBit(row.enabled), provider: row.provider_name, data };
}
