import { execFile } from 'node:child_process';
import { enter } from '../process/enter';

/** Milliseconds that a look may take. */
const LONGEST_LOOK = 2_000;

/**
 * Connections to these addresses that the kernel has answered and whose clients' word is still on its way: haproxy does not
 * know them yet, and they are reset with the socket that listens. @throws if nobody can look
 */
export function countHalfOpen(namespace: string, addresses: readonly string[]): Promise<number> {
  if (addresses.length === 0) return Promise.resolve(0);
  const to = addresses.map((one) => `src ${one.includes(':') ? `[${one}]` : one}`).join(' or ');
  const { file, words } = enter(namespace, 'ss', ['-H', '-n', '-t', 'state', 'syn-recv', to]);
  return new Promise((resolve, reject) => {
    execFile(file, words, { timeout: LONGEST_LOOK }, (error, stdout) => {
      if (error !== null) return reject(error);
      resolve(stdout.split('\n').filter((line) => line.trim() !== '').length);
    });
  });
}
