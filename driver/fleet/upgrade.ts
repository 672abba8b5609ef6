import { randomUUID } from 'node:crypto';
import { HINTS_TOPIC } from '../bus/port';
import { type Db, inTransaction } from '../db/connect';
import { findEngine, insertEngine } from '../db/engines';
import { recordEvents } from '../db/events';
import { listGroups } from '../db/fleet';
import { lockGroup } from '../db/groups';
import { updateGroup } from '../db/groupWrites';
import { removeSpareEngine } from '../db/placementRequests';
import {
  findUpgrade,
  keepUpgrade,
  listGuests,
  listWorkingUpgrades,
  readUpgradeEngines,
  type Upgrade,
} from '../db/upgrades';
import { engineName } from '../domain/engine';
import type { GroupProperties } from '../domain/group';
import type { Happening } from '../domain/settlement';
import { planUpgrade, type UpgradeAction, type UpgradePlan, type UpgradeTimes } from '../domain/upgrade';
import type { FleetDeps } from './ensureFleet';
import { askScale, type ScaleEvents } from './scale';

export interface UpgradeDeps extends FleetDeps {
  /** Over those of the configuration. */
  readonly times?: Partial<UpgradeTimes>;
}

/**
 * Carries on with every rolling upgrade. What is decided is written in one transaction with the rows of what is made and
 * taken down; that load balancers are to move is asked afterwards, again and again until they have.
 */
export async function advanceUpgrades(deps: UpgradeDeps): Promise<void> {
  for (const id of await listWorkingUpgrades(deps.db)) {
    try {
      await advanceUpgrade(deps, id);
    } catch (err) {
      deps.log.warn({ err, upgrade: id }, 'an upgrade could not be carried on with; it is tried again');
    }
  }
}

/** One step, if there is one to be made now. */
export async function advanceUpgrade(deps: UpgradeDeps, id: string): Promise<void> {
  const plan = await inTransaction(deps.db, async (trx) => {
    const upgrade = await findUpgrade(trx, id);
    const group = upgrade && (await listGroups(trx)).find((it) => it.id === upgrade.groupId);
    if (!upgrade || !group) return undefined;
    await lockGroup(trx, group.id);
    const { engines, now } = await readUpgradeEngines(trx, group.id);
    const involved = upgrade.state.steps.flatMap(({ oldEngineId, newEngineId }) => [oldEngineId, newEngineId]);
    // An engine whose replacement begins is only made now; what is on it is read with the next step.
    const loadBalancers = await listGuests(trx, involved);
    const freshIds = Array.from({ length: upgrade.state.parallel }, () => randomUUID());
    const view = { engines, loadBalancers, freshIds, times: timesOf(deps, group.properties) };
    const planned = planUpgrade(view, upgrade.state, now);
    const isSame = JSON.stringify(planned.state) === JSON.stringify(upgrade.state);
    if (isSame && planned.actions.every(({ kind }) => kind === 'move')) return planned;
    // Another process has gone on meanwhile.
    if (!(await keepUpgrade(trx, upgrade, planned.state))) return undefined;
    for (const action of planned.actions) await write(trx, { deps, upgrade, group, plan: planned }, action);
    return planned;
  });
  if (plan) await follow(deps, plan);
}

function timesOf({ config, times }: UpgradeDeps, { scaleinTimeout }: GroupProperties): UpgradeTimes {
  const { pending_deadline: deadline } = config.controller_worker;
  const { se_create_timeout: boot, upgrade_soak: soak } = config.service_engine;
  // Some connections end, some are cut; and some load balancers are in the middle of a change first.
  return { boot: boot * 1000, move: (2 * deadline + 2 * scaleinTimeout + 60) * 1000, soak: soak * 1000, ...times };
}

interface Writing {
  readonly deps: UpgradeDeps;
  readonly upgrade: Upgrade;
  readonly group: { readonly id: string; readonly name: string; readonly properties: GroupProperties };
  readonly plan: UpgradePlan;
}

async function write(trx: Db, writing: Writing, action: UpgradeAction): Promise<void> {
  const { upgrade, group } = writing;
  const about = { resourceType: 'service_engine_group', resourceId: group.id };
  const tell = (happening: Pick<Happening, 'name' | 'severity' | 'message'> & { engineId?: string }) =>
    recordEvents(trx, [{ ...about, ...happening }]);
  switch (action.kind) {
    case 'make': {
      await makeEngine(trx, writing, action);
      const message = `upgrade of group ${group.name}: an engine of image ${imageOf(upgrade) ?? 'as configured'} is made in the stead of engine ${action.oldEngineId}`;
      return tell({ name: 'UPGRADE_ENGINE_REQUESTED', severity: 'info', message, engineId: action.newEngineId });
    }
    case 'retire': {
      if (!(await removeSpareEngine(trx, action.engineId, new Date()))) return;
      const message = `upgrade of group ${group.name}: nobody is on engine ${action.engineId} any more, and it goes`;
      return tell({ name: 'UPGRADE_ENGINE_RETIRED', severity: 'info', message, engineId: action.engineId });
    }
    case 'prove': {
      const properties = { ...group.properties, imageTag: upgrade.imageTag, upgradeMark: upgrade.state.mark };
      await updateGroup(trx, group.id, { properties });
      const message = `upgrade of group ${group.name}: engine ${action.newEngineId} of image ${upgrade.imageTag} is as good as those before; new engines are of it from now on`;
      return tell({ name: 'UPGRADE_PROVEN', severity: 'info', message, engineId: action.newEngineId });
    }
    case 'stop': {
      const message = `upgrade of group ${group.name} stops, and what is under way is taken back: ${action.reason}`;
      return tell({ name: 'UPGRADE_STOPPED', severity: 'error', message });
    }
    case 'finish': {
      const { replaced } = writing.plan.state;
      const message = `upgrade of group ${group.name} to image ${upgrade.imageTag}: ${END[action.status]}; ${replaced} engines replaced`;
      return tell({
        name: `UPGRADE_${action.status}`,
        severity: action.status === 'STOPPED' ? 'warning' : 'info',
        message,
      });
    }
    case 'move':
      return;
  }
}

const END = { DONE: 'done', UNDONE: 'undone', STOPPED: 'what was under way is taken back' } as const;

/** What the engines are of that it makes now. */
function imageOf({ state, imageTag, previousImageTag }: Upgrade): string | null {
  return state.status === 'UNDOING' ? previousImageTag : imageTag;
}

/** Like the old one, beside it: a group may for a while have more engines than it may have at most. */
async function makeEngine(
  trx: Db,
  { deps, upgrade, group }: Writing,
  { oldEngineId, newEngineId: id }: UpgradeAction & { readonly kind: 'make' },
): Promise<void> {
  const old = await findEngine(trx, oldEngineId);
  if (!old) return;
  const { slots, availabilityZone, computeFlavor, imageTag, ownerProjectId } = old;
  const name = engineName(group.properties.namePrefix ?? deps.config.service_engine.name_prefix, id);
  await insertEngine(trx, {
    ...{ id, groupId: group.id, name, slots, availabilityZone, computeFlavor, imageTag, ownerProjectId },
    ...{ groupImageTag: imageOf(upgrade), upgradeMark: upgrade.state.mark },
  });
}

const EVENTS: ScaleEvents = {
  scaleOut: 'UPGRADE_SCALEOUT',
  scaleIn: 'UPGRADE_SCALEIN',
  migrate: 'UPGRADE_MIGRATE',
};

/** What is not a matter of the upgrade's own rows. */
async function follow(deps: UpgradeDeps, { actions }: UpgradePlan): Promise<void> {
  const { bus, log, config } = deps;
  const pendingDeadline = config.controller_worker.pending_deadline;
  for (const action of actions) {
    if (action.kind === 'move') {
      const { from: engineId, to } = action;
      for (const loadBalancerId of action.loadBalancerIds) {
        const ask = { kind: 'migrate', loadBalancerId, engineId, to, reason: 'its engine is upgraded' } as const;
        await askScale({ ...deps, pendingDeadline }, ask, EVENTS);
      }
    }
    const engineId =
      action.kind === 'make' ? action.newEngineId : action.kind === 'retire' ? action.engineId : undefined;
    if (engineId === undefined) continue;
    await bus.publish(HINTS_TOPIC, { method: 'engine', args: { id: engineId } }).catch((err: unknown) => {
      log.warn({ err, engine: engineId }, 'the sweep will find this engine');
    });
  }
}
