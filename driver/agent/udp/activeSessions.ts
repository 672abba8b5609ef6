import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { endianness } from 'node:os';
import ipaddr from 'ipaddr.js';
import type { Generation } from '../nginx/generation';
import type { UdpLayout } from './layout';

/** Files that a worker of one listener has open besides its sessions: logs, pipes, listening sockets. */
const OTHER_FILES = 12;
/** Above this a count of open files says enough. */
const MOST_LOOKED_AT = 4096;

/**
 * How many sessions the worker of a generation has now, by listener. nginx logs a session when it ends and tells nothing
 * before, so its sockets to members are counted. Listeners that share a member cannot be told apart by that: the first of
 * them gets the sessions.
 */
export function activeSessions({ worker }: Generation, layout: UdpLayout): Map<string, number> {
  const counts = new Map(layout.frontends.map(({ listener }) => [listener.id, 0]));
  const [only, ...others] = layout.frontends;
  if (worker === null || only === undefined) return counts;
  try {
    const files = openFiles(worker.pid);
    if (others.length === 0 && files > MOST_LOOKED_AT) return counts.set(only.listener.id, files - OTHER_FILES);
    const owners = listenersByMember(layout);
    for (const remote of connectedSockets(worker.pid)) {
      const listenerId = owners.get(remote) ?? only.listener.id;
      counts.set(listenerId, (counts.get(listenerId) ?? 0) + 1);
    }
  } catch {
    // It has ended meanwhile.
  }
  return counts;
}

function openFiles(pid: number): number {
  // Since Linux 6.2 the size of the directory is the number of files.
  return statSync(`/proc/${pid}/fd`).size || readdirSync(`/proc/${pid}/fd`).length;
}

/** The other ends of the worker's connected UDP sockets, as the kernel writes them. */
function connectedSockets(pid: number): string[] {
  const inodes = new Set(
    readdirSync(`/proc/${pid}/fd`).map((file) => /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${file}`))?.[1]),
  );
  return ['udp', 'udp6'].flatMap((table) =>
    readFileSync(`/proc/${pid}/net/${table}`, 'latin1')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter(([, , remote, , , , , , , inode]) => inodes.has(inode) && remote?.endsWith(':0000') === false)
      .map(([, , remote = '']) => remote),
  );
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

function listenersByMember(layout: UdpLayout): Map<string, string> {
  const owners = new Map<string, string>();
  for (const { listener, pool } of layout.frontends) {
    for (const { address, port } of pool?.members ?? []) {
      const key = kernelAddress(address, port);
      if (!owners.has(key)) owners.set(key, listener.id);
    }
  }
  return owners;
}

/** An address and port as /proc/net/udp has them: 32 bits at a time, in the byte order of the host. */
function kernelAddress(address: string, port: number): string {
  const bytes = ipaddr.parse(address).toByteArray();
  const words = Array.from({ length: bytes.length / 4 }, (_, index) => bytes.slice(index * 4, index * 4 + 4));
  const ordered = words.flatMap((word) => (endianness() === 'LE' ? word.reverse() : word));
  return `${Buffer.from(ordered).toString('hex')}:${port.toString(16).padStart(4, '0')}`.toUpperCase();
}
