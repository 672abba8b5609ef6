import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { type Bus, HINTS_TOPIC } from '../bus/port';
import { claimLoadBalancer } from '../db/changes';
import { type Db, inTransaction } from '../db/connect';
import { recordEvents } from '../db/events';
import { findGroupFor } from '../db/groups';
import { askToLeave, callBack, writeScale } from '../db/placementRequests';
import { loadTree } from '../db/tree';
import { scaleBounds } from '../domain/placementDemand';
import { isLeaving } from '../domain/placementPlan';
import { chooseToLeave } from '../domain/scaling';
import type { LoadBalancerTree } from '../domain/tree';

/** What operators ask of load balancers by the API, asked by the fleet's jobs: the same claim, the same rows, the same path. */

export interface ScaleDeps {
  readonly db: Db;
  readonly bus: Bus;
  readonly log: Logger;
  /** Seconds that a change may be pending. */
  readonly pendingDeadline: number;
}

export type ScaleAsk =
  | { readonly kind: 'scaleOut'; readonly loadBalancerId: string; readonly count: number; readonly reason: string }
  | { readonly kind: 'scaleIn'; readonly loadBalancerId: string; readonly engineId: string; readonly reason: string }
  | {
      readonly kind: 'migrate';
      readonly loadBalancerId: string;
      readonly engineId: string;
      readonly to: string | null;
      readonly reason: string;
    };

/** Event names by what is asked; absent: that of an operator's call. */
export type ScaleEvents = Readonly<Record<ScaleAsk['kind'], string>>;

/** False: the load balancer is in the middle of a change, or things are not any more as they were when it was asked. */
export async function askScale(deps: ScaleDeps, ask: ScaleAsk, events: ScaleEvents): Promise<boolean> {
  const { db, bus, log } = deps;
  const id = ask.loadBalancerId;
  const done = await inTransaction(db, async (trx) => {
    // A look alone first: who has nothing to change does not claim.
    if (!(await findDeed(trx, ask))) return false;
    const at = new Date();
    const claim = { loadBalancerId: id, intent: 'update' as const, deadline: deps.pendingDeadline, at };
    if ((await claimLoadBalancer(trx, claim)) !== 'claimed') return false;
    const deed = await findDeed(trx, ask);
    if (!deed) throw new Error(`load balancer ${id} has changed in between`);
    await deed.write(trx, { requestId: `req-${randomUUID()}`, at });
    const engineId = ask.kind === 'scaleOut' ? {} : { engineId: ask.engineId };
    const happening = {
      ...{ name: events[ask.kind], severity: 'info' as const, message: `${deed.message}: ${ask.reason}` },
      ...{ resourceType: 'load_balancer', resourceId: id, ...engineId },
    };
    await recordEvents(trx, [happening], { projectId: deed.tree.projectId, loadBalancerId: id });
    return true;
  });
  if (!done) return false;
  const hint = { method: 'load_balancer', args: { id }, loadBalancerId: id };
  await bus.publish(HINTS_TOPIC, hint).catch((err: unknown) => {
    log.warn({ err, lb: id }, 'the sweep will find this load balancer');
  });
  return true;
}

interface Deed {
  readonly tree: LoadBalancerTree;
  readonly message: string;
  write(trx: Db, by: { requestId: string; at: Date }): Promise<void>;
}

async function findDeed(trx: Db, ask: ScaleAsk): Promise<Deed | undefined> {
  const tree = await loadTree(trx, ask.loadBalancerId);
  const found = tree && (await findGroupFor(trx, tree));
  if (!tree || !found) return undefined;
  const { flavor, zone, group } = found;
  const bounds = scaleBounds({ topology: tree.topology, flavor, zone }, group.properties);
  const kept = tree.placements.filter((it) => !it.deleting && !isLeaving(it));
  switch (ask.kind) {
    case 'scaleOut': {
      const target = Math.min(bounds.most, kept.length + ask.count);
      if (target <= kept.length) return undefined;
      const message = `it is to be on ${target} engines instead of ${kept.length}`;
      return { tree, message, write: (db) => writeScale(db, tree.id, target - bounds.start) };
    }
    case 'scaleIn': {
      const target = kept.length - 1;
      if (target < bounds.least || !kept.some(({ engineId }) => engineId === ask.engineId)) return undefined;
      const { leave, promote } = chooseToLeave(kept, 1, ask.engineId);
      return {
        tree,
        message: `it is to be on ${target} engines instead of ${kept.length}; it leaves ${ask.engineId}`,
        async write(db, by) {
          await writeScale(db, tree.id, target - bounds.start);
          await askToLeave(db, { placements: leave, promote }, { request: 'scalein', ...by });
        },
      };
    }
    case 'migrate':
      return migration(tree, ask);
  }
}

function migration(tree: LoadBalancerTree, ask: ScaleAsk & { readonly kind: 'migrate' }): Deed | undefined {
  const { engineId, to } = ask;
  const present = tree.placements.filter(({ deleting }) => !deleting);
  const placement = present.find((it) => it.engineId === engineId && !isLeaving(it));
  if (!placement) return undefined;
  const home = present.find((it) => it.engineId === to && isLeaving(it));
  const message = `it is to leave engine ${engineId} for ${to === null ? 'another one' : `engine ${to}`}`;
  return {
    tree,
    message,
    async write(db, by) {
      if (home) await callBack(db, home.id);
      const target = home ? null : to;
      await askToLeave(db, { placements: [placement] }, { request: 'migrate', target, ...by });
    },
  };
}
