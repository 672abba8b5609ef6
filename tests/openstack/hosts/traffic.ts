import { waitUntil } from '../../support/wait';
import type { Answer, Client, Endpoint } from './endpoints';
import { PATIENCE } from './stage';

/** Milliseconds between two requests. */
const PACE = 100;

export function isGood({ status }: Answer): boolean {
  return status === 200;
}

/** The bodies of good answers from there, in their order, once there are as many different ones as are awaited. */
export async function answersOf(from: Endpoint, url: string, count = 2): Promise<string[]> {
  const client = from.ask(url, PACE);
  const bodies = () => [...new Set(client.answers.filter(isGood).map(({ body = '' }) => body))].sort();
  const areThere = () => bodies().length >= count;
  await waitUntil(`${count} members answer through ${url}`, PATIENCE, areThere).finally(() => client.stop());
  return bodies();
}

/** Milliseconds from the first request that failed after this moment to the last one. */
export function outageOf({ answers }: Client, since: number): number {
  const failed = answers.filter((answer) => answer.at >= since && !isGood(answer)).map(({ at }) => at);
  return failed.length === 0 ? 0 : Math.max(...failed) - Math.min(...failed) + PACE;
}

/** Twenty good answers in a row: longer than a request may take that came before them. */
export function isBack({ answers }: Client): boolean {
  return answers.length >= 20 && answers.slice(-20).every(isGood);
}
