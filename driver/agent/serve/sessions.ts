import { setTimeout as sleep } from 'node:timers/promises';
import { isUsableId } from '../haproxy/admitValue';
import type { StatRow } from '../haproxy/stats';
import { monotonicNow } from '../process/monotonic';
import type { RuntimeSocket } from '../process/runtimeSocket';

/** Milliseconds all sessions may take to end once they have been told to. */
const ENDING = 1000;

/** True if a worker has client connections. */
export function hasSessions(rows: readonly StatRow[]): boolean {
  return rows.some(({ server, currentSessions }) => server === 'FRONTEND' && currentSessions > 0);
}

/** Makes a worker listen no more, on any of these frontends; its sessions go on. For good: only a reload brings them back. */
export async function stopListening(runtime: RuntimeSocket, frontends: readonly string[]): Promise<void> {
  await runtime.run(frontends.filter(isUsableId).map((name) => `shutdown frontend ${name}`));
}

/**
 * Ends all sessions of a worker that accepts no new ones, so that what its counters say then is final. Idle connections,
 * which have no session in haproxy's sense, may stay: nothing more comes of them.
 */
export async function endSessions(runtime: RuntimeSocket): Promise<void> {
  for (const deadline = monotonicNow() + ENDING; monotonicNow() < deadline; await sleep(10)) {
    const [answer = ''] = await runtime.run(['show sess']);
    const sessions = clientSessions(answer);
    if (sessions.length === 0) return;
    await runtime.run(sessions.map((id) => `shutdown session ${id}`));
  }
}

/** Sessions of clients: what is under way. */
export async function countSessions(runtime: RuntimeSocket): Promise<number> {
  const [answer = ''] = await runtime.run(['show sess']);
  return clientSessions(answer).length;
}

/** Ours are on unix sockets. */
function clientSessions(answer: string): string[] {
  return [...answer.matchAll(/^(0x[0-9a-f]+): proto=(\w+)/gm)].flatMap(([, id, protocol]) =>
    id === undefined || protocol === 'unix_stream' || protocol === 'sockpair' ? [] : [id],
  );
}
