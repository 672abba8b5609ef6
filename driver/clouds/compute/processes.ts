import { readdirSync, readFileSync } from 'node:fs';

/**
 * One certain process: its pid alone could be somebody else's by now. Start time in clock ticks since boot (field 22 of
 * `/proc/<pid>/stat`, proc(5)), the boot by the kernel's id of it.
 */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTime: string;
  readonly bootId: string;
}

/** The process that has this pid now; undefined when there is none, or only its corpse. */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  const stat = read(`/proc/${pid}/stat`);
  // The second field is the program's name in parentheses and may hold anything, blanks and parentheses included.
  const [state, ...fields] = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? [];
  const startTime = fields[18];
  if (startTime === undefined || state === 'Z' || state === 'X') return undefined;
  return { pid, startTime, bootId: read('/proc/sys/kernel/random/boot_id')?.trim() ?? '' };
}

/** True while that very process lives. */
export function isAlive(process: ProcessIdentity): boolean {
  const now = identifyProcess(process.pid);
  return now?.startTime === process.startTime && now.bootId === process.bootId;
}

/**
 * Processes that run exactly this command with this variable in their environment, whoever started them. Closes the gap
 * between the start of a process and the record of its pid, in which a site may be killed.
 */
export function findProcesses(command: readonly string[], variable: string): readonly ProcessIdentity[] {
  const line = `${command.join('\0')}\0`;
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => read(`/proc/${pid}/cmdline`) === line)
    .filter((pid) => read(`/proc/${pid}/environ`)?.split('\0').includes(variable))
    .flatMap((pid) => identifyProcess(Number(pid)) ?? []);
}

/** Sends the signal if that very process still lives. */
export function signalProcess(target: ProcessIdentity, signal: NodeJS.Signals): void {
  if (!isAlive(target)) return;
  try {
    process.kill(target.pid, signal);
  } catch (err) {
    if (!(err instanceof Error && 'code' in err && err.code === 'ESRCH')) throw err;
  }
}

/** Waits for the end of the process; false if it still lives after `timeoutMs`. */
export async function waitForEnd(target: ProcessIdentity, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (isAlive(target)) {
    if (performance.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return true;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
