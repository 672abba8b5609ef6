import { read } from '../network/commands';
import { enter } from '../process/enter';

/** Milliseconds that a look may take. */
const LONGEST_LOOK = 2_000;

/**
 * Connections to these addresses that the kernel has answered and whose clients' word is still on its way: haproxy does not
 * know them yet, and they are reset with the socket that listens. @throws if nobody can look
 */
export async function countHalfOpen(namespace: string, addresses: readonly string[]): Promise<number> {
  if (addresses.length === 0) return 0;
  const to = addresses.map((one) => `src ${one.includes(':') ? `[${one}]` : one}`).join(' or ');
  const text = await read(enter(namespace, 'ss', ['-H', '-n', '-t', 'state', 'syn-recv', to]), '', LONGEST_LOOK);
  return text.split('\n').filter((line) => line.trim() !== '').length;
}
