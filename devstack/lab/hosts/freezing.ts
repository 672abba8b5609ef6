import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Stops every process of a machine where it stands, as a hypervisor that pauses it: its sockets stay open, and silent. */
export function freeze(outerPid: number): void {
  signalAll(outerPid, 'SIGSTOP');
}

/** Lets them go on. */
export function thaw(outerPid: number): void {
  signalAll(outerPid, 'SIGCONT');
}

function signalAll(outerPid: number, signal: NodeJS.Signals): void {
  for (const pid of membersOf(outerPid)) {
    try {
      process.kill(pid, signal);
    } catch {
      // Ended in the meantime.
    }
  }
}

/** What shares the process namespace of the machine's first process. */
function membersOf(outerPid: number): number[] {
  const first = Number(readFileSync(`/proc/${outerPid}/task/${outerPid}/children`, 'utf8').trim().split(' ')[0]);
  const space = spaceOf(first);
  if (space === undefined) return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => spaceOf(pid) === space);
}

function spaceOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return undefined;
  }
}
