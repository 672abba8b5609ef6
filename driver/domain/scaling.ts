import { isLive } from './answers';
import type { Placement } from './tree';

/** Which engines a load balancer leaves that is scaled in. Pure. */
export interface ScaleIn {
  readonly leave: readonly Placement[];
  /** It takes over the role of a primary that leaves. */
  readonly promote?: Placement;
}

/**
 * Chooses `count` of the placements: the one on the named engine, or those that serve least (their engine is dead, or
 * they only help), the youngest first. `kept` is in the order of creation.
 */
export function chooseToLeave(kept: readonly Placement[], count: number, named?: string): ScaleIn {
  const byLoss = [...kept].reverse().sort((a, b) => lossOf(a) - lossOf(b));
  const first = byLoss.filter(({ engineId }) => engineId === named);
  const wanted = Math.max(first.length, count);
  const leave = [...first, ...byLoss.filter((it) => !first.includes(it))].slice(0, wanted);
  const stay = kept.filter((it) => !leave.includes(it));
  const heir = stay.find(isLive) ?? stay[0];
  const orphaned = leave.some(({ role }) => role === 'primary') && !stay.some(({ role }) => role === 'primary');
  return heir && orphaned ? { leave, promote: heir } : { leave };
}

function lossOf(placement: Placement): number {
  return (isLive(placement) ? 2 : 0) + (placement.role === 'primary' ? 1 : 0);
}
