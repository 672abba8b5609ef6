import { hasConfirmed } from './answers';
import type { LoadBalancerTree, Placement } from './tree';

/** What is to become of the placements of a load balancer that stays. Pure. */
export interface PlacementPlan {
  /** Engines it needs besides those that keep it. */
  readonly add: number;
  /** Engines that cannot be chosen for those. */
  readonly occupied: readonly string[];
  /** Those of them that keep it. */
  readonly staying: readonly string[];
  /** Placements that have been replaced: others serve in their stead. */
  readonly drop: readonly Placement[];
  /** Placements whose engine is to be told again, with a new epoch, because somebody asked for it. */
  readonly repeat: readonly Placement[];
}

/**
 * Make before break: a placement that is to leave (a failover, an engine on its way out) stays until as many engines as
 * wanted have confirmed without it.
 */
export function planPlacements(
  tree: Pick<LoadBalancerTree, 'placements' | 'generation'>,
  wanted: number,
): PlacementPlan {
  const present = tree.placements.filter(({ deleting }) => !deleting);
  const leaving = present.filter(isLeaving);
  const keeping = present.filter((it) => !isLeaving(it));
  const replaced = keeping.filter((it) => !it.stale && hasConfirmed(it, tree.generation)).length >= wanted;
  return {
    add: Math.max(0, wanted - keeping.length),
    occupied: tree.placements.map(({ engineId }) => engineId),
    staying: keeping.map(({ engineId }) => engineId),
    drop: replaced ? leaving : [],
    repeat: present.filter(({ request }) => request === 'configure'),
  };
}

/** Whether the placement is to be replaced by one on another engine. */
export function isLeaving({ request, engine }: Placement): boolean {
  const { status, deleting } = engine;
  return (
    request === 'failover' ||
    request === 'delete' ||
    deleting ||
    status === 'DRAINING' ||
    status === 'DELETING' ||
    status === 'GHOST'
  );
}
