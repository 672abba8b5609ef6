import type { LoadBalancerTree, ObjectRefusal, Placement } from './tree';

/** What the engines of a load balancer say, taken together, of the generation that is wanted. */
export type Answers =
  /** In force on every engine that lives. `refusals` are the objects that no engine serves. */
  | {
      readonly kind: 'confirmed';
      readonly refusals: readonly ObjectRefusal[];
      /** Engines that could put nothing of it in force while others could. */
      readonly faulty: readonly Placement[];
    }
  /** Every engine that lives refused all of it. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** An engine that lives has not answered yet. */
  | { readonly kind: 'outstanding'; readonly placements: readonly Placement[] }
  /** No engine can be reached: all are silent, or not up yet. */
  | { readonly kind: 'unreachable' };

/** Whether an engine can be expected to answer. A silent one holds nothing up. */
export function isLive(placement: Placement): boolean {
  const { engine } = placement;
  return !placement.stale && engine.connected && (engine.status === 'READY' || engine.status === 'DRAINING');
}

/** Whether the engine has answered for the generation. */
export function hasAnswered(placement: Placement, generation: number): boolean {
  return placement.confirmedGeneration >= generation && placement.wantedGeneration >= generation;
}

/** Whether the engine has the generation in force, as far as it could. */
export function hasConfirmed(placement: Placement, generation: number): boolean {
  return hasAnswered(placement, generation) && !refusedAll(placement);
}

/** Whether the engine carries traffic of the load balancer, in whatever generation. */
export function serves(placement: Placement): boolean {
  return !placement.deleting && placement.confirmedGeneration >= 0 && !refusedAll(placement);
}

/** Whether clients are likely to reach the engine: it is heard, by its neighbours at least, and not cut from the VIP's network. */
export function isInReach({ stale, engine }: Placement): boolean {
  return engine.cut !== true && (!stale || engine.isolated === true);
}

/** Judges what the placements that are to stay say; those that drain hold nothing up. */
export function judgeAnswers({ placements, generation }: Pick<LoadBalancerTree, 'placements' | 'generation'>): Answers {
  const wanted = placements.filter(({ deleting, draining }) => !deleting && !draining);
  const outstanding = wanted.filter((it) => isLive(it) && !hasAnswered(it, generation));
  if (outstanding.length > 0) return { kind: 'outstanding', placements: outstanding };

  const answered = wanted.filter((it) => !it.stale && hasAnswered(it, generation));
  const confirmed = answered.filter((it) => !refusedAll(it));
  const faulty = answered.filter(refusedAll);
  if (confirmed.length > 0) return { kind: 'confirmed', refusals: refusedByAll(confirmed), faulty };
  const [first] = faulty;
  return first ? { kind: 'refused', reason: reasonOf(first) } : { kind: 'unreachable' };
}

/** Without the load balancer itself nothing of it is served. */
function refusedAll({ refused, refusals }: Placement): boolean {
  return refused || refusals.some(({ kind }) => kind === 'loadbalancer');
}

function reasonOf({ refusals }: Placement): string {
  return refusals.map(({ reason }) => reason).join('; ') || 'the engine refused the configuration';
}

/** An object that one engine serves is served. */
function refusedByAll(confirmed: readonly Placement[]): readonly ObjectRefusal[] {
  const [first, ...others] = confirmed;
  const refusals = first?.refusals ?? [];
  return refusals.filter(({ id }) => others.every((it) => it.refusals.some((refusal) => refusal.id === id)));
}
