import { open, stat } from 'node:fs/promises';
import { TURNED_AWAY } from '../nginx/render';

/** One session of a client that has ended. */
export interface Session {
  readonly listenerId: string;
  readonly bytesIn: bigint;
  readonly bytesOut: bigint;
  /** Null in lines of an earlier version. */
  readonly ends: SessionEnds | null;
}

/** Between whom a session was, and when. */
export interface SessionEnds {
  /** Seconds since 1970 of its beginning, with milliseconds. */
  readonly time: number;
  /** Milliseconds. */
  readonly duration: number;
  readonly client: string;
  readonly clientPort: number;
  readonly vip: string;
  readonly vipPort: number;
  /** `address:port`, IPv6 in brackets; `-` when it reached nobody. */
  readonly member: string;
  /** nginx's: 200 for one that ended as it should. */
  readonly status: string;
}

/** How far a log has been read. */
export interface LogPosition {
  readonly inode: number;
  readonly offset: number;
}

const CHUNK = 256 * 1024;

/**
 * Reads whole lines from a position to the end of a log; a line under way is left for the next time. A missing file is an
 * empty one. Gives the new position.
 */
export async function readSessions(
  path: string,
  from: LogPosition | null,
  take: (session: Session) => void,
): Promise<LogPosition | null> {
  const inode = await inodeOf(path);
  if (inode === null) return null;
  const file = await open(path, 'r');
  try {
    let offset = from?.inode === inode ? from.offset : 0;
    const buffer = Buffer.alloc(CHUNK);
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, CHUNK, offset);
      const end = buffer.subarray(0, bytesRead).lastIndexOf(10) + 1;
      if (end === 0) return { inode, offset };
      for (const line of buffer.toString('latin1', 0, end).split('\n')) {
        const session = parseSession(line);
        if (session !== null) take(session);
      }
      offset += end;
    }
  } finally {
    await file.close();
  }
}

/** Null for a session that was turned away, and for what is no line of ours. */
export function parseSession(line: string): Session | null {
  const [listenerId, status, bytesIn, bytesOut, ...rest] = line.split(' ');
  if (listenerId === undefined || status === undefined || TURNED_AWAY.includes(status)) return null;
  if (!isCount(bytesIn) || !isCount(bytesOut)) return null;
  return { listenerId, bytesIn: BigInt(bytesIn), bytesOut: BigInt(bytesOut), ends: parseEnds(status, rest) };
}

function parseEnds(status: string, words: readonly string[]): SessionEnds | null {
  const [ended, seconds, client, clientPort, vip, vipPort, ...members] = words;
  const [end, duration] = [Number(ended), Number(seconds)];
  if (client === undefined || vip === undefined || !Number.isFinite(end) || !Number.isFinite(duration)) return null;
  return {
    time: Math.round((end - duration) * 1000) / 1000,
    duration: Math.round(duration * 1000),
    client,
    clientPort: Number(clientPort),
    vip,
    vipPort: Number(vipPort),
    // Of several that were tried, the last one.
    member: members.at(-1) ?? '-',
    status,
  };
}

function isCount(text: string | undefined): text is string {
  return text !== undefined && /^\d+$/.test(text);
}

async function inodeOf(path: string): Promise<number | null> {
  const found = await stat(path).catch(() => null);
  return found === null ? null : found.ino;
}
