import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { type Bus, HINTS_TOPIC } from '../bus/port';
import type { Config } from '../config/config';
import { type Db, inTransaction } from '../db/connect';
import { insertEngine, listEngines, retireEngine } from '../db/engines';
import { addDefaultGroup, type FleetGroup, listGroups } from '../db/fleet';
import { lockGroup } from '../db/groups';
import { engineName } from '../domain/engine';
import { planFleet } from '../domain/fleet';
import { DEFAULT_GROUP_PROPERTIES, type GroupProperties, slotsOfNewEngine } from '../domain/group';

export interface FleetDeps {
  readonly config: Pick<Config, 'controller_worker' | 'service_engine' | 'embedded'>;
  readonly db: Db;
  readonly bus: Bus;
  readonly log: Logger;
}

const DEFAULT_GROUP = 'default';

/**
 * Sees that the default group exists and that every group has the engines it is to have at least: makes rows, retires
 * ghosts, and hints the units that then do the work. May be called by any number of processes at any time.
 */
export async function ensureFleet(deps: FleetDeps): Promise<void> {
  const { config, db } = deps;
  await addDefaultGroup(db, { id: randomUUID(), name: DEFAULT_GROUP, properties: defaultProperties(config) });
  // Nothing is booted: the group is there to be looked at.
  if (config.controller_worker.compute_driver === 'noop') return;
  for (const group of await listGroups(db)) await keepGroup(deps, group);
}

async function keepGroup({ config, db, bus, log }: FleetDeps, group: FleetGroup): Promise<void> {
  const changed = await inTransaction(db, async (trx) => {
    await lockGroup(trx, group.id);
    const { add, retire } = planFleet(group.properties, await listEngines(trx, group.id));
    const made = Array.from({ length: add }, () => randomUUID());
    for (const id of made) {
      const name = engineName(group.properties.namePrefix ?? config.service_engine.name_prefix, id);
      await insertEngine(trx, { id, groupId: group.id, name, slots: slotsOfNewEngine(group.properties) });
    }
    for (const id of retire) await retireEngine(trx, id);
    return [...made, ...retire];
  });
  if (changed.length > 0) log.info({ group: group.name, engines: changed }, 'the fleet changes');
  for (const id of changed) await bus.publish(HINTS_TOPIC, { method: 'engine', args: { id } });
}

/** The embedded site has one engine, which takes everybody. */
function defaultProperties({ controller_worker, service_engine, embedded }: FleetDeps['config']): GroupProperties {
  if (controller_worker.compute_driver === 'local') {
    return { ...DEFAULT_GROUP_PROPERTIES, minEngines: 1, maxEngines: 1, slotsPerEngine: embedded.slots };
  }
  const { slots, max_engines, tenancy } = service_engine;
  return { ...DEFAULT_GROUP_PROPERTIES, minEngines: 0, maxEngines: max_engines, slotsPerEngine: slots, tenancy };
}
