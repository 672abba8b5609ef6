import { hasConfirmed, serves } from './answers';
import type { LoadBalancerTree, Placement } from './tree';

/** What is to become of the placements of a load balancer that stays. Pure. */
export interface PlacementPlan {
  /** Engines it needs besides those that keep it. */
  readonly add: number;
  /** Engines that cannot be chosen for those. */
  readonly occupied: readonly string[];
  /** Those of them that keep it. */
  readonly staying: readonly string[];
  /** Engines to be chosen for those before any other, as somebody asked. */
  readonly preferred: readonly string[];
  /** Placements that have been replaced: others serve in their stead. */
  readonly drop: readonly Placement[];
  /** Placements whose engine is to be told again, with a new epoch, because somebody asked for it. */
  readonly repeat: readonly Placement[];
}

/**
 * Make before break: a placement that is to leave (a failover, an engine on its way out) stays until as many engines as
 * wanted have confirmed without it. One that drains already is not called back while anybody serves in its stead: a change
 * that comes meanwhile has yet to be confirmed by all.
 */
export function planPlacements(
  tree: Pick<LoadBalancerTree, 'placements' | 'generation'>,
  wanted: number,
): PlacementPlan {
  const present = tree.placements.filter(({ deleting }) => !deleting);
  const leaving = present.filter(isLeaving);
  const keeping = present.filter((it) => !isLeaving(it));
  const fresh = keeping.filter((it) => !it.stale);
  const replaced = fresh.filter((it) => hasConfirmed(it, tree.generation)).length >= wanted;
  const succeeded = fresh.some(serves);
  const targets = leaving.flatMap(({ requestTarget }) => requestTarget ?? []);
  return {
    add: Math.max(0, wanted - keeping.length),
    occupied: tree.placements.map(({ engineId }) => engineId),
    staying: keeping.map(({ engineId }) => engineId),
    preferred: targets.filter((id) => !keeping.some(({ engineId }) => engineId === id)),
    drop: leaving.filter(({ draining }) => replaced || (draining && succeeded)),
    repeat: present.filter(({ request }) => request === 'configure'),
  };
}

/** What a placement can be asked for that makes it leave its engine. */
const LEAVING_REQUESTS: readonly (string | null)[] = ['failover', 'delete', 'scalein', 'migrate', 'heal'];

/** Whether the placement is to go, for one on another engine or for none. */
export function isLeaving({ request, draining, engine }: Placement): boolean {
  const { status, deleting } = engine;
  return (
    LEAVING_REQUESTS.includes(request) ||
    draining ||
    deleting ||
    status === 'DRAINING' ||
    status === 'DELETING' ||
    status === 'GHOST'
  );
}
