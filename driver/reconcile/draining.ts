import { type Db, inTransaction } from '../db/connect';
import { type Drain, listDrains, startDrains } from '../db/drains';
import { recordEvents } from '../db/events';
import { renewLease } from '../db/leases';
import { dropPlacements, forgetPlacements } from '../db/placements';
import { isLive, serves } from '../domain/answers';
import type { GroupProperties } from '../domain/group';
import type { Happening } from '../domain/settlement';
import type { LoadBalancerTree, Placement } from '../domain/tree';
import { hintEngines, type Run } from './loadBalancerRun';

/** Seconds between two looks at what drains: a tenth of the time it has, within these. */
const SOONEST = 0.5;
const LATEST = 5;

/**
 * Takes off the placements that others have replaced and that nothing leads traffic to any more. An engine that lives
 * first keeps the connections it has, until there are none or `timeout` seconds are over: nothing waits for that but the
 * engine. Gives the seconds until the next look at those that drain; undefined when none does.
 */
export async function letGo(run: Run, drop: readonly Placement[], timeout: number): Promise<number | undefined> {
  if (drop.length === 0) return undefined;
  const { parts, tree, lease } = run;
  const live = drop.filter(isLive);
  const lost = drop.filter((it) => !isLive(it));
  const draining = live.filter((it) => it.draining);
  const settle = parts.settings.drainSettle ?? 0;
  const drains = draining.length === 0 ? [] : await listDrains(parts.db, tree.id, settle);
  const ends = draining.flatMap((placement) => endOf(run, placement, drains) ?? []);
  const fresh = live.filter((it) => !it.draining);
  const begun = fresh.filter((it) => mayDrain(tree, it, { properties: { scaleinTimeout: timeout } }));
  const off = [...fresh.filter((it) => !begun.includes(it)), ...ends.map(({ placement }) => placement)];
  if (begun.length + off.length + lost.length > 0) {
    const want = { loadBalancerId: tree.id, generation: tree.generation, epoch: lease.epoch };
    await run.before('placements: drop');
    await inTransaction(parts.db, async (trx) => {
      await renewLease(trx, lease, parts.settings.leaseSeconds);
      await startDrains(trx, idsOf(begun), { ...want, seconds: timeout });
      await dropPlacements(trx, idsOf(off), want);
      await forgetPlacements(trx, lost);
      await recordDrains(trx, run, [...begun.map((it) => beginning(it, timeout)), ...ends.map(({ event }) => event)]);
    });
    await hintEngines(
      run,
      [...begun, ...off].map(({ engineId }) => engineId),
    );
  }
  const left = begun.length + draining.length - ends.length;
  return left === 0 ? undefined : Math.max(SOONEST, Math.min(LATEST, timeout / 10));
}

/** Whether a placement that others have replaced is let drain before it is taken off. */
export function mayDrain(tree: LoadBalancerTree, placement: Placement, { properties }: DrainTerms): boolean {
  // Nothing comes through to one that is cut.
  return placement.draining || (!placement.engine.cut && properties.scaleinTimeout > 0 && carries(tree, placement));
}

interface DrainTerms {
  readonly properties: Pick<GroupProperties, 'scaleinTimeout'>;
}

/** Whether connections of the load balancer may be on the placement's engine. */
function carries(tree: LoadBalancerTree, placement: Placement): boolean {
  return serves(placement) && tree.enabled && tree.listeners.some(({ enabled, deleting }) => enabled && !deleting);
}

interface End {
  readonly placement: Placement;
  readonly event: Happening;
}

/** Undefined while the placement has still to be drained. */
function endOf({ tree }: Run, placement: Placement, drains: readonly Drain[]): End | undefined {
  const drain = drains.find(({ placementId }) => placementId === placement.id);
  const over = drain === undefined || drain.expired || (drain.reported && drain.connections === 0);
  if (!over && carries(tree, placement)) return undefined;
  const cut = drain?.connections ?? 0;
  const { engineId, requestId } = placement;
  const event: Happening =
    cut === 0
      ? {
          name: 'ENGINE_DRAINED',
          severity: 'info',
          message: 'no connection is left on the engine',
          engineId,
          requestId,
        }
      : {
          ...{ name: 'ENGINE_DRAIN_EXPIRED', severity: 'warning', engineId, requestId },
          message: `the time to drain is over: ${cut} connections on the engine are cut`,
        };
  return { placement, event };
}

function beginning({ engineId, requestId, request }: Placement, timeout: number): Happening {
  const why = request === null ? 'its engine is to go' : `${request} was asked for`;
  const message = `others serve in the engine's stead (${why}): connections on it have ${timeout} s to end`;
  return { name: 'ENGINE_DRAINING', severity: 'info', message, engineId, requestId };
}

async function recordDrains(trx: Db, { tree }: Run, happenings: readonly Happening[]): Promise<void> {
  const about = { resourceType: 'load_balancer', resourceId: tree.id };
  await recordEvents(
    trx,
    happenings.map((it) => ({ ...about, ...it })),
    { projectId: tree.projectId, loadBalancerId: tree.id },
  );
}

function idsOf(placements: readonly Placement[]): string[] {
  return placements.map(({ id }) => id);
}
