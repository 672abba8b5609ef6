import { quantile } from '../figures';
import { cpuMilliseconds } from '../processes';
import type { Load } from './load';

/** One of the two that are compared. */
export interface Side {
  readonly host: string;
  readonly port: number;
  /** Its processes. */
  readonly pids: readonly number[];
}

const ROUNDS = 9;
const SECONDS = 2;

export const COMPARISON_HEADINGS = [
  'what',
  'ours /s',
  'tuned /s',
  'ratio',
  'of rounds',
  'ours us CPU',
  'tuned us CPU',
  'CPU ratio',
];

interface Round {
  readonly rate: number;
  /** Microseconds of CPU for each answer. */
  readonly cpu: number;
}

/**
 * One row: ours and the tuned one in turns, the order changing, medians of all. The ratio of CPU tells what the two need
 * also on a machine that has other work; both ratios are 1 when ours is as good, and less when it is worse.
 */
export async function compare(what: string, load: Load, ours: Side, tuned: Side): Promise<(string | number)[]> {
  const sides = { ours: [] as Round[], tuned: [] as Round[] };
  for (let round = 0; round < ROUNDS; round += 1) {
    const order = round % 2 === 0 ? (['ours', 'tuned'] as const) : (['tuned', 'ours'] as const);
    for (const name of order) sides[name].push(await measure(load, name === 'ours' ? ours : tuned));
  }
  const ratios = (pick: (ours: Round, tuned: Round) => number) =>
    sides.ours.map((one, index) => pick(one, sides.tuned[index] ?? one));
  const rates = ratios((a, b) => a.rate / b.rate);
  const middle = (name: keyof typeof sides, figure: keyof Round) =>
    quantile(
      sides[name].map((one) => one[figure]),
      0.5,
    );
  return [
    what,
    middle('ours', 'rate').toFixed(0),
    middle('tuned', 'rate').toFixed(0),
    quantile(rates, 0.5).toFixed(3),
    `${Math.min(...rates).toFixed(2)}..${Math.max(...rates).toFixed(2)}`,
    middle('ours', 'cpu').toFixed(1),
    middle('tuned', 'cpu').toFixed(1),
    quantile(
      ratios((a, b) => b.cpu / a.cpu),
      0.5,
    ).toFixed(3),
  ];
}

async function measure(load: Load, { host, port, pids }: Side): Promise<Round> {
  const before = cpuMilliseconds(pids);
  const started = performance.now();
  const count = await load(host, port, SECONDS);
  const seconds = (performance.now() - started) / 1000;
  return { rate: count / seconds, cpu: ((cpuMilliseconds(pids) - before) * 1000) / count };
}
