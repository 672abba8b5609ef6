import { type GroupProperties, readGroupProperties } from '../domain/group';
import { fromJson, toJson } from './codecs';
import { type Db, DuplicateKeyError, dbNow } from './connect';
import type { ServiceEngineGroupRow } from './rows';

/** Groups as the fleet's jobs see them. */
export interface FleetGroup {
  readonly id: string;
  readonly name: string;
  readonly properties: GroupProperties;
}

export async function listGroups(db: Db): Promise<readonly FleetGroup[]> {
  const rows: ServiceEngineGroupRow[] = await db('service_engine_group').orderBy(['created_at', 'id']).select('*');
  return rows.map(({ id, name, properties }) => ({
    id,
    name,
    properties: readGroupProperties(fromJson<unknown>(properties)),
  }));
}

/** Makes the default group unless there is one. Whoever comes second finds it made. */
export async function addDefaultGroup(db: Db, group: FleetGroup): Promise<void> {
  const known: { id: string } | undefined = await db('service_engine_group').where({ is_default: 1 }).first('id');
  if (known) return;
  try {
    await db('service_engine_group').insert({
      id: group.id,
      name: group.name,
      description: '',
      is_default: 1,
      properties: toJson(group.properties),
      lease_owner: null,
      lease_epoch: 0,
      lease_until: null,
      created_at: dbNow(db),
      updated_at: null,
    });
  } catch (error) {
    // The name is unique: another process has just made it.
    if (!(error instanceof DuplicateKeyError)) throw error;
  }
}

/** Whether there is a service engine group of that id. */
export async function hasGroup(db: Db, id: string): Promise<boolean> {
  return (await db('service_engine_group').where({ id }).first('id')) !== undefined;
}
