import { createForecast, type Forecast } from './elasticityForecast';
import { type Looking, NEW_ENGINE, relieve } from './elasticityRelief';
import { empty, retireIdle, scaleIn } from './elasticityThrift';
import type {
  ElasticDecision,
  ElasticEngine,
  ElasticityPlan,
  ElasticitySettings,
  ElasticityState,
  ElasticityView,
  LoadLevel,
} from './elasticityView';

export * from './elasticityView';

/** Following the load: what one look at a group makes of it. Pure: a function of what is seen and what was remembered. */

/** Points by which the load has to leave a bound behind before the engine is called normal again. */
const HYSTERESIS = 10;
/** Of the interval: looks come with some jitter, and what was done at one look is to be seen at the next. */
const REST = 0.9;
/** Of the interval: giving back is done with less haste than helping. */
const LONG_REST = 2.8;
/** Of the interval: an engine is to be known for so long before anything is given back there. */
const KNOWN = 1.8;

/**
 * Engines above the maximum are relieved: a load balancer is scaled out, or moved, or an engine is made. Engines below the
 * minimum are given up, as far as the group can do without them. One thing an engine and a load balancer at a time, and
 * then a rest, longer before anything is given back; what is done leaves room to both bounds, so that it is not undone.
 */
export function planElasticity(view: ElasticityView, settings: ElasticitySettings, now: number): ElasticityPlan {
  const levels = judgeLevels(view, settings);
  const idleSince = noteIdle(view, now);
  const lately = noteLoads(view, now - LONG_REST * settings.interval, now);
  const forecast = createForecast(view, {
    peaks: peaksOf(lately),
    known: knownFor(lately, now - KNOWN * settings.interval),
  });
  const looking = (rest: number): Looking => ({ forecast, settings, rested: hasRested(view.state, now, rest) });
  const { wanted, stuck, active } = relieveAll(looking(REST * settings.interval), levels);
  if (!active) wanted.push(...giveBack(looking(LONG_REST * settings.interval), levels));
  const news = ({ engineId }: { engineId: string }): boolean => !levels[engineId]?.told;
  const done = settings.autoRebalance ? wanted : [];
  // Who has too much to do may be about to get it.
  const retired = active ? [] : retireIdle(looking(0), idleSince, now);
  const tellable = stuck.filter(news);
  const advice = settings.autoRebalance ? [] : wanted.filter(news);
  const told = new Set([...tellable, ...advice].map(({ engineId }) => engineId));
  return {
    decisions: [...done, ...retired],
    advice,
    stuck: tellable,
    crossings: crossingsIn(view, levels),
    state: {
      levels: Object.fromEntries(
        Object.entries(levels).map(([id, it]) => [id, { level: it.level, told: it.told || told.has(id) }]),
      ),
      lately,
      idleSince,
      actedAt: noteActs(view, done, now),
    },
  };
}

type Levels = ElasticityState['levels'];

/** An engine keeps its level until its load is clearly on the other side of the bound. One that does not tell keeps it, too. */
function judgeLevels({ engines, state }: ElasticityView, settings: ElasticitySettings): Levels {
  const judged = engines.filter(isJudged).map((engine): [string, Levels[string]] => {
    const before = state.levels[engine.id];
    const level = engine.load === null ? (before?.level ?? 'normal') : levelOf(engine.load, before?.level, settings);
    return [engine.id, before?.level === level ? before : { level, told: false }];
  });
  return Object.fromEntries(judged);
}

function isJudged({ status, deleting }: ElasticEngine): boolean {
  return status === 'READY' && !deleting;
}

function levelOf(load: number, before: LoadLevel | undefined, { maxLoad, minLoad }: ElasticitySettings): LoadLevel {
  const high = before === 'high' ? maxLoad - HYSTERESIS : maxLoad;
  const low = before === 'low' ? minLoad + HYSTERESIS : minLoad;
  if (load > high) return 'high';
  return load < low ? 'low' : 'normal';
}

function crossingsIn({ engines, state }: ElasticityView, levels: Levels) {
  return engines.flatMap(({ id, load, slotsUsed }) => {
    const level = levels[id]?.level;
    const before = state.levels[id]?.level ?? 'normal';
    // That an engine which serves nobody has nothing to do is no news.
    if (level === undefined || load === null || level === before || (level === 'low' && slotsUsed === 0)) return [];
    return [{ engineId: id, level, load }];
  });
}

/** How loaded engines have been since then. */
function noteLoads({ engines, state }: ElasticityView, since: number, now: number): ElasticityState['lately'] {
  const noted = engines.filter(isJudged).map(({ id, load }): [string, ElasticityState['lately'][string]] => {
    const kept = (state.lately[id] ?? []).filter(([at]) => at >= since);
    return [id, load === null ? kept : [...kept, [now, load]]];
  });
  return Object.fromEntries(noted);
}

/** Engines whose load was known then already. */
function knownFor(lately: ElasticityState['lately'], since: number): ReadonlySet<string> {
  const known = Object.entries(lately).filter(([, loads]) => loads.some(([at]) => at <= since));
  return new Set(known.map(([id]) => id));
}

function peaksOf(lately: ElasticityState['lately']): ReadonlyMap<string, number> {
  return new Map(Object.entries(lately).map(([id, loads]) => [id, Math.max(0, ...loads.map(([, load]) => load))]));
}

/** Nobody is served by it: since when, as far as looks have seen. */
function noteIdle({ engines, state }: ElasticityView, now: number): Record<string, number> {
  const idle = engines.filter((it) => isJudged(it) && it.slotsUsed === 0);
  return Object.fromEntries(idle.map(({ id }) => [id, state.idleSince[id] ?? now]));
}

function hasRested({ actedAt }: ElasticityState, now: number, rest: number) {
  return (id: string): boolean => now - (actedAt[id] ?? Number.NEGATIVE_INFINITY) >= rest;
}

function relieveAll(looking: Looking, levels: Levels) {
  const wanted: ElasticDecision[] = [];
  const stuck: { engineId: string; reason: string }[] = [];
  const busy = new Set<string>();
  let active = false;
  for (const hot of byLoad(looking.forecast, levels, 'high').reverse()) {
    const rested = (id: string): boolean => looking.rested(id) && !busy.has(id);
    const relief = relieve({ ...looking, rested }, hot);
    if (relief.kind === 'stuck') stuck.push({ engineId: hot.id, reason: relief.reason });
    else active = true;
    if (relief.kind !== 'decided') continue;
    wanted.push(relief.decision);
    for (const id of touchedBy(relief.decision)) busy.add(id);
  }
  return { wanted, stuck, active };
}

/** One engine's worth at a look: scaling in first, which costs nobody anything. */
function giveBack(looking: Looking, levels: Levels): readonly ElasticDecision[] {
  const { forecast, settings } = looking;
  const low = byLoad(forecast, levels, 'low').filter(
    ({ id, slotsUsed }) =>
      slotsUsed > 0 && forecast.isKnown(id) && forecast.steadyLoad(id) <= settings.minLoad + HYSTERESIS,
  );
  for (const engine of low) {
    const decision = scaleIn(looking, engine);
    if (decision) return [decision];
  }
  // Where load balancers are to be spread out, a half-empty engine is what is wanted.
  if (forecast.view.group.algorithm !== 'packed') return [];
  for (const engine of [...low].sort((a, b) => a.slotsUsed - b.slotsUsed)) {
    const moves = empty(looking, engine);
    if (moves.length > 0) return moves;
  }
  return [];
}

function byLoad({ view }: Forecast, levels: Levels, level: LoadLevel): ElasticEngine[] {
  return view.engines
    .filter(({ id, load }) => levels[id]?.level === level && load !== null)
    .sort((a, b) => (a.load ?? 0) - (b.load ?? 0) || (a.id < b.id ? -1 : 1));
}

/** With whom nothing else is to be done for a while. */
function touchedBy(decision: ElasticDecision): readonly string[] {
  switch (decision.kind) {
    case 'scaleOut':
    case 'scaleIn':
      return [decision.engineId, decision.loadBalancerId];
    case 'migrate':
      return [decision.engineId, decision.loadBalancerId, decision.to];
    case 'makeEngine':
      return [decision.engineId, NEW_ENGINE];
    case 'retireEngine':
      return [];
  }
}

function noteActs({ state, engines, loadBalancers }: ElasticityView, done: readonly ElasticDecision[], now: number) {
  const known = new Set([...engines, ...loadBalancers].map(({ id }) => id).concat(NEW_ENGINE));
  const acts = done.flatMap(touchedBy).map((id): [string, number] => [id, now]);
  const kept = Object.entries(state.actedAt).filter(([id, at]) => known.has(id) || now - at < FORGET);
  return Object.fromEntries([...kept, ...acts]);
}

/** Milliseconds after which what was done with somebody who is not in sight is forgotten. */
const FORGET = 86_400_000;
