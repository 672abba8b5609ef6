import type { WiredFleet } from '../db/wiredFleet';
import type { HealthCheckWish, Inventory, WiringType } from '../domain/inventory';

/** Something that is not in Contrail as it is wanted. */
export interface Drift {
  /** What makes it the same drift in the next audit. */
  readonly cause: string;
  /** As a sentence, without its end. */
  readonly what: string;
  /** What Contrail is asked about; null: nothing that is there. */
  readonly object: { readonly type: WiringType; readonly id: string } | null;
  /** Whose runs put it right; none of them may be under way for it to count. */
  readonly loadBalancerId: string | null;
  readonly engineId: string | null;
  /**
   * `repair`: it is ours, and put right. `report`: it is somebody else's, and told of. `spread`: it is new, and nobody has
   * to hear of it.
   */
  readonly handling: 'repair' | 'report' | 'spread';
  /** What the audit does itself; null: the unit's own run does it all. */
  readonly remedy: Remedy | null;
}

export type Remedy =
  | { readonly kind: 'fixed address'; readonly floatingIpId: string; readonly address: string }
  | { readonly kind: 'link'; readonly floatingIpId: string; readonly portId: string; readonly address: string | null }
  | { readonly kind: 'unpair'; readonly portId: string; readonly address: string }
  | { readonly kind: 'leave'; readonly serviceId: string; readonly portId: string }
  | { readonly kind: 'rename'; readonly type: WiringType; readonly id: string; readonly name: string }
  | { readonly kind: 'unshare'; readonly type: WiringType; readonly id: string }
  | { readonly kind: 'correct check'; readonly id: string };

/** What is compared. */
export interface Audited {
  readonly fleet: WiredFleet;
  readonly inventory: Inventory;
  readonly ownerTag: string;
  readonly healthCheck: HealthCheckWish | null;
  /** Addresses of load balancers that are gone: `network address`. */
  readonly formerVips: ReadonlySet<string>;
  /** Servers' ports are Nova's to plug in: what says whose a port is can be compared. */
  readonly plugs: boolean;
}

/** What of a drift there is to say beyond the units. */
export type DriftOf = Pick<Drift, 'cause' | 'what'> & Partial<Drift>;

export function drift(given: DriftOf): Drift {
  return {
    ...{ object: null, loadBalancerId: null, engineId: null, handling: 'repair', remedy: null },
    ...given,
    cause: `${DRIFT}${given.cause}`,
  };
}

/** Causes of troubles that the audit tells begin with it. */
export const DRIFT = 'drift ';
