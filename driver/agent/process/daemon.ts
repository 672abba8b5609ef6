import { spawn } from 'node:child_process';
import { closeSync, openSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { readFile, rm, stat } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { UnitPaths } from '../config';
import type { Command } from './enter';
import { end, identify, isAlive, ProcessIdentity, signal } from './identity';
import { waitForMaster } from './masterSocket';
import { monotonicNow } from './monotonic';
import { openRuntimeSocket, type RuntimeSocket } from './runtimeSocket';
import { StartError } from './startError';

/** What is on disk about a running haproxy, so that a later agent finds it again. */
export const ProcessRecord = z.object({
  master: ProcessIdentity,
  worker: ProcessIdentity.nullable(),
  /** Of the worker socket in the configuration it runs. */
  sequence: z.number().int(),
});
export type ProcessRecord = z.infer<typeof ProcessRecord>;

/** A haproxy: the master, which survives reloads, and the connection to its current worker. */
export interface Daemon {
  readonly master: ProcessIdentity;
  readonly worker: ProcessIdentity;
  readonly sequence: number;
  readonly runtime: RuntimeSocket;
}

/** Milliseconds a worker may take to answer after a start or reload; seen: 15 to 60. */
const STARTING = 10_000;
const LARGEST_LOG = 256 * 1024;

/**
 * Starts haproxy in master-worker mode on `paths.config`, detached: it outlives this process. Throws StartError, or what
 * the file system says if its record cannot be written; then nothing is left running.
 */
export async function startDaemon(haproxy: Command, paths: UnitPaths, sequence: number): Promise<Daemon> {
  const log = openSync(paths.log, 'w');
  closeSync(log);
  const master = launch(haproxy, paths);
  if (master === null) throw new StartError('haproxy could not be started', '');
  try {
    record(paths, { master, worker: null, sequence });
    return await meetWorker(master, paths, sequence, 0);
  } catch (error) {
    await end([master], 0);
    throw error;
  }
}

/**
 * Megabytes of address space a haproxy may take: half of the host's memory, so that one whose clients ask for ever more
 * refuses them, and takes nothing from its neighbours. Not less than its threads and libraries want (seen: 300).
 */
export function memoryLimit(total = totalmem()): number {
  return Math.max(1024, Math.floor(total / 2 / 1_048_576));
}

function launch({ file, words }: Command, paths: UnitPaths): ProcessIdentity | null {
  const log = openSync(paths.log, 'a');
  try {
    const master = `${paths.masterSocket},mode,600,level,admin`;
    const child = spawn(file, [...words, '-W', '-S', master, '-m', String(memoryLimit()), '-f', paths.config], {
      cwd: '/',
      detached: true,
      stdio: ['ignore', log, log],
    });
    child.on('error', () => undefined);
    child.unref();
    return child.pid === undefined ? null : identify(child.pid);
  } finally {
    closeSync(log);
  }
}

/** Synchronous: between the birth of a process and its record there must be no point where the agent can stop. */
function record(paths: UnitPaths, content: ProcessRecord): void {
  const temporary = `${paths.process}.new`;
  writeFileSync(temporary, JSON.stringify(content));
  renameSync(temporary, paths.process);
}

async function meetWorker(
  master: ProcessIdentity,
  paths: UnitPaths,
  sequence: number,
  logStart: number,
): Promise<Daemon> {
  const deadline = monotonicNow() + STARTING;
  for (let pause = 4; monotonicNow() < deadline; pause = Math.min(pause * 1.5, 50)) {
    const daemon = await connectWorker(master, paths, sequence);
    if (daemon !== null) return daemon;
    const output = await readLog(paths, logStart);
    if (!isAlive(master)) throw new StartError('haproxy ended at its start', output);
    if (output.includes('Loading failure!')) throw new StartError('haproxy refused to load its configuration', output);
    await sleep(pause);
  }
  throw new StartError('haproxy does not answer', await readLog(paths, logStart));
}

async function connectWorker(master: ProcessIdentity, paths: UnitPaths, sequence: number): Promise<Daemon | null> {
  let runtime: RuntimeSocket | null = null;
  try {
    runtime = await openRuntimeSocket(paths.workerSocket(sequence));
    const [info = ''] = await runtime.run(['show info']);
    const worker = identify(Number(/^Pid: (\d+)$/m.exec(info)?.[1]));
    if (worker === null) throw new Error('no worker');
    record(paths, { master, worker, sequence });
    return { master, worker, sequence, runtime };
  } catch {
    runtime?.close();
    return null;
  }
}

async function readLog(paths: UnitPaths, start: number): Promise<string> {
  const text = await readFile(paths.log).catch(() => Buffer.alloc(0));
  return text.subarray(start).toString('utf8');
}

/**
 * Makes the master load `paths.config` anew; its worker socket must be that of `sequence`. The listening sockets pass
 * from worker to worker, so nothing is refused meanwhile. Resolves once all new connections come to the new worker; the
 * old one finishes its connections and can be asked on its own connection until that is closed. Throws StartError if the
 * master went on with the old worker.
 */
export async function reloadDaemon(daemon: Daemon, paths: UnitPaths, sequence: number): Promise<Daemon> {
  const logStart = await trimLog(paths);
  await waitForMaster(paths.masterSocket, () => !isAlive(daemon.master));
  if (!signal(daemon.master, 'SIGUSR2')) throw new StartError('haproxy is gone', '');
  const reloaded = await meetWorker(daemon.master, paths, sequence, logStart);
  await waitUntilStopping(daemon.runtime);
  await rm(paths.workerSocket(daemon.sequence), { force: true });
  return reloaded;
}

/** Milliseconds an old worker may take to notice that it is to stop listening; seen: a few. */
const STOPPING = 2000;

/** For a moment both workers accept connections, and what comes to the old one is served as before. */
async function waitUntilStopping(runtime: RuntimeSocket): Promise<void> {
  const deadline = monotonicNow() + STOPPING;
  try {
    while (monotonicNow() < deadline) {
      const [info = ''] = await runtime.run(['show info']);
      if (/^Stopping: 1$/m.test(info)) return;
      await sleep(2);
    }
  } catch {
    // It has gone already.
  }
}

/** Keeps the log of a long-lived haproxy small; gives its size. */
export async function trimLog(paths: UnitPaths): Promise<number> {
  const { size } = await stat(paths.log).catch(() => ({ size: 0 }));
  if (size <= LARGEST_LOG) return size;
  truncateSync(paths.log);
  return 0;
}

/** Finds the haproxy an earlier agent left; null if it is gone or does not answer (then it is ended). */
export async function adoptDaemon(paths: UnitPaths): Promise<Daemon | null> {
  const left = await readRecord(paths);
  if (left === null) return null;
  if (isAlive(left.master)) {
    for (let attempt = 0; attempt < 20; attempt += 1) {
      // The next sequence: an agent killed in the middle of a reload has not recorded it yet.
      for (const sequence of [left.sequence + 1, left.sequence]) {
        const daemon = await connectWorker(left.master, paths, sequence);
        if (daemon !== null) return daemon;
      }
      await sleep(25);
    }
  }
  await end(left.worker === null ? [left.master] : [left.master, left.worker]);
  return null;
}

/** Ends the haproxy of these files, if there is one, and forgets it. */
export async function endDaemon(paths: UnitPaths): Promise<void> {
  const left = await readRecord(paths);
  if (left !== null) await end(left.worker === null ? [left.master] : [left.master, left.worker]);
  await rm(paths.process, { force: true });
  const sockets = [paths.masterSocket, paths.peerSocket, ...(left === null ? [] : [paths.workerSocket(left.sequence)])];
  await Promise.all(sockets.map((path) => rm(path, { force: true })));
}

async function readRecord(paths: UnitPaths): Promise<ProcessRecord | null> {
  try {
    return ProcessRecord.parse(JSON.parse(await readFile(paths.process, 'utf8')));
  } catch {
    return null;
  }
}
