import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Logger } from 'pino';
import { identifyProcess, isAlive, type ProcessIdentity, signalProcess, waitForEnd } from './processes';

/** All in milliseconds. */
export interface SupervisorTimings {
  /** How soon a process that died is started again; doubled with each death in quick succession. */
  readonly restartDelay: number;
  readonly maxRestartDelay: number;
  /** A process that lived this long did not die at once. */
  readonly steadyAfter: number;
  /** How often an adopted process, which is no child of ours, is looked after. */
  readonly pollInterval: number;
  /** How long a process may take to end after SIGTERM. */
  readonly endTimeout: number;
}

export const DEFAULT_TIMINGS: SupervisorTimings = {
  restartDelay: 200,
  maxRestartDelay: 10_000,
  steadyAfter: 5_000,
  pollInterval: 250,
  endTimeout: 10_000,
};

export interface SupervisorDeps {
  readonly command: readonly [string, ...string[]];
  readonly env: NodeJS.ProcessEnv;
  /** Takes what the process prints. */
  readonly logPath: string;
  readonly log: Logger;
  readonly timings: SupervisorTimings;
  /** Told at once of each process started. */
  readonly onStarted: (process: ProcessIdentity) => void;
}

/** Keeps one process running. Processes are not tied to this one: they live on when it is killed. */
export interface Supervisor {
  isRunning(): boolean;
  start(): void;
  /** Looks after a process that somebody else started. */
  adopt(process: ProcessIdentity): void;
  /** SIGKILL, and a new one in its place. */
  replace(): Promise<void>;
  /** SIGTERM, after `endTimeout` SIGKILL; resolves when it has ended. */
  end(): Promise<void>;
  /** Leaves it running and looks after it no more. */
  abandon(): void;
}

export function createSupervisor({ command, env, logPath, log, timings, onStarted }: SupervisorDeps): Supervisor {
  const backOff = createBackOff(timings);
  let wanted = false;
  let current: ProcessIdentity | undefined;
  let timer: NodeJS.Timeout | undefined;
  // Which process events are about: the end of one that was replaced may be heard of after its successor has started.
  let turn = 0;

  const later = (delay: number, action: () => void): void => {
    clearTimeout(timer);
    timer = setTimeout(action, delay).unref();
  };
  const gone = (of: number, how: Record<string, unknown>): void => {
    if (of !== turn) return;
    const pid = current?.pid;
    current = undefined;
    if (!wanted) return;
    const delay = backOff.chooseDelay();
    log.warn({ pid, ...how, restartInMs: delay }, 'the agent has ended, it is started again');
    later(delay, start);
  };
  const start = (): void => {
    wanted = true;
    const own = ++turn;
    backOff.noteStart();
    const child = spawnDetached(command, { env, logPath });
    child.once('error', (err) => gone(own, { err }));
    child.once('exit', (code, signal) => gone(own, { code, signal }));
    current = child.pid === undefined ? undefined : identifyProcess(child.pid);
    if (!current) return;
    onStarted(current);
    log.info({ pid: current.pid }, 'agent started');
  };
  const poll = (process: ProcessIdentity): void => {
    if (isAlive(process)) later(timings.pollInterval, () => poll(process));
    else gone(turn, {});
  };
  const release = (): ProcessIdentity | undefined => {
    wanted = false;
    turn += 1;
    clearTimeout(timer);
    return current;
  };
  const finish = (signal: NodeJS.Signals) => endProcess(release(), { signal, timeout: timings.endTimeout });

  return {
    isRunning: () => current !== undefined && isAlive(current),
    start,
    adopt(process) {
      wanted = true;
      turn += 1;
      backOff.noteStart();
      current = process;
      poll(process);
    },
    async replace() {
      await finish('SIGKILL');
      start();
    },
    end: () => finish('SIGTERM'),
    abandon: () => void release(),
  };
}

/** How long to wait after a death: longer with each that follows soon on a start. */
function createBackOff({ restartDelay, maxRestartDelay, steadyAfter }: SupervisorTimings) {
  let startedAt = 0;
  let quickDeaths = 0;
  return {
    noteStart: (): void => {
      startedAt = performance.now();
    },
    chooseDelay(): number {
      quickDeaths = performance.now() - startedAt < steadyAfter ? quickDeaths + 1 : 0;
      return Math.min(restartDelay * 2 ** Math.max(0, quickDeaths - 1), maxRestartDelay);
    },
  };
}

/** In a session of its own, so that neither Ctrl-C on the site nor its death reaches it; its output goes to a file, for a pipe would die with the site. */
function spawnDetached(
  [program, ...args]: readonly [string, ...string[]],
  { env, logPath }: { readonly env: NodeJS.ProcessEnv; readonly logPath: string },
): ChildProcess {
  const output = openSync(logPath, 'a', 0o600);
  try {
    const child = spawn(program, args, { env, detached: true, stdio: ['ignore', output, output] });
    child.unref();
    return child;
  } finally {
    closeSync(output);
  }
}

async function endProcess(
  process: ProcessIdentity | undefined,
  { signal, timeout }: { readonly signal: NodeJS.Signals; readonly timeout: number },
): Promise<void> {
  if (!process) return;
  signalProcess(process, signal);
  if (await waitForEnd(process, timeout)) return;
  signalProcess(process, 'SIGKILL');
  await waitForEnd(process, timeout);
}
