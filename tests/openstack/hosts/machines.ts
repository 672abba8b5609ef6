import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { HostsState } from '../../../devstack/lab/hosts/status';
import type { Lab } from '../lab';

/**
 * Takes the power from a server, as a hypervisor does that deletes it: everything in it ends at this moment, and says
 * nothing more. The hosts follow Nova within seconds only, for which time it would go on serving.
 */
export function cutPower(lab: Lab, serverId: string): void {
  const file = path.join(lab.directory, 'data/hosts/status.json');
  const { servers } = JSON.parse(readFileSync(file, 'utf8')) as HostsState;
  const pid = servers.find(({ id }) => id === serverId)?.pid;
  if (!pid) throw new Error(`the hosts run no server ${serverId}`);
  // The machine's first process takes all others with it.
  const [first] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ');
  process.kill(Number(first), 'SIGKILL');
}
