import { HINTS_TOPIC } from '../../../driver/bus/port';
import type { Db } from '../../../driver/db/connect';
import { askForSwitchover } from '../../../driver/db/engineVerbs';
import { recordEvents } from '../../../driver/db/events';
import { findGroupFor } from '../../../driver/db/groups';
import { askToLeave, writeScale } from '../../../driver/db/placementRequests';
import { loadTree } from '../../../driver/db/tree';
import { ConflictError, NotFoundError, ValidationError } from '../../../driver/domain/errors';
import { readService, type ScaleBounds, scaleBounds } from '../../../driver/domain/placementDemand';
import { isLeaving } from '../../../driver/domain/placementPlan';
import { chooseToLeave } from '../../../driver/domain/scaling';
import type { LoadBalancerTree, Placement } from '../../../driver/domain/tree';
import { claimOwn } from '../../changes/busy';
import { runChange } from '../../changes/change';
import type { Caller, CommandDeps } from '../../changes/deps';
import type { Schemas } from '../../openapi/schemas';
import { explainPlacement } from './placementPlan';

type View = Schemas['PlacementPlanView'];

/** A load balancer that is being scaled, as its claim has found it. */
export interface Scaled {
  readonly trx: Db;
  readonly at: Date;
  readonly tree: LoadBalancerTree;
  readonly groupName: string;
  /** Placements that are to stay. */
  readonly kept: readonly Placement[];
  /** Engines it is to be on now: never fewer than it is on. */
  readonly engines: number;
  readonly bounds: ScaleBounds;
}

/** What a call has done, for its event. */
export interface Deed {
  readonly name: string;
  readonly message: string;
  readonly engineId?: string;
}

/** Wants the load balancer on more engines than it is on. @throws ServiceError beyond the bounds of its group */
export function scaleOut(
  deps: CommandDeps,
  caller: Caller,
  { id, body }: { id: string; body: Schemas['ScaleOut'] },
): Promise<View> {
  return scale(deps, caller, {
    id,
    async work({ trx, tree, engines, bounds, groupName }) {
      const target = engines + (body.count ?? 1);
      if (target > bounds.most) {
        const why = isPair(bounds) ? PAIR : `${bounds.mostBy} of service engine group ${groupName} is ${bounds.most}`;
        throw new ConflictError(`Load Balancer ${id} cannot be scaled from ${engines} engines to ${target}: ${why}.`);
      }
      await writeScale(trx, tree.id, target - bounds.start);
      return { name: 'SCALEOUT_REQUESTED', message: `it is to be on ${target} engines instead of ${engines}` };
    },
  });
}

/** Wants the load balancer off engines: the one that is named, or those it misses least. @throws ServiceError */
export function scaleIn(
  deps: CommandDeps,
  caller: Caller,
  { id, body }: { id: string; body: Schemas['ScaleIn'] },
): Promise<View> {
  const named = body.service_engine_id ?? undefined;
  if (named !== undefined && (body.count ?? 1) !== 1) {
    throw new ValidationError('count is for engines that are not named: service_engine_id names one.');
  }
  return scale(deps, caller, {
    id,
    async work({ trx, at, tree, engines, bounds, groupName, kept }) {
      const count = body.count ?? 1;
      const target = engines - count;
      if (named !== undefined) placementOn(tree, kept, named);
      if (target < bounds.least) {
        const floor = `a load balancer of service engine group ${groupName} is on ${bounds.least} at least`;
        const why = isPair(bounds) ? PAIR : floor;
        throw new ConflictError(`Load Balancer ${id} cannot be scaled from ${engines} engines to ${target}: ${why}.`);
      }
      await writeScale(trx, tree.id, target - bounds.start);
      const { leave, promote } = chooseToLeave(kept, kept.length - target, named);
      await askToLeave(trx, { placements: leave, promote }, { request: 'scalein', requestId: caller.requestId, at });
      const off = leave.map(({ engineId }) => engineId).join(', ') || 'none that it is on';
      return {
        name: 'SCALEIN_REQUESTED',
        message: `it is to be on ${target} engines instead of ${engines}; it leaves ${off}`,
        ...(named !== undefined && { engineId: named }),
      };
    },
  });
}

/** Wants the load balancer on another engine in the stead of one: `to`, or one that placement chooses. @throws ServiceError */
export function migrate(
  deps: CommandDeps,
  caller: Caller,
  { id, body }: { id: string; body: Schemas['Migrate'] },
): Promise<View> {
  const { from, to = null } = body;
  return scale(deps, caller, {
    id,
    async work({ trx, at, tree, kept }) {
      const placement = placementOn(tree, kept, from);
      if (to !== null) await refuseTarget(deps, trx, { tree, to });
      const asked = { request: 'migrate', target: to, requestId: caller.requestId, at } as const;
      await askToLeave(trx, { placements: [placement] }, asked);
      const message = `it is to leave engine ${from} for ${to === null ? 'another one' : `engine ${to}`}`;
      return { name: 'MIGRATE_REQUESTED', message, engineId: from };
    },
  });
}

const PAIR = 'a pair is two engines';

function isPair({ least, most }: ScaleBounds): boolean {
  return least === most && most === 2;
}

export interface Scaling {
  readonly id: string;
  work(scaled: Scaled): Promise<Deed>;
}

/** One claim of the load balancer, as for its failover; answered with what placement makes of it then. */
export async function scale(deps: CommandDeps, caller: Caller, { id, work }: Scaling): Promise<View> {
  const change = {
    loadBalancerId: id,
    work: async (trx: Db, at: Date) => {
      const deadline = deps.settings.pendingDeadline;
      await claimOwn(trx, { loadBalancerId: id, intent: 'failover', deadline, at });
      const scaled = await readScaled(trx, id, at);
      const deed = await work(scaled);
      const { projectId } = scaled.tree;
      await recordEvents(trx, [{ ...deed, ...ABOUT, severity: 'info', resourceId: id }], {
        ...{ projectId, loadBalancerId: id, requestId: caller.requestId, userId: caller.identity.userId },
      });
      return { id, cast: null };
    },
  };
  const answer = (trx: Db): Promise<View> => explainPlacement({ ...deps, db: trx }, id);
  const view = await runChange(deps, caller, { change, answer });
  // No method of Octavia's stands for it. Lost, it is found by the sweep.
  const hint = { method: 'load_balancer', args: { id }, loadBalancerId: id };
  await deps.bus.publish(HINTS_TOPIC, hint).catch((error: unknown) => {
    deps.log.warn({ err: error, lb: id }, 'the sweep will find this load balancer');
  });
  return view;
}

/** Has the standby of a pair take over from its master. @throws ServiceError for what is no pair, or has no standby */
export function switchOver(deps: CommandDeps, caller: Caller, { id }: { id: string }): Promise<View> {
  return scale(deps, caller, {
    id,
    async work({ trx, tree }) {
      const { asked } = await askForSwitchover(trx, { loadBalancerId: tree.id }, caller.requestId);
      if (asked > 0) return { name: 'SWITCHOVER_REQUESTED', message: 'its standby is to take over' };
      const why = (tree.masterTerm ?? null) === null ? 'it is no pair' : 'its standby is not there';
      throw new ConflictError(`Load Balancer ${id} cannot be switched over: ${why}.`);
    },
  });
}

const ABOUT = { resourceType: 'load_balancer' } as const;

async function readScaled(trx: Db, id: string, at: Date): Promise<Scaled> {
  const tree = await loadTree(trx, id);
  if (!tree) throw new NotFoundError('Load Balancer', id);
  const found = await findGroupFor(trx, tree);
  if (!found) throw new ConflictError(`Load Balancer ${id} cannot be scaled: there is no service engine group.`);
  const { group, flavor, zone } = found;
  const wishes = { topology: tree.topology, flavor, zone };
  const service = readService({ ...wishes, adjustment: tree.scaleAdjustment }, group.properties);
  const kept = tree.placements.filter((it) => !it.deleting && !isLeaving(it));
  const bounds = scaleBounds(wishes, group.properties);
  return { trx, at, tree, groupName: group.name, kept, engines: Math.max(kept.length, service.engines), bounds };
}

function placementOn(tree: LoadBalancerTree, kept: readonly Placement[], engineId: string): Placement {
  const placement = kept.find((it) => it.engineId === engineId);
  if (placement) return placement;
  const leaving = tree.placements.some((it) => it.engineId === engineId);
  throw new ConflictError(
    leaving
      ? `Load Balancer ${tree.id} is leaving service engine ${engineId} already.`
      : `Load Balancer ${tree.id} is not on service engine ${engineId}.`,
  );
}

async function refuseTarget(
  deps: CommandDeps,
  trx: Db,
  { tree, to }: { tree: LoadBalancerTree; to: string },
): Promise<void> {
  const { engines, service_engine_group_name: group } = await explainPlacement({ ...deps, db: trx }, tree.id);
  const target = engines.find(({ id }) => id === to);
  if (!target) throw new ConflictError(`Service engine ${to} is not of service engine group ${group}.`);
  if (target.obstacle === null) return;
  throw new ConflictError(`Load Balancer ${tree.id} cannot go to service engine ${to}, which is ${target.obstacle}.`);
}
