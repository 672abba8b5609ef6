import type { EngineCandidate, EngineDemand, GroupLimits } from './candidate';
import { PER_APP_SLOTS } from './group';

/** Which engine may take which load balancer, and why not. */

/** Why an engine cannot be chosen, as it goes on after a number of engines. */
export type Obstacle =
  | 'on the way out'
  | 'down'
  | 'cut from its network'
  | 'full'
  | 'serving another project'
  | 'in another project'
  | 'serving load balancers with engines of their own'
  | 'serving load balancers that share engines'
  | 'in another availability zone'
  | 'of another compute flavor'
  | 'of another image'
  | 'without a vNIC to spare'
  | 'serving it already';

/** Why the engine cannot take a load balancer that asks for this; null when it can. */
export function obstacleFor(engine: EngineCandidate, demand: EngineDemand, limits: GroupLimits): Obstacle | null {
  return (
    obstacleInLife(engine) ??
    obstacleInReach(engine, demand) ??
    obstacleInKind(engine, demand) ??
    obstacleInUse(engine, demand, limits)
  );
}

function obstacleInLife({ status, deleting }: EngineCandidate): Obstacle | null {
  if (deleting || status === 'DRAINING' || status === 'DELETING') return 'on the way out';
  return status === 'DOWN' || status === 'GHOST' ? 'down' : null;
}

/** One that is cut from all networks it is in is not tried in another. */
function obstacleInReach(engine: EngineCandidate, { vnics }: EngineDemand): Obstacle | null {
  const { cutFrom = [] } = engine;
  const isCut = vnics.some((key) => cutFrom.includes(domainOf(key))) || isCutOff(engine);
  return isCut ? 'cut from its network' : null;
}

/** Whether an engine is cut from all VIP networks it is in. */
export function isCutOff({ cutFrom = [], vnics }: Pick<EngineCandidate, 'cutFrom' | 'vnics'>): boolean {
  return cutFrom.length > 0 && vnics.every((key) => cutFrom.includes(domainOf(key)));
}

function domainOf(key: string): string {
  return key.slice(0, key.indexOf('/'));
}

/** A load balancer that names nothing is served by what the configuration makes: special engines are for who asks. */
function obstacleInKind(engine: EngineCandidate, demand: EngineDemand): Obstacle | null {
  if (engine.ownerProjectId !== demand.ownerProjectId) return 'in another project';
  if (demand.zone !== null && engine.zone !== demand.zone) return 'in another availability zone';
  if (engine.computeFlavor !== demand.computeFlavor) return 'of another compute flavor';
  return engine.imageTag === demand.imageTag ? null : 'of another image';
}

function obstacleInUse(engine: EngineCandidate, demand: EngineDemand, limits: GroupLimits): Obstacle | null {
  if (engine.slotsUsed >= usableSlots(engine, demand, limits)) return 'full';
  if (engine.slotsUsed > 0) {
    if (limits.tenancy !== 'shared' && engine.projectId !== demand.projectId) return 'serving another project';
    // In a group of such engines all load balancers have that in common.
    if (!limits.perApp && engine.perApp && !demand.perApp) return 'serving load balancers with engines of their own';
    if (!limits.perApp && !engine.perApp && demand.perApp) return 'serving load balancers that share engines';
  }
  const vnics = new Set([...engine.vnics, ...demand.vnics]).size;
  return vnics > engine.vnics.length && vnics > dataVnics(limits) ? 'without a vNIC to spare' : null;
}

/** Slots of an engine as far as this load balancer may use them: those of few have two at most. */
export function usableSlots(
  { slots }: { readonly slots: number },
  { perApp }: Pick<EngineDemand, 'perApp'>,
  group: Pick<GroupLimits, 'perApp'>,
): number {
  return perApp || group.perApp ? Math.min(PER_APP_SLOTS, slots) : slots;
}

/** Whether an engine made now could be given all vNICs that are asked for. */
export function vnicsOfNewEngineFit({ vnics }: EngineDemand, limits: GroupLimits): boolean {
  return new Set(vnics).size <= dataVnics(limits);
}

/** One is the management network's. */
function dataVnics({ maxVnics }: GroupLimits): number {
  return maxVnics - 1;
}

interface Asked {
  readonly demand: EngineDemand;
  readonly limits: GroupLimits;
  readonly obstacles: (engine: EngineCandidate) => Obstacle | null;
}

/**
 * Why a load balancer gets no further engine: how far the group has grown, how many of its slots are used, and what keeps
 * each of its engines from taking it. `group full: 10 of 10 engines, 100 of 100 slots`
 */
export function explainMissing(engines: readonly EngineCandidate[], { demand, limits, obstacles }: Asked): string {
  if (!vnicsOfNewEngineFit(demand, limits)) {
    return `it needs ${new Set(demand.vnics).size} networks, and an engine has ${limits.maxVnics} vNICs, one of them for management`;
  }
  const present = engines.filter(({ deleting }) => !deleting);
  const slots = present.reduce((sum, it) => sum + usableSlots(it, demand, limits), 0);
  const used = present.reduce((sum, it) => sum + Math.min(it.slotsUsed, usableSlots(it, demand, limits)), 0);
  const counts = new Map<string, number>();
  for (const engine of present) {
    const why = obstacles(engine);
    if (why !== null) counts.set(why, (counts.get(why) ?? 0) + 1);
  }
  const full = `group full: ${present.length} of ${limits.maxEngines} engines, ${used} of ${slots} slots`;
  const others = [...counts]
    .filter(([why]) => why !== 'full')
    .sort(([a, some], [b, more]) => more - some || (a < b ? -1 : 1))
    .map(([why, count]) => `${count} ${why}`);
  return others.length === 0 ? full : `${full}; of its engines ${others.join(', ')}`;
}
