import { listEngines } from '../db/engines';
import type { EngineRun } from './engineRun';

/**
 * Takes away what kept the servers of a group apart once the group has no engines: the next one makes it anew. If it cannot
 * be done now, the search for leftovers does it when the group is gone.
 */
export async function dropServerGroup({ parts, engine, log }: EngineRun): Promise<void> {
  const { db, compute } = parts;
  if (!compute.listServerGroups || (await listEngines(db, engine.groupId)).length > 0) return;
  try {
    for (const { id, groupId } of await compute.listServerGroups()) {
      if (groupId === engine.groupId) await compute.deleteServerGroup?.(id);
    }
  } catch (err) {
    log.warn({ err, group: engine.groupId }, 'the server group of a group without engines is left for now');
  }
}
