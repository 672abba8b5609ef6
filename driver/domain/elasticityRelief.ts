import { type Forecast, present, serving } from './elasticityForecast';
import type { ElasticDecision, ElasticEngine, ElasticitySettings, ElasticLoadBalancer } from './elasticityView';

/** What is done for an engine that has too much to do. Pure. */

/** Points below the maximum up to which an engine is loaded on purpose: what is done now is not undone at the next look. */
export const HEADROOM = 10;

export interface Looking {
  readonly forecast: Forecast;
  readonly settings: ElasticitySettings;
  /** Whether enough time has passed since something was done with this engine or load balancer. */
  readonly rested: (id: string) => boolean;
}

export type Relief =
  | { readonly kind: 'decided'; readonly decision: ElasticDecision }
  | { readonly kind: 'stuck'; readonly reason: string }
  /** Something is under way already. */
  | { readonly kind: 'waiting' };

/**
 * Chooses one remedy: a load balancer that makes up most of the load is scaled out, as no other engine would do better with
 * it; else the largest that fits elsewhere moves there; else what can be is scaled out; else an engine is made.
 */
export function relieve(looking: Looking, hot: ElasticEngine): Relief {
  const { forecast, rested } = looking;
  const all = forecast.on(hot.id);
  if (all.length === 0) return { kind: 'stuck', reason: 'no load balancer is on it: something else loads it' };
  if (!rested(hot.id) || all.some(({ settled }) => !settled)) return { kind: 'waiting' };
  const free = all.filter(({ id }) => rested(id));
  if (free.length === 0) return { kind: 'waiting' };
  const [largest] = free;
  const isDominant = largest !== undefined && forecast.part(largest, hot.id) * 2 >= (hot.load ?? 0);
  const decision =
    (isDominant || all.length === 1 ? scaleOut(looking, hot, largest) : undefined) ??
    (all.length > 1 ? moveOne(looking, hot, free) : undefined) ??
    firstOf(free, (it) => scaleOut(looking, hot, it)) ??
    (all.length > 1 ? makeOne(looking, hot) : undefined);
  return decision ? { kind: 'decided', decision } : whyNot(looking, all);
}

function scaleOut(
  { forecast, settings }: Looking,
  hot: ElasticEngine,
  loadBalancer: ElasticLoadBalancer | undefined,
): ElasticDecision | undefined {
  if (!loadBalancer) return undefined;
  const on = forecast.enginesOf(loadBalancer);
  const most = loadBalancer.most - on.length;
  const room = enginesFor(looseTargets(forecast, settings, loadBalancer), forecast);
  const count = Math.min(countFor(hot, on.length, settings), most, room);
  if (count < 1) return undefined;
  const part = forecast.part(loadBalancer, hot.id);
  forecast.burden(hot.id, (part * on.length) / (on.length + count) - part);
  const reason = `engine ${hot.id} is loaded to ${percent(hot)}: ${percentOf(part)} of it is this load balancer's`;
  return { kind: 'scaleOut', loadBalancerId: loadBalancer.id, count, engineId: hot.id, reason };
}

/** So many more that each would be half way between too much and too little; at least one. */
function countFor(hot: ElasticEngine, present: number, { maxLoad, minLoad }: ElasticitySettings): number {
  const comfortable = (maxLoad + minLoad) / 2;
  return Math.max(1, Math.ceil((present * (hot.load ?? 0)) / comfortable) - present);
}

/** Engines that could take a further part of it, and those that may still be made. */
function enginesFor(targets: readonly ElasticEngine[], forecast: Forecast): number {
  return targets.length + Math.max(0, forecast.view.group.maxEngines - present(forecast).length);
}

function looseTargets(
  forecast: Forecast,
  { maxLoad }: ElasticitySettings,
  loadBalancer: ElasticLoadBalancer,
): readonly ElasticEngine[] {
  return present(forecast).filter(
    (it) => (it.load ?? 0) <= maxLoad - HEADROOM && forecast.obstacle(it, loadBalancer) === null,
  );
}

/** The largest that another engine can take without coming near its own bound. */
function moveOne(
  { forecast, settings, rested }: Looking,
  hot: ElasticEngine,
  free: readonly ElasticLoadBalancer[],
): ElasticDecision | undefined {
  for (const loadBalancer of free) {
    const part = forecast.part(loadBalancer, hot.id);
    const [to] = serving(forecast)
      .filter((it) => it.id !== hot.id && forecast.obstacle(it, loadBalancer) === null)
      .filter((it) => rested(it.id) && forecast.steadyLoad(it.id) + part <= settings.maxLoad - HEADROOM)
      .sort((a, b) => forecast.steadyLoad(a.id) - forecast.steadyLoad(b.id) || (a.id < b.id ? -1 : 1));
    if (!to || part === 0) continue;
    forecast.move(loadBalancer, { from: hot.id, to: to.id, part });
    const reason = `engine ${hot.id} is loaded to ${percent(hot)}, engine ${to.id} would be to ${percentOf(forecast.load(to.id) ?? 0)}`;
    return { kind: 'migrate', loadBalancerId: loadBalancer.id, engineId: hot.id, to: to.id, reason };
  }
  return undefined;
}

/** One at a time: who waits for an engine that is being built makes no other. */
function makeOne({ forecast, rested }: Looking, hot: ElasticEngine): ElasticDecision | undefined {
  const all = present(forecast);
  if (all.length >= forecast.view.group.maxEngines) return undefined;
  if (all.some(({ status }) => status === 'BUILDING') || !rested(NEW_ENGINE)) return undefined;
  const reason = `engine ${hot.id} is loaded to ${percent(hot)}, and no other engine can take anything of it`;
  return { kind: 'makeEngine', engineId: hot.id, reason };
}

/** By this name it is remembered when an engine was made last. */
export const NEW_ENGINE = 'new engine';

function whyNot({ forecast, rested }: Looking, all: readonly ElasticLoadBalancer[]): Relief {
  if (present(forecast).some(({ status }) => status === 'BUILDING') || !rested(NEW_ENGINE)) return { kind: 'waiting' };
  const atMost = all.filter((it) => forecast.enginesOf(it).length >= it.most).length;
  if (atMost === all.length) {
    return { kind: 'stuck', reason: 'its load balancers are on as many engines as they may be' };
  }
  const { maxEngines } = forecast.view.group;
  return { kind: 'stuck', reason: `the group has its ${maxEngines} engines, and none of them can take any of it` };
}

function firstOf<T, R>(items: readonly T[], work: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const result = work(item);
    if (result !== undefined) return result;
  }
  return undefined;
}

export function percent({ load }: Pick<ElasticEngine, 'load'>): string {
  return percentOf(load ?? 0);
}

export function percentOf(load: number): string {
  return `${Math.round(load)} %`;
}
