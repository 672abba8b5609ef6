import type { ElasticEngine, ElasticityView, ElasticLoadBalancer } from './elasticityView';
import { slotsOfNewEngine } from './group';
import { isCutOff, obstacleFor, usableSlots } from './placementRules';

/** What a look believes of the fleet: as it is, with what the same look has decided already. */
export interface Forecast {
  readonly view: ElasticityView;
  engine(id: string): ElasticEngine | undefined;
  /** Percent; undefined when the engine has not told. */
  load(id: string): number | undefined;
  /**
   * Percent: as above, by the most it has lately had to do; infinite when it has not told. Who has just become quiet may
   * be cut off for a while, or between two bursts: nothing is led there, or taken away, on the strength of that.
   */
  steadyLoad(id: string): number;
  /** Its load has been known for a while. */
  isKnown(id: string): boolean;
  /** What of the engine's load is the load balancer's. */
  part(loadBalancer: ElasticLoadBalancer, engineId: string): number;
  /**
   * What each of its engines has of it when all get alike: what the busiest has. One that gets less than the others is one
   * that the network has cut off, not one with little to do, and what it does not get may come back.
   */
  evenPart(loadBalancer: ElasticLoadBalancer): number;
  /** Engines that the load balancer is on. */
  enginesOf(loadBalancer: ElasticLoadBalancer): readonly string[];
  /** Those on the engine, what loads it most first. */
  on(engineId: string): readonly ElasticLoadBalancer[];
  /** Moves a part of the load, and the slot, from one engine to another; either may be absent. */
  move(loadBalancer: ElasticLoadBalancer, change: { from?: string; to?: string; part: number }): void;
  /** The engine has so much more to do; less, when negative. */
  burden(engineId: string, load: number): void;
  /** Why the engine cannot take the load balancer; null when it can. */
  obstacle(engine: ElasticEngine, loadBalancer: ElasticLoadBalancer): string | null;
  /** Engines that are no more, as far as this look is concerned. */
  readonly gone: Set<string>;
}

/** What is remembered of engines. */
interface History {
  /** What each has lately had to do at most. */
  readonly peaks: ReadonlyMap<string, number>;
  /** Those that are no newcomers. */
  readonly known: ReadonlySet<string>;
}

export function createForecast(view: ElasticityView, { peaks, known }: History): Forecast {
  const engines = new Map(view.engines.map((it) => [it.id, { ...it }]));
  const places = new Map(view.loadBalancers.map((it) => [it.id, new Set(it.placements.map((p) => p.engineId))]));
  const engine = (id: string): (ElasticEngine & { load: number | null; slotsUsed: number }) | undefined =>
    engines.get(id);
  const loadBefore = (engineId: string): number => view.engines.find(({ id }) => id === engineId)?.load ?? 0;
  const part = (loadBalancer: ElasticLoadBalancer, engineId: string): number =>
    (loadBalancer.placements.find((it) => it.engineId === engineId)?.share ?? 0) * loadBefore(engineId);
  const gone = new Set<string>();
  return {
    view,
    gone,
    engine,
    part,
    evenPart: (it) => Math.max(0, ...it.placements.map(({ engineId }) => part(it, engineId))),
    load: (id) => engine(id)?.load ?? undefined,
    isKnown: (id) => known.has(id),
    steadyLoad(id) {
      const before = loadBefore(id);
      return (engine(id)?.load ?? Number.POSITIVE_INFINITY) + Math.max(0, (peaks.get(id) ?? 0) - before);
    },
    enginesOf: ({ id }) => [...(places.get(id) ?? [])],
    on: (id) =>
      view.loadBalancers
        .filter((it) => places.get(it.id)?.has(id))
        .sort((a, b) => part(b, id) - part(a, id) || (a.id < b.id ? -1 : 1)),
    move(loadBalancer, { from, to, part: amount }) {
      shift(from === undefined ? undefined : engine(from), -amount, -1);
      shift(to === undefined ? undefined : engine(to), amount, 1);
      if (from !== undefined) places.get(loadBalancer.id)?.delete(from);
      if (to !== undefined) places.get(loadBalancer.id)?.add(to);
    },
    burden: (id, amount) => shift(engine(id), amount, 0),
    obstacle(candidate, loadBalancer) {
      if (gone.has(candidate.id)) return 'on the way out';
      if (places.get(loadBalancer.id)?.has(candidate.id)) return 'serving it already';
      return obstacleFor(candidate, loadBalancer.demand, view.group);
    },
  };
}

function shift(engine: { load: number | null; slotsUsed: number } | undefined, load: number, slots: number): void {
  if (!engine) return;
  if (engine.load !== null) engine.load = Math.max(0, engine.load + load);
  engine.slotsUsed = Math.max(0, engine.slotsUsed + slots);
}

/** Engines that are there or coming. */
export function present({ view, gone, engine }: Forecast): readonly ElasticEngine[] {
  return view.engines
    .flatMap(({ id }) => engine(id) ?? [])
    .filter((it) => !gone.has(it.id) && !it.deleting && it.status !== 'GHOST' && it.status !== 'DELETING');
}

/** Engines that something can be moved to: up, heard of, and telling how loaded they are. */
export function serving(forecast: Forecast): readonly ElasticEngine[] {
  return present(forecast).filter(({ status, connected, load }) => status === 'READY' && connected && load !== null);
}

/**
 * Whether the group has what it is to have at least without the engine, and after `moved` load balancers have found a
 * place on the others: the minimum, and the buffer's free slots.
 */
export function spareable(forecast: Forecast, engine: ElasticEngine, moved: number): boolean {
  const { group } = forecast.view;
  const others = present(forecast).filter((it) => it.id !== engine.id && it.status !== 'DOWN' && !isCutOff(it));
  if (others.length < group.minEngines) return false;
  const like = others.filter((it) => isLike(it, engine, group.tenancy));
  const free = like.reduce((sum, it) => sum + Math.max(0, usableSlots(it, it, group) - it.slotsUsed), 0);
  return !isSpare(engine) || free - moved >= group.bufferEngines * slotsOfNewEngine(group);
}

/** Whether the buffer counts it: special engines are for who asks for them. */
function isSpare({ computeFlavor, imageTag }: ElasticEngine): boolean {
  return computeFlavor === null && imageTag === null;
}

function isLike(it: ElasticEngine, engine: ElasticEngine, tenancy: string): boolean {
  if (!isSpare(it) || it.ownerProjectId !== engine.ownerProjectId) return false;
  return tenancy === 'shared' || it.slotsUsed === 0 || engine.projectId === null || it.projectId === engine.projectId;
}
