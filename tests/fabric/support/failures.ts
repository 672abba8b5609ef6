import { freeze, thaw } from '../../../devstack/lab/hosts/freezing';
import { waitUntil } from '../../support/wait';
import { cut } from './outages';
import type { Slipstream } from './slipstream';
import { asked, type Balanced, isAnsweredBy, PATIENCE } from './stage';
import { type Answers, keepAsking } from './traffic';

/** A way in which an engine is lost. */
export interface Failure {
  readonly name: string;
  /** Whether the controllers miss it, too. */
  readonly isSilent: boolean;
  /** Gives what mends it. */
  strike(site: Slipstream, engineId: string): Promise<() => Promise<void> | void>;
}

export const FAILURES: readonly Failure[] = [
  {
    name: 'killed',
    isSilent: true,
    async strike({ hypervisor, db }, engineId) {
      const serverId = await serverOf(db, engineId);
      hypervisor.crash(serverId);
      return () => hypervisor.boot(serverId);
    },
  },
  {
    name: 'hung',
    isSilent: true,
    async strike({ hypervisor, db }, engineId) {
      const pid = hypervisor.pidOf(await serverOf(db, engineId)) ?? 0;
      freeze(pid);
      return () => thaw(pid);
    },
  },
  { name: 'cut from management', isSilent: true, strike: (site, engineId) => cut(site, engineId, ['management']) },
  { name: 'cut from data', isSilent: false, strike: (site, engineId) => cut(site, engineId, ['data']) },
  {
    name: 'host lost',
    isSilent: true,
    async strike(site, engineId) {
      const pid = site.hypervisor.pidOf(await serverOf(site.db, engineId)) ?? 0;
      const mend = await cut(site, engineId, ['management', 'data']);
      freeze(pid);
      return () => {
        thaw(pid);
        return mend();
      };
    },
  },
];

async function serverOf(db: Slipstream['db'], engineId: string): Promise<string> {
  const row: { compute_id: string } = await db('service_engine').where({ id: engineId }).first('compute_id');
  return row.compute_id;
}

/** What clients noticed of one failure. */
export interface Taken {
  readonly lost: number;
  /**
   * From the failure until the last request that was lost was sent, of those that follow one another within CALM: what a
   * client loses seconds later on a busy machine has nothing to do with it. Milliseconds.
   */
  readonly out: number;
}

/** Milliseconds that a request may take: what is lost on a dead engine is told by these. */
const IMPATIENCE = 400;
const CLIENTS = 4;
const CALM = 1_500;

/** By several load balancers at once: what `strike` costs each of them until `isOver`. */
export async function watchStrike(
  balanced: readonly Balanced[],
  strike: () => Promise<unknown> | unknown,
  isOver: () => Promise<unknown>,
): Promise<Taken[]> {
  const asking = balanced.map(({ asker, url }) =>
    keepAsking(asker, { url, parallel: CLIENTS, timeout: IMPATIENCE, pause: 20 }),
  );
  await Promise.all(asking.map(({ begun }) => begun));
  const from = Date.now();
  await strike();
  await isOver();
  const answers = await Promise.all(asking.map((one) => one.stop()));
  return answers.map((one) => readTaken(one, from));
}

function readTaken({ failures }: Answers, from: number): Taken {
  const times = failures.map(({ at }) => at).sort((one, other) => one - other);
  const [first = from, ...rest] = times.filter((at) => at >= from);
  const last = rest.reduce((latest, at) => (at - latest <= CALM ? at : latest), first);
  return { lost: failures.length, out: last - from };
}

const isServed = ({ failures }: Answers): boolean => failures.length === 0;

export interface Try {
  readonly failure: Failure;
  readonly engineId: string;
  /** What must be seen of it before it is over. */
  readonly sign?: ((engineId: string) => Promise<boolean>) | undefined;
}

/** Loses an engine, waits until clients are served by the others, and brings it back. */
export async function tryFailure(
  site: Slipstream,
  balanced: readonly Balanced[],
  { failure, engineId, sign }: Try,
): Promise<Taken[]> {
  let mend: () => Promise<void> | void = () => undefined;
  const taken = await watchStrike(
    balanced,
    async () => {
      mend = await failure.strike(site, engineId);
    },
    async () => {
      if (sign) await waitUntil(`it is seen that one is ${failure.name}`, PATIENCE, () => sign(engineId));
      if (failure.isSilent) await becomes(site, engineId, 'DOWN');
      await areServed(balanced);
    },
  );
  await mend();
  await becomes(site, engineId, 'READY');
  for (const one of balanced) await asked('two engines serve again', one, isAnsweredBy(2));
  return taken;
}

export async function areServed(balanced: readonly Balanced[]): Promise<void> {
  await Promise.all(
    balanced.map((one) => asked('every request is answered', one, isServed, { requests: 30, timeout: IMPATIENCE })),
  );
}

export async function becomes({ db }: Slipstream, engineId: string, status: string): Promise<void> {
  await waitUntil(`${engineId} is ${status}`, PATIENCE, async () => {
    const row = await db('service_engine').where({ id: engineId }).first('status', 'connected_to');
    return row.status === status && (status !== 'READY' || row.connected_to !== null);
  });
}

/** The engines that a load balancer is on, in an order that stays. */
export async function enginesOf({ db }: Slipstream, { id }: Balanced): Promise<string[]> {
  const found: string[] = await db('placement')
    .where({ load_balancer_id: id, deleting: 0 })
    .orderBy('service_engine_id')
    .pluck('service_engine_id');
  return found;
}

export interface Figures {
  readonly what: string;
  readonly mode: string;
  readonly taken: readonly Taken[];
}

/** As a table: seconds out of service and requests lost, half of the tries and the worst. */
export function renderFigures(figures: readonly Figures[]): string {
  const head = ['failure', 'mode', 'tries', 'out, p50', 'out, most', 'lost, p50', 'lost, most'];
  const rows = figures.map(({ what, mode, taken }) => {
    const outs = taken.map(({ out }) => out).sort((one, other) => one - other);
    const losses = taken.map(({ lost }) => lost).sort((one, other) => one - other);
    const middle = (sorted: readonly number[]) => sorted[(sorted.length - 1) >> 1] ?? 0;
    const seconds = (time: number) => `${(time / 1000).toFixed(2)} s`;
    const [p50, most] = [seconds(middle(outs)), seconds(outs.at(-1) ?? 0)];
    return [what, mode, String(taken.length), p50, most, String(middle(losses)), String(losses.at(-1) ?? 0)];
  });
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
