import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { type Bus, HINTS_TOPIC } from '../bus/port';
import type { Config } from '../config/config';
import { type Db, inTransaction } from '../db/connect';
import { listCutOff } from '../db/engineReach';
import { insertEngine, listEngines, retireEngine } from '../db/engines';
import { addDefaultGroup, type FleetGroup, listGroups } from '../db/fleet';
import { lockGroup } from '../db/groups';
import { type Engine, engineName } from '../domain/engine';
import { planFleet, planTenantFleet } from '../domain/fleet';
import {
  DEFAULT_GROUP_PROPERTIES,
  type GroupProperties,
  groupInForce,
  slotsOfNewEngine,
  tenancyInForce,
} from '../domain/group';

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
  const { tenancy_mode: mode } = config.service_engine;
  for (const group of await listGroups(db)) await keepGroup(deps, groupInForce(group, mode));
}

async function keepGroup({ config, db, bus, log }: FleetDeps, group: FleetGroup): Promise<void> {
  const changed = await inTransaction(db, async (trx) => {
    await lockGroup(trx, group.id);
    const { addIn, retire } = plan(group.properties, await listFleet(trx, group.id));
    const made: string[] = [];
    for (const ownerProjectId of addIn) {
      const id = randomUUID();
      const name = engineName(group.properties.namePrefix ?? config.service_engine.name_prefix, id);
      const slots = slotsOfNewEngine(group.properties);
      const { imageTag: groupImageTag, upgradeMark } = group.properties;
      await insertEngine(trx, { id, groupId: group.id, name, slots, ownerProjectId, groupImageTag, upgradeMark });
      made.push(id);
    }
    for (const id of retire) await retireEngine(trx, id);
    return [...made, ...retire];
  });
  if (changed.length > 0) log.info({ group: group.name, engines: changed }, 'the fleet changes');
  for (const id of changed) await bus.publish(HINTS_TOPIC, { method: 'engine', args: { id } });
}

async function listFleet(trx: Db, groupId: string): Promise<readonly Engine[]> {
  const engines = await listEngines(trx, groupId);
  const cutOff = await listCutOff(trx, groupId);
  return engines.map((it) => (cutOff.includes(it.id) ? { ...it, cutOff: true } : it));
}

/** The projects that engines are to be made in (null: that of this service), and those that are to go. */
function plan(
  group: GroupProperties,
  engines: readonly Engine[],
): { readonly addIn: readonly (string | null)[]; readonly retire: readonly string[] } {
  if (group.tenancy === 'tenant') return planTenantFleet(group, engines);
  const { add, retire } = planFleet(group, engines);
  return { addIn: Array.from({ length: add }, () => null), retire };
}

/** The embedded site has one engine, which takes everybody. */
function defaultProperties({ controller_worker, service_engine, embedded }: FleetDeps['config']): GroupProperties {
  if (controller_worker.compute_driver === 'local') {
    return { ...DEFAULT_GROUP_PROPERTIES, minEngines: 1, maxEngines: 1, slotsPerEngine: embedded.slots };
  }
  const { slots, max_engines, tenancy_mode: mode } = service_engine;
  const tenancy = tenancyInForce(service_engine.tenancy, mode);
  return { ...DEFAULT_GROUP_PROPERTIES, minEngines: 0, maxEngines: max_engines, slotsPerEngine: slots, tenancy };
}
