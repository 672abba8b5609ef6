import { HOUR } from './clock';
import { type Scenario, smallCloud } from './scenario';
import { simulate } from './simulate';
import type { World } from './world';

/** What each policy of a group costs, and what it is good for: the same trouble and the same load with each. */

export interface Policy {
  readonly algorithm: 'packed' | 'distributed';
  readonly bufferEngines: number;
  readonly autoRebalance: boolean;
}

export const POLICIES: readonly Policy[] = [
  { algorithm: 'packed', bufferEngines: 0, autoRebalance: true },
  { algorithm: 'packed', bufferEngines: 2, autoRebalance: true },
  { algorithm: 'packed', bufferEngines: 4, autoRebalance: true },
  { algorithm: 'distributed', bufferEngines: 0, autoRebalance: true },
  { algorithm: 'distributed', bufferEngines: 2, autoRebalance: true },
  { algorithm: 'distributed', bufferEngines: 4, autoRebalance: true },
  { algorithm: 'packed', bufferEngines: 2, autoRebalance: false },
  { algorithm: 'distributed', bufferEngines: 2, autoRebalance: false },
];

/** Lines of a table in Markdown; each row is what these seeds have come to together. */
export function comparePolicies(seeds: readonly number[], duration: number): string[] {
  const head = ['placement', 'buffer', 'rebalances', ...COLUMNS.map(([name]) => name), 'untrue'];
  const rows = POLICIES.map((policy) => {
    const worlds = seeds.map((seed) => simulate(withPolicy(smallCloud(seed, duration), policy)));
    const { algorithm, bufferEngines, autoRebalance } = policy;
    const untrue = worlds.reduce((sum, { tally }) => sum + tally.violations.length, 0);
    const figures = COLUMNS.map(([, read]) => read(worlds));
    return [algorithm, String(bufferEngines), autoRebalance ? 'yes' : 'no', ...figures, String(untrue)];
  });
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
}

function withPolicy(scenario: Scenario, policy: Policy): Scenario {
  const groups = scenario.groups.map((it) => ({ ...it, properties: { ...it.properties, ...policy } }));
  return { ...scenario, groups, upgrades: [] };
}

type Column = readonly [name: string, read: (worlds: readonly World[]) => string];

const COLUMNS: readonly Column[] = [
  ['engines, mean', (worlds) => mean(sizesOf(worlds)).toFixed(1)],
  ['availability, mean', (worlds) => percent(mean(lossesOf(worlds)))],
  ['p1', (worlds) => percent(at(lossesOf(worlds), 0.99))],
  ['all engines there again, p50', (worlds) => seconds(at(healsOf(worlds), 0.5))],
  ['p99', (worlds) => seconds(at(healsOf(worlds), 0.99))],
  ['moves an hour', (worlds) => mean(worlds.flatMap(({ tally }) => tally.moves.all.slice(1))).toFixed(1)],
  ['engine hours overloaded', (worlds) => (sum(worlds, 'overloadedTime') / HOUR).toFixed(1)],
];

function sizesOf(worlds: readonly World[]): number[] {
  return worlds.flatMap(({ tally }) => tally.sizes.filter(({ ideal }) => ideal > 0).map(({ engines }) => engines));
}

/** Shares of their time that load balancers which were there for an hour were away. */
function lossesOf(worlds: readonly World[]): number[] {
  return worlds.flatMap(({ tally }) =>
    [...tally.availability.values()]
      .map(({ lost, born }) => ({ lost, lived: tally.booksClosedAt - born }))
      .filter(({ lived }) => lived >= HOUR)
      .map(({ lost, lived }) => lost / lived),
  );
}

function healsOf(worlds: readonly World[]): number[] {
  return worlds.flatMap(({ tally }) => tally.heals);
}

function sum(worlds: readonly World[], what: 'overloadedTime'): number {
  return worlds.reduce((all, { tally }) => all + tally[what], 0);
}

function mean(all: readonly number[]): number {
  return all.reduce((total, it) => total + it, 0) / Math.max(1, all.length);
}

function at(all: readonly number[], share: number): number {
  const sorted = [...all].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

function percent(lost: number): string {
  return `${(100 * (1 - lost)).toFixed(3)} %`;
}

function seconds(time: number): string {
  return `${(time / 1000).toFixed(1)} s`;
}
