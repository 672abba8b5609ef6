import { readdirSync, readFileSync } from 'node:fs';

/** The haproxy processes of a load balancer, master and workers, by the file they were started with. */
export function haproxyPids(loadBalancerId: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => commandOf(pid).includes(`${loadBalancerId}/haproxy.cfg`))
    .sort((a, b) => a - b);
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
