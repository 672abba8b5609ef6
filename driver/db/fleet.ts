import { type GroupProperties, readGroupProperties } from '../domain/group';
import { fromJson, toJson } from './codecs';
import { type Db, DuplicateKeyError, dbNow, prepared } from './connect';
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

/** A load balancer several of whose engines are on one host. */
export interface SharedHost {
  readonly loadBalancerId: string;
  readonly projectId: string;
  readonly host: string;
  readonly engines: number;
}

/** Those of a group that no event has told of since the newest of these engines had it. */
export async function listSharedHosts(db: Db, groupId: string): Promise<readonly SharedHost[]> {
  const rows = await prepared<{ load_balancer_id: string; project_id: string; host: string; engines: number | string }>(
    db,
    `select s.load_balancer_id, lb.project_id, s.host, s.engines
      from (select p.load_balancer_id, e.host, count(*) as engines, max(p.created_at) as since
        from placement p join service_engine e on e.id = p.service_engine_id
        where e.service_engine_group_id = ? and e.host is not null and p.deleting = 0
        group by p.load_balancer_id, e.host having count(*) > 1) s
      join load_balancer lb on lb.id = s.load_balancer_id
      where not exists (select 1 from event v
        where v.load_balancer_id = s.load_balancer_id and v.name = 'HOST_SHARED' and v.at >= s.since)
      order by s.load_balancer_id, s.host`,
    [groupId],
  );
  return rows.map((row) => ({
    loadBalancerId: row.load_balancer_id,
    projectId: row.project_id,
    host: row.host,
    engines: Number(row.engines),
  }));
}
