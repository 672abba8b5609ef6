import { readdir, readFile, readlink } from 'node:fs/promises';
import type { ListenerCounters } from '../../protocol/messages';

/** How fast counters that only grow are growing. */
export interface RateMeter {
  /** Amount a second since the call before; undefined at the first, and after a counter fell. */
  note(total: number): number | undefined;
}

/** @param now milliseconds, monotonic */
export function createRateMeter(now: () => number = () => performance.now()): RateMeter {
  let last: { readonly total: number; readonly at: number } | undefined;
  return {
    note(total) {
      const before = last;
      const at = now();
      last = { total, at };
      if (!before || total < before.total || at <= before.at) return undefined;
      return ((total - before.total) * 1000) / (at - before.at);
    },
  };
}

/** Of all listeners together. */
export function sumOf(counters: readonly ListenerCounters[]) {
  let bytes = 0;
  let opened = 0;
  let connections = 0;
  for (const it of counters) {
    bytes += Number(it.bytesIn) + Number(it.bytesOut);
    opened += Number(it.totalConnections);
    connections += it.activeConnections;
  }
  return { bytes, opened, connections };
}

/**
 * Packets in and out of the interfaces of all namespaces in which somebody runs, less loopback ones: haproxies and
 * speakers are in those of their domains. What cannot be looked at is not counted.
 */
export async function countPackets(proc = '/proc'): Promise<number> {
  const namespaces = new Map<string, string>();
  for (const pid of (await readdir(proc)).filter((name) => /^\d+$/.test(name))) {
    const namespace = await readlink(`${proc}/${pid}/ns/net`).catch(() => undefined);
    if (namespace !== undefined && !namespaces.has(namespace)) namespaces.set(namespace, pid);
  }
  let packets = 0;
  for (const pid of namespaces.values()) {
    packets += packetsIn(await readFile(`${proc}/${pid}/net/dev`, 'utf8').catch(() => ''));
  }
  return packets;
}

/** Second column of what is received, tenth of all: sent. */
function packetsIn(table: string): number {
  let packets = 0;
  for (const line of table.split('\n')) {
    const [name = '', rest] = line.split(':');
    const columns = rest?.trim().split(/\s+/);
    if (!columns || columns.length < 10 || name.trim() === 'lo') continue;
    packets += Number(columns[1]) + Number(columns[9]);
  }
  return packets;
}
