import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { monotonicNow } from './monotonic';

/**
 * A process that cannot be taken for another one: a pid alone is used again, a pid with its start time (in clock ticks
 * since boot, field 22 of /proc/<pid>/stat, proc(5)) is not.
 */
export const ProcessIdentity = z.object({ pid: z.number().int().positive(), startTime: z.string() });
export type ProcessIdentity = z.infer<typeof ProcessIdentity>;

/** Null if there is no such process, or only its zombie. */
export function identify(pid: number): ProcessIdentity | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field is the command in parentheses, which may hold blanks and parentheses itself.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, startTime] = [fields[0], fields[19]];
    return state === undefined || startTime === undefined || 'ZX'.includes(state) ? null : { pid, startTime };
  } catch {
    return null;
  }
}

export function isAlive(identity: ProcessIdentity): boolean {
  return identify(identity.pid)?.startTime === identity.startTime;
}

/** Sends the signal to that very process; false if it is gone. */
export function signal(identity: ProcessIdentity, name: NodeJS.Signals): boolean {
  if (!isAlive(identity)) return false;
  try {
    return process.kill(identity.pid, name);
  } catch {
    return false;
  }
}

/** Ends the processes: SIGTERM, then SIGKILL for those that are left after `grace` milliseconds. Returns when all are gone. */
export async function end(identities: readonly ProcessIdentity[], grace = 3000): Promise<void> {
  for (const identity of identities) signal(identity, 'SIGTERM');
  const deadline = monotonicNow() + grace;
  let killed = false;
  for (let left = identities.filter(isAlive); left.length > 0; left = left.filter(isAlive)) {
    if (!killed && monotonicNow() > deadline) {
      for (const identity of left) signal(identity, 'SIGKILL');
      killed = true;
    }
    await sleep(10);
  }
}
