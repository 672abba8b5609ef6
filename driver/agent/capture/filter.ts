import type { LoadBalancerSpec } from '../../protocol/spec';
import { run } from '../network/commands';

/**
 * What of an engine's traffic a capture may see, in the language of pcap-filter(7): packets from and to the load
 * balancer's VIPs, and those between this engine and its members.
 */
export function ownTraffic({ vips, pools }: LoadBalancerSpec): string {
  const members = pools.flatMap((pool) =>
    pool.members.flatMap(({ address, port, monitorAddress, monitorPort }) => [
      { address, port },
      { address: monitorAddress ?? address, port: monitorPort ?? port },
    ]),
  );
  const hosts = vips.map((vip) => `host ${vip}`);
  const ends = members.map(({ address, port }) => `(host ${address} and port ${port})`);
  return [...new Set([...hosts, ...ends])].join(' or ');
}

/** Both: a filter of a user's that stands alone cannot end its parenthesis early. */
export function within(own: string, users: string): string {
  return users.trim() === '' ? own : `(${own}) and (${users})`;
}

/** Longest complaint that is passed on. */
const LONGEST = 500;

/** What tcpdump says of a user's filter; null if it is one. It reads the filter alone, and captures nothing. */
export async function complaintOf(users: string): Promise<string | null> {
  if (users.trim() === '') return null;
  if (users.includes('\0')) return 'the filter has a character that no filter has';
  const { failed, stderr } = await run({ file: 'tcpdump', words: ['-d', '-y', 'EN10MB', '--', users] });
  return failed ? describe(stderr) : null;
}

/** What tcpdump said, less its name and what it tells of itself. */
export function describe(stderr: string): string {
  const lines = stderr
    .split('\n')
    .filter((line) => line.trim() !== '' && !/^(tcpdump: )?(listening on|data link type|\d+ packets)/.test(line));
  return (lines.join('; ').replaceAll('tcpdump: ', '') || 'tcpdump failed').slice(0, LONGEST);
}
