import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { waitUntil } from './wait';

/** A control group with a bound on memory: whatever in it takes more is ended by the kernel's own killer. */
export interface MemoryGroup {
  /** What the process takes from now on counts; what it has is counted where it was. */
  take(pid: number): void;
  /** How many processes of it the kernel has killed for memory. */
  kills(): number;
  /** Removes it; everything in it has to have ended. */
  remove(): Promise<void>;
}

/** How the two versions of the kernel's interface differ. */
interface Hierarchy {
  /** Where groups can be made. */
  readonly directory: string;
  readonly limit: string;
  readonly kills: string;
}

const ROOT = '/sys/fs/cgroup';
/** Milliseconds that the kernel may take to see that a process has ended. */
const PATIENCE = 30_000;

/** Whether this machine lets us make such groups. */
export function canBoundMemory(): boolean {
  try {
    const path = makeGroup('ss-can-bound', 64 * 1024 * 1024).path;
    rmdirSync(path);
    return true;
  } catch {
    return false;
  }
}

/** @param name begins with `ss-` */
export function createMemoryGroup(name: string, bytes: number): MemoryGroup {
  const { path, hierarchy } = makeGroup(`${name}-${process.pid}`, bytes);
  return {
    take: (pid) => writeFileSync(join(path, 'cgroup.procs'), String(pid)),
    kills: () => Number(/^oom_kill (\d+)$/m.exec(readFileSync(join(path, hierarchy.kills), 'utf8'))?.[1]),
    async remove() {
      const isEmpty = () => readFileSync(join(path, 'cgroup.procs'), 'utf8') === '';
      await waitUntil(`${path} is empty`, PATIENCE, isEmpty);
      rmdirSync(path);
    },
  };
}

function makeGroup(name: string, bytes: number): { readonly path: string; readonly hierarchy: Hierarchy } {
  const hierarchy = findHierarchy();
  const path = join(hierarchy.directory, name);
  mkdirSync(path);
  try {
    writeFileSync(join(path, hierarchy.limit), String(bytes));
  } catch (error) {
    rmdirSync(path);
    throw error;
  }
  return { path, hierarchy };
}

/**
 * Below this process's own group in version 1, so that nothing leaves it. Version 2 has processes in the leaves alone: beside
 * its own.
 */
function findHierarchy(): Hierarchy {
  const lines = readFileSync('/proc/self/cgroup', 'utf8').split('\n');
  const own = (pattern: RegExp) => lines.flatMap((line) => pattern.exec(line)?.[1] ?? [])[0];
  const first = own(/^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$/);
  if (first !== undefined) {
    return {
      directory: join(ROOT, 'memory', first),
      limit: 'memory.limit_in_bytes',
      kills: 'memory.oom_control',
    };
  }
  const second = own(/^0::(.*)$/);
  if (second === undefined || !existsSync(join(ROOT, 'cgroup.controllers'))) throw new Error('no control groups');
  return { directory: join(ROOT, dirname(second)), limit: 'memory.max', kills: 'memory.events' };
}
