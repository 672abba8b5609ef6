import { readBreaker } from '../domain/breaker';
import { type GroupProperties, readGroupProperties } from '../domain/group';
import { fromJson } from './codecs';
import { type Db, prepared } from './connect';
import type { Bit, Json } from './rows';

/** A service engine group, as placement needs it. */
export interface Group {
  readonly id: string;
  readonly name: string;
  readonly properties: GroupProperties;
  /** Too much of it was lost at once: VIPs stay on engines that are silent. */
  readonly holdsStill?: boolean;
}

type GroupColumns = {
  readonly id: string;
  readonly name: string;
  readonly properties: Json;
  readonly is_default: Bit;
  readonly breaker: Json | null;
};

/** What a load balancer chooses its group by. */
export interface GroupChoice {
  readonly flavorId: string | null;
  readonly availabilityZone: string | null;
}

/** A load balancer's group, and the data of the profiles of its flavor and availability zone. */
export interface GroupFound {
  readonly group: Group;
  readonly flavor: ProfileData;
  readonly zone: ProfileData;
}

export type ProfileData = Readonly<Record<string, unknown>>;

/**
 * The group a load balancer goes to: the one its flavor names (`service_engine_group`, by name or id), else the one its
 * availability zone names in the same way, else the default group. Undefined when there is none.
 */
export async function findGroupFor(db: Db, choice: GroupChoice): Promise<GroupFound | undefined> {
  const flavor = await profileData(db, OF_FLAVOR, choice.flavorId);
  const zone = await profileData(db, OF_ZONE, choice.availabilityZone);
  const group = await findGroup(db, groupNamedIn(flavor) ?? groupNamedIn(zone));
  return group && { group, flavor, zone };
}

/** The group of this name or id; the default one without. */
async function findGroup(db: Db, name: string | undefined): Promise<Group | undefined> {
  const [row] =
    name === undefined
      ? await prepared<GroupColumns>(db, `${SELECT} where is_default = 1 order by created_at, id limit 1`)
      : await prepared<GroupColumns>(db, `${SELECT} where name = ? or id = ? limit 1`, [name, name]);
  if (!row) return undefined;
  const { state } = readBreaker(row.breaker === null ? null : fromJson<unknown>(row.breaker));
  const properties = readGroupProperties(fromJson<unknown>(row.properties));
  return { id: row.id, name: row.name, properties, ...(state !== 'closed' && { holdsStill: true }) };
}

const SELECT = 'select id, name, properties, is_default, breaker from service_engine_group';

const OF_FLAVOR =
  'select p.flavor_data as data from flavor f join flavor_profile p on p.id = f.flavor_profile_id where f.id = ?';
const OF_ZONE = `select p.availability_zone_data as data from availability_zone z
  join availability_zone_profile p on p.id = z.availability_zone_profile_id where z.name = ?`;

async function profileData(db: Db, select: string, key: string | null): Promise<ProfileData> {
  const [row] = key === null ? [] : await prepared<{ data: Json }>(db, select, [key]);
  const data = row && fromJson<unknown>(row.data);
  return typeof data === 'object' && data !== null ? (data as ProfileData) : {};
}

/** The key of a flavor's or an availability zone's data that names a group. */
const GROUP_KEY = 'service_engine_group';

/** The group that the data of a profile names; undefined when it names none. */
export function groupNamedIn(data: unknown): string | undefined {
  const group = typeof data === 'object' && data !== null ? (data as Record<string, unknown>)[GROUP_KEY] : undefined;
  return typeof group === 'string' && group !== '' ? group : undefined;
}

/** Undefined for a group that is gone. */
export async function findGroupName(db: Db, id: string): Promise<string | undefined> {
  const row: { name: string } | undefined = await db('service_engine_group').where({ id }).first('name');
  return row?.name;
}

/**
 * Locks the group's row until the transaction ends: whoever counts its engines to make another one comes one by one.
 */
export async function lockGroup(trx: Db, id: string): Promise<void> {
  await trx('service_engine_group')
    .where({ id })
    .update({ is_default: trx.raw('is_default') });
}
