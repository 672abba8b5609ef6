import type { HeldPlacement } from '../db/confirmations';
import type { Held } from '../protocol/messages';

/** What has to happen after an engine said what it holds. */
export interface Resync {
  /** Differs in version, lacks certificates, or is not held at all. */
  readonly push: readonly string[];
  /** Of the wanted version already; only the content may differ. */
  readonly verify: readonly string[];
  /** Held and not wanted there. */
  readonly remove: readonly string[];
  /** To be taken as acknowledgements. */
  readonly confirm: readonly Held[];
  /** On their way out and not held: the engine has nothing to do. */
  readonly gone: readonly HeldPlacement[];
}

/** Compares what an engine holds with what is placed on it. Pure. */
export function compareHeld(held: readonly Held[], placements: readonly HeldPlacement[]): Resync {
  const byId = new Map(held.map((it) => [it.id, it]));
  const wanted = placements.filter(({ deleting }) => !deleting);
  const wantedIds = new Set(wanted.map(({ loadBalancerId }) => loadBalancerId));
  const isCurrent = (placement: HeldPlacement): boolean => {
    const have = byId.get(placement.loadBalancerId);
    const same = have?.generation === placement.wantedGeneration && have.epoch === placement.wantedEpoch;
    // An engine that was rebooted has lost the keys.
    return same && have.lacking.length === 0;
  };
  return {
    push: wanted.filter((it) => !isCurrent(it)).map(({ loadBalancerId }) => loadBalancerId),
    verify: wanted.filter(isCurrent).map(({ loadBalancerId }) => loadBalancerId),
    remove: held.filter(({ id }) => !wantedIds.has(id)).map(({ id }) => id),
    confirm: held.filter(({ id, lacking }) => wantedIds.has(id) && lacking.length === 0),
    gone: placements.filter(({ deleting, loadBalancerId }) => deleting && !byId.has(loadBalancerId)),
  };
}
