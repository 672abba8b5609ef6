import { waitUntil } from '../../support/wait';
import { type Balanced, PATIENCE, type Stage } from './stage';
import { ask, keepAsking } from './traffic';

/** What is broken with requests going on, and when it is right again. */
export interface Breakage {
  readonly title: string;
  readonly balanced: Balanced;
  /** Breaks it; what it gives is called at the end. */
  breaks(): Promise<unknown>;
  isRight(): boolean | Promise<boolean>;
  /** Engines that answer at the end. */
  readonly engines?: number;
}

export interface Mended {
  readonly title: string;
  readonly seconds: number;
  readonly lost: number;
  readonly asked: number;
}

/** Milliseconds a client waits for an answer. */
const GIVE_UP = 1_000;
const CLIENTS = 3;
/** Sessions and vNICs take a minute where the machine has much else to do. */
const LONG = 2 * PATIENCE;

/** Breaks it, waits until it is right and all engines answer, and counts what was lost meanwhile. */
export async function mend({ title, balanced, breaks, isRight, engines = 2 }: Breakage): Promise<Mended> {
  const { asker, url } = balanced;
  const asking = keepAsking(asker, { url, parallel: CLIENTS, timeout: GIVE_UP });
  await asking.begun;
  const from = performance.now();
  await breaks();
  await waitUntil(`${title} is put right`, LONG, isRight);
  const seconds = (performance.now() - from) / 1_000;
  await waitUntil(`${engines} engines answer after: ${title}`, LONG, async () => {
    const latest = await ask(asker, { url, requests: 30, parallel: CLIENTS, timeout: GIVE_UP });
    return latest.failures.length === 0 && Object.keys(latest.from).length === engines;
  });
  const { failures, answers } = await asking.stop();
  const answered = Object.values(answers).reduce((sum, count) => sum + count, 0);
  return { title, seconds, lost: failures.length, asked: answered + failures.length };
}

/** A line for each. */
export function tellMended(mended: readonly Mended[]): string {
  return mended
    .map(({ title, seconds, lost, asked }) => `${seconds.toFixed(1).padStart(6)} s  ${lost} of ${asked} lost  ${title}`)
    .join('\n');
}

/** Ports of the engines that a load balancer is wired to. */
export async function wiredPorts({ site }: Stage, { id }: Pick<Balanced, 'id'>): Promise<string[]> {
  const ports: string[] = await site.db('vip_wiring').where({ load_balancer_id: id }).distinct().pluck('port_id');
  return ports.sort();
}

/** Events of that name whose message holds the text. */
export async function countEvents({ site }: Pick<Stage, 'site'>, name: string, text = ''): Promise<number> {
  const rows: { id: string }[] = await site
    .db('event')
    .where({ name })
    .where('message', 'like', `%${text}%`)
    .select('id');
  return rows.length;
}

/** What operators are told last, and what is open. */
export async function eventsOf({ site }: Pick<Stage, 'site'>): Promise<string> {
  const events: { name: string; message: string }[] = await site.db('event').orderBy('at').select('name', 'message');
  const open: string[] = await site.db('trouble').pluck('cause');
  const lines = events.slice(-20).map(({ name, message }) => `${name}: ${message}`);
  return [...lines, ...open.map((cause) => `open: ${cause}`)].join('\n');
}
