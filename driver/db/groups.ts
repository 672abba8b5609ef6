import { type GroupProperties, readGroupProperties } from '../domain/group';
import { fromJson } from './codecs';
import { type Db, prepared } from './connect';
import type { Bit, Json } from './rows';

/** A service engine group, as placement needs it. */
export interface Group {
  readonly id: string;
  readonly name: string;
  readonly properties: GroupProperties;
}

type GroupColumns = { readonly id: string; readonly name: string; readonly properties: Json; readonly is_default: Bit };

/**
 * The group a load balancer goes to: the one its flavor names (`service_engine_group`, by name or id), else the default
 * group. Undefined when there is none.
 */
export async function findGroupFor(db: Db, flavorId: string | null): Promise<Group | undefined> {
  const name = flavorId === null ? undefined : await groupOfFlavor(db, flavorId);
  const [row] =
    name === undefined
      ? await prepared<GroupColumns>(db, `${SELECT} where is_default = 1 order by created_at, id limit 1`)
      : await prepared<GroupColumns>(db, `${SELECT} where name = ? or id = ? limit 1`, [name, name]);
  return row && { id: row.id, name: row.name, properties: readGroupProperties(fromJson<unknown>(row.properties)) };
}

const SELECT = 'select id, name, properties, is_default from service_engine_group';

async function groupOfFlavor(db: Db, flavorId: string): Promise<string | undefined> {
  const [row] = await prepared<{ flavor_data: Json }>(
    db,
    'select p.flavor_data from flavor f join flavor_profile p on p.id = f.flavor_profile_id where f.id = ?',
    [flavorId],
  );
  if (!row) return undefined;
  const group = fromJson<Record<string, unknown>>(row.flavor_data)['service_engine_group'];
  return typeof group === 'string' && group !== '' ? group : undefined;
}

/**
 * Locks the group's row until the transaction ends: whoever counts its engines to make another one comes one by one.
 */
export async function lockGroup(trx: Db, id: string): Promise<void> {
  await trx('service_engine_group')
    .where({ id })
    .update({ is_default: trx.raw('is_default') });
}
