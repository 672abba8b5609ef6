/** Choosing engines for a load balancer: pure, so that what happens is a function of the rows alone. */

/** An engine as placement sees it. */
export interface EngineCandidate {
  readonly id: string;
  readonly status: 'BUILDING' | 'READY' | 'DRAINING' | 'DELETING' | 'DOWN' | 'GHOST';
  readonly deleting: boolean;
  readonly connected: boolean;
  readonly slots: number;
  readonly slotsUsed: number;
  /** Where it has vNICs. */
  readonly networkIds: readonly string[];
}

export interface PlacementRequest {
  /** Engines wanted in addition to those in `occupied`. */
  readonly count: number;
  /** The VIP's network; null when there is none to be in. */
  readonly networkId: string | null;
  /** Engines that cannot be chosen: they have the load balancer already, or are to lose it. */
  readonly occupied: readonly string[];
}

export interface GroupLimits {
  readonly maxEngines: number;
  /** Packed: fill running engines first. Distributed: as many engines as there may be, then the least loaded. */
  readonly algorithm: 'packed' | 'distributed';
}

export interface PlacementChoice {
  /** Engines with a free slot, the best first; never more than asked for. */
  readonly engineIds: readonly string[];
  /** Engines to be made for the rest, as far as the group may grow. */
  readonly newEngines: number;
  /** What is left without an engine: the group is full. */
  readonly missing: number;
}

/**
 * Chooses among the engines of a group. Prefers warm ones (up, connected, with a vNIC in the network), then others that
 * are up, then those that are being built; a slot is free when fewer are used than there are.
 */
export function chooseEngines(
  request: PlacementRequest,
  engines: readonly EngineCandidate[],
  limits: GroupLimits,
): PlacementChoice {
  const occupied = new Set(request.occupied);
  const room = Math.max(0, limits.maxEngines - engines.filter(({ deleting }) => !deleting).length);
  const free = engines.filter((it) => isEligible(it) && !occupied.has(it.id));
  const pool = limits.algorithm === 'distributed' ? spread(free, room) : free;
  const engineIds = [...pool]
    .sort((a, b) => compare(a, b, { networkId: request.networkId, packed: limits.algorithm === 'packed' }))
    .slice(0, request.count)
    .map(({ id }) => id);
  const wanting = request.count - engineIds.length;
  const newEngines = Math.min(wanting, room);
  return { engineIds, newEngines, missing: wanting - newEngines };
}

function isEligible({ status, deleting, slots, slotsUsed }: EngineCandidate): boolean {
  return !deleting && (status === 'READY' || status === 'BUILDING') && slotsUsed < slots;
}

/** While the group may grow, an engine that serves somebody already is left alone. */
function spread(free: readonly EngineCandidate[], room: number): readonly EngineCandidate[] {
  return room > 0 ? free.filter(({ slotsUsed }) => slotsUsed === 0) : free;
}

interface Preference {
  readonly networkId: string | null;
  readonly packed: boolean;
}

function compare(a: EngineCandidate, b: EngineCandidate, preference: Preference): number {
  const readiness = readinessOf(b, preference.networkId) - readinessOf(a, preference.networkId);
  if (readiness !== 0) return readiness;
  const load = preference.packed ? b.slotsUsed - a.slotsUsed : a.slotsUsed - b.slotsUsed;
  return load !== 0 ? load : a.id < b.id ? -1 : 1;
}

/** The higher, the sooner it serves. One that is up but not connected has gone silent: building is more hopeful. */
function readinessOf({ status, connected, networkIds }: EngineCandidate, networkId: string | null): number {
  if (status === 'BUILDING') return 1;
  if (!connected) return 0;
  return networkId === null || networkIds.includes(networkId) ? 3 : 2;
}

/** Engines a load balancer is to be on. */
export function wantedEngines(topology: string, group: { minScaleout: number; maxEngines: number }): number {
  const wanted = topology === 'ACTIVE_STANDBY' ? Math.max(2, group.minScaleout) : Math.max(1, group.minScaleout);
  // A group that cannot have so many gives what it has: better served by fewer than not at all.
  return Math.max(1, Math.min(wanted, group.maxEngines));
}

/**
 * Roles for engines that come to those that keep the load balancer: the first engine answers for the VIP; in a pair the
 * other one waits, else it shares the load. Who comes in another's stead takes over that role.
 */
export function rolesForNew(count: number, kept: readonly EngineRole[], topology: string): EngineRole[] {
  const other: EngineRole = topology === 'ACTIVE_STANDBY' ? 'standby' : 'secondary';
  return Array.from({ length: count }, (_, index) => (index === 0 && !kept.includes('primary') ? 'primary' : other));
}

export type EngineRole = 'primary' | 'secondary' | 'standby';
