import { readdirSync, readFileSync } from 'node:fs';
import { waitUntil } from './wait';

/**
 * Stops a process with SIGSTOP and waits until none of its threads runs. On a busy machine that takes a while: the signal
 * goes to one thread, and until that has its turn the others go on.
 */
export async function freeze(pid: number): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  await waitUntil(`process ${pid} stands still`, 30_000, () => threadStates(pid).every((state) => state === 'T'));
}

function threadStates(pid: number): string[] {
  return readdirSync(`/proc/${pid}/task`).map((thread) => {
    try {
      const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8');
      return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
    } catch {
      // It has ended since.
      return 'T';
    }
  });
}
