import type { EngineCandidate, EngineDemand, GroupLimits } from './candidate';
import type { HaMode } from './group';
import { explainMissing, type Obstacle, obstacleFor, vnicsOfNewEngineFit } from './placementRules';

export { type EngineCandidate, type EngineDemand, type GroupLimits, vnicKey } from './candidate';

/** Choosing engines for a load balancer: pure, so that what happens is a function of the rows alone. */

export interface PlacementRequest {
  /** Engines wanted in addition to those in `staying`. */
  readonly count: number;
  readonly demand: EngineDemand;
  /** Engines that cannot be chosen: they have the load balancer already, or are to lose it. */
  readonly occupied: readonly string[];
  /** Those of them that keep it: the others are to be on other hosts. */
  readonly staying: readonly string[];
  /** Engines that are taken before any other, if they can be. */
  readonly preferred?: readonly string[];
}

export interface PlacementChoice {
  /** Engines with a free slot, the best first; never more than asked for. */
  readonly engineIds: readonly string[];
  /** Engines to be made for the rest, as far as the group may grow. */
  readonly newEngines: number;
  /** What is left without an engine. */
  readonly missing: number;
  /** Why; null when nothing is missing. */
  readonly reason: string | null;
  /** Engines of the load balancer will be on one host although they should not: there was no other way. */
  readonly sharesHost: boolean;
}

/**
 * Chooses among the engines of a group. Prefers warm ones (up, connected, with every vNIC that is needed), then others
 * that are up, then those that are being built, then new ones. Hosts differ while there is a host to be had.
 */
export function chooseEngines(
  request: PlacementRequest,
  engines: readonly EngineCandidate[],
  limits: GroupLimits,
): PlacementChoice {
  const occupied = new Set(request.occupied);
  const fit = welcome(
    request,
    engines.filter((it) => !occupied.has(it.id) && obstacleFor(it, request.demand, limits) === null),
    limits.maxEngines - engines.filter(({ deleting }) => !deleting).length,
  ).sort(byPreference(request.demand, limits));
  const named = fit.filter(({ id }) => request.preferred?.includes(id)).slice(0, request.count);
  const rest = {
    ...request,
    count: request.count - named.length,
    staying: [...request.staying, ...named.map(({ id }) => id)],
  };
  const selection = selectApart(rest, { engines, fit: fit.filter((it) => !named.includes(it)), limits });
  const chosen = [...named, ...selection.apart, ...selection.together];
  const missing = request.count - chosen.length - selection.newEngines;
  const obstacles: Obstacles = (it) =>
    occupied.has(it.id) ? 'serving it already' : obstacleFor(it, request.demand, limits);
  return {
    engineIds: chosen.map(({ id }) => id),
    newEngines: selection.newEngines,
    missing,
    reason: missing > 0 ? explainMissing(engines, { demand: request.demand, limits, obstacles }) : null,
    sharesHost: selection.together.length > 0,
  };
}

/**
 * Who is served already and comes to have another engine does not have it on one with too much to do, as long as another
 * can be had or made. Who is not served takes what there is.
 */
function welcome(
  { staying, preferred, count }: PlacementRequest,
  fit: readonly EngineCandidate[],
  room: number,
): EngineCandidate[] {
  const free = fit.filter(({ id, avoided }) => !avoided || preferred?.includes(id));
  return staying.length > 0 && free.length + room >= count ? free : [...fit];
}

type Obstacles = (engine: EngineCandidate) => Obstacle | null;

interface Fleet {
  readonly engines: readonly EngineCandidate[];
  /** Those that could be chosen, the best first. */
  readonly fit: readonly EngineCandidate[];
  readonly limits: GroupLimits;
}

interface Selection {
  readonly apart: readonly EngineCandidate[];
  /** On hosts that serve the load balancer already. */
  readonly together: readonly EngineCandidate[];
  readonly newEngines: number;
}

/** Hosts first come by engines that are there, then by growing, and are shared only after that. */
function selectApart({ count, staying, demand }: PlacementRequest, { engines, fit, limits }: Fleet): Selection {
  const present = engines.filter(({ deleting }) => !deleting);
  const mayGrow = vnicsOfNewEngineFit(demand, limits);
  const room = mayGrow ? Math.max(0, limits.maxEngines - present.length) : 0;
  const hosts = new Set(engines.filter(({ id }) => staying.includes(id)).flatMap(({ host }) => host ?? []));
  const take = limits.hostRedundancy ? takeApart(hosts) : takeAny;

  // Distributed: while the group may grow, an engine that serves somebody already is left alone.
  const spreads = limits.algorithm === 'distributed' && room > 0;
  const first = take(spreads ? fit.filter(({ slotsUsed }) => slotsUsed === 0) : fit, count);
  const left = fit.filter((it) => !first.includes(it));
  const growsFirst = spreads || left.length === 0 || hasOtherHosts(present, demand, hosts);
  const grown = growsFirst ? Math.min(room, count - first.length) : 0;
  const second = spreads ? take(left, count - first.length - grown) : [];
  const apart = [...first, ...second];
  const together = left.filter((it) => !second.includes(it)).slice(0, count - apart.length - grown);
  const rest = count - apart.length - grown - together.length;
  return { apart, together, newEngines: grown + Math.min(room - grown, rest) };
}

type Take = (engines: readonly EngineCandidate[], count: number) => EngineCandidate[];

const takeAny: Take = (engines, count) => engines.slice(0, count);

/** Takes one engine a host, and notes the hosts. One whose host is not known yet is taken for one on another. */
function takeApart(hosts: Set<string>): Take {
  return (engines, count) => {
    const taken: EngineCandidate[] = [];
    for (const engine of engines) {
      if (taken.length === count) break;
      if (engine.host !== null && hosts.has(engine.host)) continue;
      if (engine.host !== null) hosts.add(engine.host);
      taken.push(engine);
    }
    return taken;
  };
}

/**
 * Whether a new engine may come to be on another host: one is known that is not in use, or nothing yet says that there
 * is none, which two engines on one host would.
 */
function hasOtherHosts(
  present: readonly EngineCandidate[],
  { zone }: EngineDemand,
  used: ReadonlySet<string>,
): boolean {
  const up = present.filter(({ status }) => status !== 'DOWN' && status !== 'GHOST');
  const known = up.filter((it) => zone === null || it.zone === zone).flatMap(({ host }) => host ?? []);
  return known.some((host) => !used.has(host)) || new Set(known).size === known.length;
}

function byPreference(demand: EngineDemand, { algorithm }: GroupLimits) {
  return (a: EngineCandidate, b: EngineCandidate): number => {
    const readiness = readinessOf(b, demand) - readinessOf(a, demand);
    if (readiness !== 0) return readiness;
    const load = algorithm === 'packed' ? b.slotsUsed - a.slotsUsed : a.slotsUsed - b.slotsUsed;
    return load !== 0 ? load : a.id < b.id ? -1 : 1;
  };
}

/** The higher, the sooner it serves. One that is up but not connected has gone silent: building is more hopeful. */
function readinessOf({ status, connected, vnics, avoided }: EngineCandidate, demand: EngineDemand): number {
  if (status === 'BUILDING') return 1;
  if (!connected) return 0;
  if (avoided) return 1.5;
  return demand.vnics.every((key) => vnics.includes(key)) ? 3 : 2;
}

/**
 * Roles for engines that come to those that keep the load balancer: the first engine answers for the VIP; in a pair the
 * other one waits, else it shares the load. Who comes in another's stead takes over that role.
 */
export function rolesForNew(count: number, { kept, haMode, isGranted }: RolesGiven): EngineRole[] {
  const isPair = haMode === 'active_standby';
  const hasFirst = kept.includes('primary') || (isPair && isGranted);
  const other: EngineRole = isPair ? 'standby' : 'secondary';
  return Array.from({ length: count }, (_, index) => (index === 0 && !hasFirst ? 'primary' : other));
}

interface RolesGiven {
  /** Of those that stay. */
  readonly kept: readonly EngineRole[];
  readonly haMode: HaMode;
  /**
   * Its master was granted a term: a newcomer becomes the master by another grant alone. With the old term there might be
   * two of it, as the one that it was granted to may go on where nobody sees it.
   */
  readonly isGranted: boolean;
}

export type EngineRole = 'primary' | 'secondary' | 'standby';
