import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { LogTarget } from '../haproxy/log';
import { deliver } from './deliver';

/** Passes on what haproxies log of connections. */
export interface LogFiles {
  close(): Promise<void>;
}

/** Where a listener's lines go; null if nowhere. */
export type FindLogTarget = (loadBalancerId: string, listenerId: string) => LogTarget | null;

const Ids = z.object({ load_balancer: z.string(), listener: z.string() });

/**
 * Takes lines over a unix socket, each after its length (RFC 6587, octet counting), and passes them on to where their
 * listeners log. Files are opened anew each time: they may be moved away. A socket that an earlier agent left is replaced.
 */
export async function openLogFiles(path: string, find: FindLogTarget, log: Logger): Promise<LogFiles> {
  await rm(path, { force: true });
  let writing: Promise<unknown> = Promise.resolve();
  const write = (lines: readonly string[]) => {
    for (const { target, texts } of byTarget(lines, find)) {
      writing = writing
        .then(() => deliver(target, texts, 'haproxy'))
        .catch((err: unknown) => log.warn({ err, target }, 'connections could not be logged'));
    }
  };
  const server = createServer((socket) => {
    let rest: Buffer = Buffer.alloc(0);
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      const taken = takeFrames(Buffer.concat([rest, chunk]));
      rest = taken.rest;
      write(taken.frames);
    });
  });
  const sockets = new Set<{ destroy(): void }>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  return {
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      await writing;
    },
  };
}

function takeFrames(data: Buffer): { frames: string[]; rest: Buffer } {
  const frames: string[] = [];
  let rest = data;
  for (;;) {
    const blank = rest.indexOf(0x20);
    const start = blank + 1;
    const length = blank === -1 ? Number.NaN : Number(rest.subarray(0, blank).toString('latin1'));
    if (!(rest.length >= start + length)) return { frames, rest };
    frames.push(
      rest
        .subarray(start, start + length)
        .toString('utf8')
        .trimEnd(),
    );
    rest = rest.subarray(start + length);
  }
}

function byTarget(lines: readonly string[], find: FindLogTarget): { target: LogTarget; texts: string[] }[] {
  const found = new Map<string, { target: LogTarget; texts: string[] }>();
  for (const text of lines) {
    const ids = parseIds(text);
    const target = ids === null ? null : find(ids.load_balancer, ids.listener);
    if (target === null) continue;
    const entry = found.get(JSON.stringify(target)) ?? { target, texts: [] };
    entry.texts.push(text);
    found.set(JSON.stringify(target), entry);
  }
  return [...found.values()];
}

function parseIds(text: string): z.infer<typeof Ids> | null {
  try {
    return Ids.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
