import type { BgpState } from '../../protocol/messages';

export type SessionState = BgpState['peers'][number]['state'];

/** A session as BIRD tells of it. */
export interface Session {
  readonly state: SessionState;
  readonly lastError: string | null;
  /** Families whose routes are exchanged. */
  readonly families: ReadonlySet<4 | 6>;
}

/** BIRD's words for the states of RFC 4271, and for the ways out of them. */
const STATES: Readonly<Record<string, SessionState>> = {
  Idle: 'idle',
  Connect: 'connect',
  Active: 'active',
  OpenSent: 'opensent',
  OpenConfirm: 'openconfirm',
  Established: 'established',
  Close: 'idle',
  Down: 'down',
};

/** The sessions in what `show protocols all` answers, by the name of the protocol. */
export function readSessions(lines: readonly string[]): Map<string, Session> {
  const sessions = new Map<string, Session>();
  let current: { name: string; lines: string[] } | null = null;
  const conclude = () => {
    if (current !== null) sessions.set(current.name, readSession(current.lines));
  };
  for (const line of lines) {
    const [, name, kind] = /^(\S+)\s+(\S+)\s/.exec(line) ?? [];
    if (name !== undefined) {
      conclude();
      current = kind === 'BGP' ? { name, lines: [] } : null;
    } else current?.lines.push(line);
  }
  conclude();
  return sessions;
}

function readSession(lines: readonly string[]): Session {
  const value = (label: string) => lines.map((line) => line.trim()).find((line) => line.startsWith(label));
  const state = STATES[value('BGP state:')?.slice(10).trim() ?? ''] ?? 'down';
  const families = new Set<4 | 6>();
  for (const [index, line] of lines.entries()) {
    const family = /^\s*Channel ipv([46])$/.exec(line)?.[1];
    if (family !== undefined && /State:\s+UP/.test(lines[index + 1] ?? '')) families.add(family === '4' ? 4 : 6);
  }
  return { state, families, lastError: value('Last error:')?.slice(11).trim() || null };
}

/**
 * What peers have said, or BIRD of them, in its log: `show protocols` forgets a notification as soon as the next attempt
 * to connect fails. By the name of the protocol, the last one.
 */
export function readNotifications(log: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const [, name, text] of log.matchAll(/^[\d-]+ [\d:.]+ <[A-Z]+> (\S+): ((?:Received|Error|BGP Error): .*)$/gm)) {
    if (name !== undefined && text !== undefined) found.set(name, text.trim());
  }
  return found;
}

/** The more telling one: after a notification the next attempts are merely cut off. */
export function tellingError({ state, lastError }: Session, notification: string | undefined): string | null {
  if (state === 'established') return null;
  if (lastError === null || lastError === 'Socket: Connection reset by peer') return notification ?? lastError;
  return lastError;
}
