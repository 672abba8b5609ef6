import { readlinkSync, statSync } from 'node:fs';

/** A program with its arguments. */
export interface Command {
  readonly file: string;
  readonly words: readonly string[];
}

const NAMESPACES = '/run/netns';

/** The same command inside a network namespace; null is where the agent itself is. The process keeps its pid. */
export function enter(namespace: string | null, file: string, words: readonly string[] = []): Command {
  if (namespace === null) return { file, words };
  return { file: 'nsenter', words: [`--net=${NAMESPACES}/${namespace}`, '--', file, ...words] };
}

/** True if the process is in that network namespace; null is where the agent itself is. False if either is gone. */
export function isInNamespace(pid: number, namespace: string | null): boolean {
  try {
    const inode = /^net:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/ns/net`))?.[1];
    const wanted = statSync(namespace === null ? '/proc/self/ns/net' : `${NAMESPACES}/${namespace}`).ino;
    return inode === String(wanted);
  } catch {
    return false;
  }
}
