import type { GroupProperties } from '../domain/group';
import { fromJson, toJson } from './codecs';
import { type Db, dbNow } from './connect';
import { groupNamedIn } from './groups';
import type { Json, ServiceEngineGroupRow } from './rows';

/** Writes of groups, and who refers to them. */

export interface NewGroup {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly properties: GroupProperties;
}

/** @throws DuplicateKeyError when the name is taken */
export async function insertGroup(trx: Db, { id, name, description, properties }: NewGroup): Promise<void> {
  await trx('service_engine_group').insert({
    id,
    name,
    description,
    is_default: 0,
    properties: toJson(properties),
    lease_owner: null,
    lease_epoch: 0,
    lease_until: null,
    created_at: dbNow(trx),
    updated_at: null,
  });
}

/** @throws DuplicateKeyError when the name is taken */
export async function updateGroup(trx: Db, id: string, changes: Partial<Omit<NewGroup, 'id'>>): Promise<void> {
  const { properties, ...texts } = changes;
  const columns: Partial<ServiceEngineGroupRow> = {
    ...texts,
    ...(properties === undefined ? {} : { properties: toJson(properties) }),
  };
  await trx('service_engine_group')
    .where({ id })
    .update({ ...columns, updated_at: dbNow(trx) });
}

/** @throws ForeignKeyError while it has engines */
export async function deleteGroup(trx: Db, id: string): Promise<void> {
  await trx('service_engine_group').where({ id }).delete();
}

/** Engines of the group, those that are being taken down included. */
export async function countEngines(db: Db, groupId: string): Promise<number> {
  const [row] = await db('service_engine').where({ service_engine_group_id: groupId }).count({ count: '*' });
  return Number(row?.['count'] ?? 0);
}

/** Names and ids of groups as profiles of flavors and availability zones have them. */
export async function listGroupReferences(db: Db): Promise<ReadonlySet<string>> {
  const flavors: { data: Json }[] = await db('flavor_profile').select({ data: 'flavor_data' });
  const zones: { data: Json }[] = await db('availability_zone_profile').select({ data: 'availability_zone_data' });
  const named = [...flavors, ...zones].map(({ data }) => groupNamedIn(fromJson<unknown>(data)));
  return new Set(named.filter((name) => name !== undefined));
}

/** Whether there is a group of this name or id. */
export async function isGroup(db: Db, nameOrId: string): Promise<boolean> {
  const row = await db('service_engine_group').where({ name: nameOrId }).orWhere({ id: nameOrId }).first('id');
  return row !== undefined;
}
