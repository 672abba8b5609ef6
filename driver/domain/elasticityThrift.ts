import { type Forecast, serving, spareable } from './elasticityForecast';
import { HEADROOM, type Looking, percent, percentOf } from './elasticityRelief';
import type { ElasticDecision, ElasticEngine, ElasticLoadBalancer } from './elasticityView';

/** What is done about engines that have too little to do. Pure. */

/** Load balancers that are moved at one look. */
const MOST_MOVES = 10;

/**
 * Takes load balancers off engines that they were scaled out to, once fewer can do it with room to spare: half way between
 * too much and too little, so that no scale-out follows.
 */
export function scaleIn(looking: Looking, low: ElasticEngine): ElasticDecision | undefined {
  const { forecast, settings, rested } = looking;
  if (!rested(low.id)) return undefined;
  const bound = (settings.maxLoad + settings.minLoad) / 2;
  for (const loadBalancer of forecast.on(low.id)) {
    const on = forecast.enginesOf(loadBalancer);
    if (!loadBalancer.settled || !rested(loadBalancer.id) || on.length <= Math.max(1, loadBalancer.least)) continue;
    const part = forecast.part(loadBalancer, low.id);
    const others = on.filter((id) => id !== low.id);
    const whole = (forecast.evenPart(loadBalancer) * on.length) / others.length;
    const more = (id: string): number => whole - forecast.part(loadBalancer, id);
    if (others.some((id) => !forecast.isKnown(id) || forecast.steadyLoad(id) + more(id) > bound)) continue;
    forecast.move(loadBalancer, { from: low.id, part });
    for (const id of others) forecast.burden(id, more(id));
    const reason = `engine ${low.id} is loaded to ${percent(low)}, and ${others.length} of its ${on.length} engines can do it`;
    return { kind: 'scaleIn', loadBalancerId: loadBalancer.id, engineId: low.id, reason };
  }
  return undefined;
}

/**
 * Empties the engine if all that is on it finds a place on engines that serve already, and the group can do without it
 * afterwards; nothing of it otherwise. An emptied engine goes when it has been idle for its time.
 */
export function empty(looking: Looking, low: ElasticEngine): readonly ElasticDecision[] {
  const { forecast, rested } = looking;
  const all = forecast.on(low.id);
  const isWhole = all.length === low.slotsUsed && all.length > 0 && all.length <= MOST_MOVES;
  if (!isWhole || !rested(low.id) || !spareable(forecast, low, all.length)) return [];
  if (all.some(({ id, settled }) => !settled || !rested(id))) return [];
  const moves: { loadBalancer: ElasticLoadBalancer; to: ElasticEngine; part: number }[] = [];
  for (const loadBalancer of all) {
    const part = forecast.evenPart(loadBalancer);
    const to = placeFor(looking, { low, loadBalancer, part });
    if (!to) {
      for (const it of moves) forecast.move(it.loadBalancer, { from: it.to.id, to: low.id, part: it.part });
      return [];
    }
    forecast.move(loadBalancer, { from: low.id, to: to.id, part });
    moves.push({ loadBalancer, to, part });
  }
  const reason = `engine ${low.id} is loaded to ${percent(low)}, and others have room for what is on it`;
  return moves.map(({ loadBalancer, to }) => ({
    ...{ kind: 'migrate', loadBalancerId: loadBalancer.id, engineId: low.id, to: to.id },
    reason: `${reason}: engine ${to.id} would be loaded to ${percentOf(forecast.load(to.id) ?? 0)}`,
  })) as ElasticDecision[];
}

interface Guest {
  readonly low: ElasticEngine;
  readonly loadBalancer: ElasticLoadBalancer;
  readonly part: number;
}

/** The fullest that serves more than the one to be emptied, so that two never send each other theirs. */
function placeFor({ forecast, settings }: Looking, { low, loadBalancer, part }: Guest): ElasticEngine | undefined {
  const bound = Math.min((settings.maxLoad + settings.minLoad) / 2, settings.maxLoad - HEADROOM);
  const before = new Map(forecast.view.engines.map(({ id, slotsUsed }) => [id, slotsUsed]));
  const usedBy = (id: string): number => before.get(id) ?? 0;
  const [to] = serving(forecast)
    .filter(({ id }) => id !== low.id && usedBy(id) > 0)
    .filter(({ id }) => usedBy(id) > usedBy(low.id) || (usedBy(id) === usedBy(low.id) && id < low.id))
    .filter((it) => forecast.obstacle(it, loadBalancer) === null && forecast.steadyLoad(it.id) + part <= bound)
    .sort((a, b) => b.slotsUsed - a.slotsUsed || (a.id < b.id ? -1 : 1));
  return to;
}

/** Engines that have served nobody for their time and that the group can do without, the longest idle first. */
export function retireIdle(
  { forecast, settings }: Looking,
  idleSince: Readonly<Record<string, number>>,
  now: number,
): readonly ElasticDecision[] {
  if (settings.deprovisionDelay <= 0) return [];
  const idle = servingNobody(forecast)
    .filter(({ id }) => now - (idleSince[id] ?? now) >= settings.deprovisionDelay)
    .sort((a, b) => (idleSince[a.id] ?? now) - (idleSince[b.id] ?? now) || (a.id < b.id ? -1 : 1));
  return idle.flatMap((engine) => {
    if (!spareable(forecast, engine, 0)) return [];
    forecast.gone.add(engine.id);
    const minutes = Math.round((now - (idleSince[engine.id] ?? now)) / 60_000);
    const reason = `it has served nobody for ${minutes} minutes`;
    return [{ kind: 'retireEngine' as const, engineId: engine.id, reason }];
  });
}

function servingNobody({ view, gone, engine }: Forecast): readonly ElasticEngine[] {
  return view.engines
    .flatMap(({ id }) => engine(id) ?? [])
    .filter((it) => it.status === 'READY' && !it.deleting && it.slotsUsed === 0 && !gone.has(it.id));
}
