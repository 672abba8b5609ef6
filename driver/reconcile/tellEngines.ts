import { inTransaction } from '../db/connect';
import { stopDrains } from '../db/drains';
import { renewLease } from '../db/leases';
import { forgetPlacements, type Placed, placeLoadBalancer, postponeDeadline, wantGeneration } from '../db/placements';
import { isLive } from '../domain/answers';
import { type PlacementPlan, planPlacements } from '../domain/placementPlan';
import type { Placement } from '../domain/tree';
import { keepVipMode } from './contrailWiring';
import { hintEngines, hintEngineUnits, type Run } from './loadBalancerRun';
import { keepMastership } from './mastership';
import { findPlacing, type Placing, placeRequest, recordPlaced } from './placing';
import { type Needs, stateNeeds } from './vnicNeeds';

/** What came of it. */
export type Told =
  /** The engines know; here is what is to become of the placements. */
  | { readonly kind: 'told'; readonly plan: PlacementPlan; readonly placing: Placing }
  /** Some have only now been told: their answers are a hint of their own. */
  | { readonly kind: 'telling'; readonly reason: string };

export type ToldOf<K extends Told['kind']> = Extract<Told, { readonly kind: K }>;

/**
 * Sees that the load balancer is on as many engines as wanted and that each has been told the present generation: rows
 * first, in one transaction under the lease, then hints.
 */
export async function tellEngines(given: Run, needs: Needs): Promise<Told> {
  const placing = await findPlacing(given);
  if (!placing) return { kind: 'telling', reason: 'there is no service engine group to place it in' };
  await keepVipMode(given, placing);
  const tree = await keepMastership(given, placing);
  const run = { ...given, tree };
  const plan = planPlacements(tree, placing.service.engines);
  const present = tree.placements.filter(({ deleting }) => !deleting);
  const recalled = present.filter((it) => it.draining && !plan.drop.includes(it));
  const outdated = present.filter(
    (it) => it.wantedGeneration < tree.generation || plan.repeat.includes(it) || recalled.includes(it),
  );
  const lost = tree.placements.filter((it) => it.deleting && !isLive(it));
  if (plan.add === 0 && outdated.length + lost.length === 0) return { kind: 'told', plan, placing };

  await run.before('placements: want');
  const { placed, needy } = await writeWants(run, { placing, plan, outdated, recalled, lost, needs });
  const engineIds = [...outdated.map(({ engineId }) => engineId), ...placed.engineIds];
  await run.before('placements: hint');
  await hintEngineUnits(run, new Set([...placed.newEngineIds, ...needy]));
  await hintEngines(run, engineIds);
  if (engineIds.length > 0) return { kind: 'telling', reason: 'its engines have just been told' };
  if (present.length === 0) {
    const why = placed.lacks === null ? '' : `: ${placed.lacks}`;
    return { kind: 'telling', reason: `no engine of group ${placing.group.name} has room for it${why}` };
  }
  return { kind: 'told', plan, placing };
}

interface Wants {
  readonly placing: Placing;
  readonly plan: PlacementPlan;
  readonly outdated: readonly Placement[];
  /** Those of them that drained. */
  readonly recalled: readonly Placement[];
  readonly lost: readonly Placement[];
  readonly needs: Needs;
}

const NOTHING: Placed = { engineIds: [], newEngineIds: [], lacks: null, sharesHost: false, booting: false };

interface Written {
  readonly placed: Placed;
  /** Engines that have still to be given a vNIC. */
  readonly needy: readonly string[];
}

async function writeWants(run: Run, wants: Wants): Promise<Written> {
  const { parts, tree, lease } = run;
  const { settings } = parts;
  const want = { loadBalancerId: tree.id, generation: tree.generation, epoch: lease.epoch };
  return inTransaction(parts.db, async (trx) => {
    await renewLease(trx, lease, settings.leaseSeconds);
    const placed = wants.plan.add === 0 ? NOTHING : await placeLoadBalancer(trx, placeRequest(run, wants));
    await wantGeneration(
      trx,
      wants.outdated.map(({ id }) => id),
      want,
    );
    await stopDrains(
      trx,
      wants.recalled.map(({ id }) => id),
    );
    await forgetPlacements(trx, wants.lost);
    // Of engines that have it already another network may be needed now.
    const told = wants.needs.domainId === null ? [] : wants.outdated.map(({ engineId }) => engineId);
    const needy = await stateNeeds(trx, tree, wants.needs, [...told, ...placed.engineIds]);
    const { scaleoutTimeout } = wants.placing.group.properties;
    const patience = scaleoutTimeout ?? settings.engineCreateTimeout;
    if (placed.booting) await postponeDeadline(trx, tree.id, patience + settings.pendingDeadline);
    await recordPlaced(run, trx, wants.placing, placed);
    return { placed, needy };
  });
}
