import { waitUntil } from '../../support/wait';
import type { Answer, Endpoint } from './endpoints';
import { PATIENCE } from './stage';

/** Milliseconds between two requests. */
const PACE = 100;

export function isGood({ status }: Answer): boolean {
  return status === 200;
}

/** The bodies of good answers from there, in their order, once there are as many different ones as are awaited. */
export async function answersOf(from: Endpoint, address: string, count = 2): Promise<string[]> {
  const client = from.ask(`http://${address}/`, PACE);
  const bodies = () => [...new Set(client.answers.filter(isGood).map(({ body = '' }) => body))].sort();
  const areThere = () => bodies().length >= count;
  await waitUntil(`${count} members answer through ${address}`, PATIENCE, areThere).finally(() => client.stop());
  return bodies();
}
