import { randomUUID } from 'node:crypto';
import { HINTS_TOPIC } from '../bus/port';
import { inTransaction } from '../db/connect';
import { type ElasticityMemory, keepElasticity, markAvoided, readElasticity, takeLook } from '../db/elasticity';
import { findEngine, insertEngine, listEngines } from '../db/engines';
import { recordEvents } from '../db/events';
import { type FleetGroup, listGroups } from '../db/fleet';
import { lockGroup } from '../db/groups';
import { removeSpareEngine } from '../db/placementRequests';
import { isUpgrading } from '../db/upgrades';
import { type ElasticDecision, type ElasticityPlan, planElasticity } from '../domain/elasticity';
import { engineName } from '../domain/engine';
import { groupInForce } from '../domain/group';
import type { Happening } from '../domain/settlement';
import { readView, settingsFor } from './elasticityView';
import type { FleetDeps } from './ensureFleet';
import { askScale, type ScaleEvents } from './scale';

/**
 * Looks at the load of each group whose turn it is, and does what it asks for. What is decided is kept before it is done:
 * a process that dies in between leaves something undone that the next look decides again, and does nothing twice.
 */
export async function followLoad(deps: FleetDeps): Promise<void> {
  const { config, db } = deps;
  if (config.controller_worker.compute_driver === 'noop') return;
  for (const found of await listGroups(db)) {
    const group = groupInForce(found, config.service_engine.tenancy_mode);
    // What moves because its engine is replaced is not to be moved for another reason at the same time.
    if (await isUpgrading(db, group.id)) continue;
    if (await takeLook(db, group.id, group.properties.rebalanceInterval)) await lookAt(deps, group);
  }
}

/** One look at one group, whether it is due or not. */
export async function lookAt(deps: FleetDeps, group: FleetGroup): Promise<ElasticityPlan> {
  const { db, config } = deps;
  const memory: ElasticityMemory = await readElasticity(db, group.id);
  const alike = config.controller_worker.compute_driver === 'local';
  const { view, seen } = await readView(db, group, { memory, alike });
  const plan = planElasticity(view, settingsFor(group.properties), memory.now);
  await keepElasticity(db, group.id, { state: plan.state, seen });
  const levels = Object.entries(plan.state.levels);
  await markAvoided(
    db,
    group.id,
    levels.filter(([, { level }]) => level === 'high').map(([id]) => id),
  );
  await tell(deps, group, plan);
  for (const decision of plan.decisions) await carryOut(deps, group, decision);
  return plan;
}

const LEVEL_EVENTS = { high: 'ENGINE_LOAD_HIGH', low: 'ENGINE_LOAD_LOW', normal: 'ENGINE_LOAD_NORMAL' } as const;

async function tell({ db, log }: FleetDeps, { name }: FleetGroup, plan: ElasticityPlan): Promise<void> {
  const crossings = plan.crossings.map(({ engineId, level, load }): Happening => {
    const message = `service engine ${engineId} of group ${name} is loaded to ${Math.round(load)} % of what it can do`;
    return { name: LEVEL_EVENTS[level], severity: level === 'high' ? 'warning' : 'info', message, engineId };
  });
  const advice = plan.advice.map((it): Happening => {
    const message = `with auto_rebalance ${describe(it)}: ${it.reason}`;
    return { name: 'REBALANCE_ADVISED', severity: 'info', message, engineId: it.engineId };
  });
  const stuck = plan.stuck.map(({ engineId, reason }): Happening => {
    const message = `nothing can be done for service engine ${engineId}, which has too much to do: ${reason}`;
    return { name: 'REBALANCE_STUCK', severity: 'warning', message, engineId };
  });
  const all = [...crossings, ...advice, ...stuck];
  for (const it of all) log.info({ group: name, event: it.name }, it.message);
  await recordEvents(db, all);
}

function describe(decision: ElasticDecision): string {
  switch (decision.kind) {
    case 'scaleOut':
      return `load balancer ${decision.loadBalancerId} would be scaled out by ${decision.count}`;
    case 'scaleIn':
      return `load balancer ${decision.loadBalancerId} would leave engine ${decision.engineId}`;
    case 'migrate':
      return `load balancer ${decision.loadBalancerId} would move to engine ${decision.to}`;
    case 'makeEngine':
      return 'an engine would be made';
    case 'retireEngine':
      return `engine ${decision.engineId} would be retired`;
  }
}

const EVENTS: ScaleEvents = {
  scaleOut: 'REBALANCE_SCALEOUT',
  scaleIn: 'REBALANCE_SCALEIN',
  migrate: 'REBALANCE_MIGRATE',
};

async function carryOut(deps: FleetDeps, group: FleetGroup, decision: ElasticDecision): Promise<void> {
  const { db, bus, log, config } = deps;
  try {
    if (decision.kind === 'makeEngine') return await makeEngine(deps, group, decision);
    if (decision.kind === 'retireEngine') return await retire(deps, group, decision);
    const pendingDeadline = config.controller_worker.pending_deadline;
    const done = await askScale({ db, bus, log, pendingDeadline }, decision, EVENTS);
    log.info({ group: group.name, decision, done }, 'the load asks for a change');
  } catch (err) {
    log.warn({ err, group: group.name, decision }, 'what the load asks for could not be done; it is looked at again');
  }
}

async function makeEngine(
  deps: FleetDeps,
  { id: groupId, properties }: FleetGroup,
  { engineId, reason }: { engineId: string; reason: string },
): Promise<void> {
  const { db, config } = deps;
  const id = randomUUID();
  const made = await inTransaction(db, async (trx) => {
    await lockGroup(trx, groupId);
    const like = await findEngine(trx, engineId);
    const present = (await listEngines(trx, groupId)).filter(({ deleting }) => !deleting);
    if (!like || present.length >= properties.maxEngines) return false;
    const { slots, availabilityZone, computeFlavor, imageTag, ownerProjectId } = like;
    const { imageTag: groupImageTag, upgradeMark } = properties;
    await insertEngine(trx, {
      ...{ id, groupId, name: engineName(properties.namePrefix ?? config.service_engine.name_prefix, id), slots },
      ...{ availabilityZone, computeFlavor, imageTag, ownerProjectId, groupImageTag, upgradeMark },
    });
    const happening = { name: 'REBALANCE_ENGINE', severity: 'info' as const, message: `an engine is made: ${reason}` };
    await recordEvents(trx, [happening], { engineId: id });
    return true;
  });
  if (made) await hint(deps, id);
}

async function retire(
  deps: FleetDeps,
  { id: groupId, name }: FleetGroup,
  { engineId, reason }: { engineId: string; reason: string },
): Promise<void> {
  const { db } = deps;
  const done = await inTransaction(db, async (trx) => {
    await lockGroup(trx, groupId);
    // Somebody may have come to be on it.
    if (!(await removeSpareEngine(trx, engineId, new Date()))) return false;
    const message = `service engine ${engineId} of group ${name} is retired: ${reason}`;
    await recordEvents(trx, [{ name: 'ENGINE_IDLE_RETIRED', severity: 'info', message }], { engineId });
    return true;
  });
  if (done) await hint(deps, engineId);
}

async function hint({ bus, log }: FleetDeps, id: string): Promise<void> {
  await bus.publish(HINTS_TOPIC, { method: 'engine', args: { id } }).catch((err: unknown) => {
    log.warn({ err, engine: id }, 'the sweep will find this engine');
  });
}
