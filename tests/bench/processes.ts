import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { accessSync, constants, openSync, readFileSync } from 'node:fs';
import { waitUntil } from '../support/wait';

/** Daemons of a benchmark: started in the foreground, ended by pid, their CPU time read from /proc. */
export interface Daemon {
  readonly name: string;
  readonly pid: number;
  readonly hasEnded: () => boolean;
  /** The last of what it has printed. */
  readonly output: () => string;
  /** SIGTERM, and SIGKILL after five seconds. */
  stop(): Promise<void>;
}

export interface DaemonOptions {
  readonly logFile: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts a program whose output goes to a file. */
export function startDaemon(command: readonly [string, ...string[]], { logFile, env }: DaemonOptions): Daemon {
  const [name, ...args] = command;
  const log = openSync(logFile, 'a');
  const child = spawn(name, args, { stdio: ['ignore', log, log], env: { ...process.env, ...env } });
  if (child.pid === undefined) throw new Error(`${name} cannot be started`);
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  return {
    name,
    pid: child.pid,
    hasEnded,
    output: () => readFileSync(logFile, 'utf8').slice(-6000),
    stop: () => stopChild(child, hasEnded),
  };
}

async function stopChild(child: ChildProcess, hasEnded: () => boolean): Promise<void> {
  if (hasEnded()) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
  await ended;
  clearTimeout(timer);
}

/** Waits until a daemon does what it is for. @throws Error with its output, once it is stopped, when it does not get there */
export async function waitUntilUp(daemon: Daemon, isUp: () => Promise<boolean>): Promise<void> {
  try {
    await waitUntil(`${daemon.name} is up`, 60_000, async () => {
      if (daemon.hasEnded()) throw new Error(`${daemon.name} has ended`);
      return isUp().catch(() => false);
    });
  } catch (error) {
    const output = daemon.output();
    await daemon.stop();
    throw new Error(`${(error as Error).message}:\n${output}`);
  }
}

/** Where a program is; Debian keeps daemons where not everybody's PATH leads. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/usr/local/sbin', '/sbin'];
  return folders.map((folder) => `${folder}/${name}`).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

let ticks: number | undefined;

/** Milliseconds of CPU, user and system, that the processes have used with all their threads. */
export function cpuMilliseconds(pids: readonly number[]): number {
  ticks ??= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  return pids.reduce((sum, pid) => sum + cpuTicks(pid), 0) * (1000 / ticks);
}

function cpuTicks(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The second field is the program's name in parentheses, which may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}
