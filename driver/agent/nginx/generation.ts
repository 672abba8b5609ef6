import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { enter } from '../process/enter';
import { identify, isAlive, ProcessIdentity, signal } from '../process/identity';
import { monotonicNow } from '../process/monotonic';
import { StartError } from '../process/startError';
import type { Nginx } from './find';

/**
 * A UDP change does not reload nginx but starts another one beside it. nginx binds UDP ports with SO_REUSEADDR, and of
 * several such sockets Linux gives all datagrams to the one that was bound last: the new process takes over at one moment,
 * and the old one, whose sockets stay open, still delivers the answers of its members. After a reload it could not: the
 * old worker closes the sockets it would have to send from (nginx 1.22, seen).
 */

/** An nginx that was started with one configuration. */
export const Generation = z.object({
  sequence: z.number().int(),
  master: ProcessIdentity,
  worker: ProcessIdentity.nullable(),
  /** `address:port` of what it has bound. */
  endpoints: z.array(z.string()),
  /** Milliseconds since the machine booted; null while it is the current one. */
  retiredAt: z.number().nullable(),
});
export type Generation = z.infer<typeof Generation>;

/** Milliseconds; a port that it cannot bind is tried for 2.5 s. */
const STARTING = 10_000;

/** What a start needs to know. `record` is called before anything can stop the agent, so that no process is forgotten. */
export interface StartOptions {
  readonly configPath: string;
  readonly errorLog: string;
  readonly sequence: number;
  readonly endpoints: readonly string[];
  /** The network namespace it runs in; null: the agent's. */
  readonly namespace: string | null;
  readonly record: (generation: Generation) => void;
}

/**
 * Starts nginx detached: it outlives this process. Resolves once its ports are its own. Throws StartError. There is no
 * check before a start: `nginx -t` binds as well, and for that moment takes the datagrams of who serves them (1.22, seen).
 * A file is read before anything is bound, so that one that is refused harms nobody.
 */
export async function startGeneration({ path }: Nginx, options: StartOptions): Promise<Generation> {
  const { sequence, endpoints, record } = options;
  const start = sizeOf(options.errorLog);
  const master = launch(path, options);
  if (master === null) throw new StartError('nginx could not be started', '');
  const born: Generation = { sequence, master, worker: null, endpoints: [...endpoints], retiredAt: null };
  try {
    record(born);
    const generation = { ...born, worker: await firstWorker(master, () => outputSince(options.errorLog, start)) };
    record(generation);
    return generation;
  } catch (error) {
    kill(born);
    throw error;
  }
}

function launch(path: string, { configPath, errorLog, namespace }: StartOptions): ProcessIdentity | null {
  const log = openSync(errorLog, 'a');
  try {
    const { file, words } = enter(namespace, path, ['-c', configPath, '-e', errorLog]);
    const child = spawn(file, words, { cwd: '/', detached: true, stdio: ['ignore', log, log] });
    child.on('error', () => undefined);
    child.unref();
    return child.pid === undefined ? null : identify(child.pid);
  } finally {
    closeSync(log);
  }
}

/** The master binds before it has its worker, and what comes in between waits in the socket. */
async function firstWorker(master: ProcessIdentity, output: () => string): Promise<ProcessIdentity> {
  const deadline = monotonicNow() + STARTING;
  for (let pause = 2; monotonicNow() < deadline; pause = Math.min(pause * 1.5, 50)) {
    const worker = workerOf(master);
    if (worker !== null) return worker;
    if (!isAlive(master)) throw new StartError('nginx ended at its start', output());
    await sleep(pause);
  }
  throw new StartError('nginx does not come up', output());
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function outputSince(path: string, start: number): string {
  return readFileSync(path).subarray(start).toString('utf8');
}

/** The present worker of a master, which replaces one that has crashed; null if there is none. */
export function workerOf(master: ProcessIdentity): ProcessIdentity | null {
  if (!isAlive(master)) return null;
  try {
    const children = readFileSync(`/proc/${master.pid}/task/${master.pid}/children`, 'utf8');
    const pid = Number(children.trim().split(' ').at(-1));
    return pid > 0 ? identify(pid) : null;
  } catch {
    return null;
  }
}

/** True while a process of it lives. */
export function isRunning({ master, worker }: Generation): boolean {
  return isAlive(master) || (worker !== null && isAlive(worker));
}

/** Has it close its ports, end its sessions and log them; it is gone some 50 ms later. */
export function dismiss({ master, worker }: Generation): void {
  // A worker without its master would never be told.
  if (!signal(master, 'SIGQUIT') && worker !== null) signal(worker, 'SIGQUIT');
}

/** Ends it at once; sessions are not logged. */
export function kill({ master, worker }: Generation): void {
  const last = workerOf(master);
  for (const identity of [master, worker, last]) if (identity !== null) signal(identity, 'SIGKILL');
}
