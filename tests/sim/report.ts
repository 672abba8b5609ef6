import { HOUR, SECOND } from './clock';
import type { World } from './world';

/** What a simulation has shown, in lines of text. */
export function describe(world: World): string[] {
  const { tally, scenario, clock } = world;
  const sizes = tally.sizes.filter(({ ideal }) => ideal > 0);
  const mean = (all: readonly number[]): number => all.reduce((sum, it) => sum + it, 0) / Math.max(1, all.length);
  const hours = tally.moves.all.slice(1);
  const unavailable = [...tally.availability.values()]
    .filter(({ born }) => tally.booksClosedAt - born >= HOUR)
    .map(({ lost, born }) => lost / (tally.booksClosedAt - born))
    .sort((a, b) => b - a);
  const percent = (share: number | undefined): string => `${(100 * (1 - (share ?? 0))).toFixed(4)} %`;
  return [
    `seed ${scenario.seed}: ${world.engines.size} engines, ${world.loadBalancers.size} load balancers, ${(scenario.duration / HOUR).toFixed(0)} h, ${clock.steps} events`,
    `trouble: ${list(tally.faults)}`,
    `availability of a load balancer: worst ${percent(unavailable[0])}, p1 ${percent(unavailable[Math.floor(unavailable.length / 100)])}, p50 ${percent(unavailable[Math.floor(unavailable.length / 2)])}, mean ${percent(mean(unavailable))}`,
    `time until clients were served whole again: ${spread(tally.outages)}`,
    `time until all engines were there again: ${spread(tally.heals)}`,
    `moves an hour: mean ${mean(hours).toFixed(1)}, most ${Math.max(0, ...hours)}`,
    `engines: mean ${mean(sizes.map(({ engines }) => engines)).toFixed(1)}, ideal ${mean(sizes.map(({ ideal }) => ideal)).toFixed(1)}; made ${tally.enginesMade}, ghosts ${tally.ghosts}, retired after a loss ${tally.retired}`,
    `breaker: tripped ${tally.trips} times; isolated ${tally.isolated}; cut ${tally.cut}; without room ${tally.lacks}`,
    `pairs: ${tally.takeOvers} take-overs; ${(tally.splitMasters / SECOND).toFixed(0)} s with two masters that could not know of each other`,
    `load: ${list(tally.acts) || 'nothing done'}; ${(tally.engineTime / HOUR).toFixed(0)} engine hours, ${(tally.loadedTime / HOUR).toFixed(1)} above the bound, ${(tally.overloadedTime / HOUR).toFixed(1)} with more than can be done`,
    ...tally.upgrades.map((it) => `upgrade: ${it}`),
    `violations: ${tally.violations.length}`,
    ...tally.violations
      .slice(0, 20)
      .map(({ at, what, after }) => `  ${(at / SECOND).toFixed(3)} s, after "${after}": ${what}`),
  ];
}

function spread(times: readonly number[]): string {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number): string =>
    `${((sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0) / SECOND).toFixed(1)} s`;
  return sorted.length === 0 ? 'none' : `p50 ${at(0.5)}, p99 ${at(0.99)}, most ${at(1)} (${sorted.length} times)`;
}

function list(counts: ReadonlyMap<string, number>): string {
  return [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, count]) => `${count} ${name}`)
    .join(', ');
}
