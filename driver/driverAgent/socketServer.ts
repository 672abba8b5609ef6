import { chmodSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import type { Logger } from 'pino';
import type { RunningProcess } from '../domain/process';
import { frame, readFrame } from './framing';

/** One of the sockets of the driver agent. */
export interface SocketService {
  readonly path: string;
  /** Milliseconds for a request to come. */
  readonly timeout: number;
  /** Requests answered at a time; more connections wait. */
  readonly concurrency: number;
  /** Gives what is answered; what it throws ends the connection without an answer. */
  answer(request: unknown): Promise<unknown>;
}

/** For drivers that run as the service's user or group. */
const MODE = 0o660;

/**
 * Serves octavia-lib's clients: one request a connection. A socket file that nobody listens at is replaced.
 * @throws Error when another process listens there, or the path cannot be bound
 */
export async function serveSocket(service: SocketService, log: Logger): Promise<RunningProcess> {
  const { path, concurrency } = service;
  mkdirSync(dirname(path), { recursive: true });
  await removeStale(path);
  const open = new Set<Socket>();
  const waiting: Socket[] = [];
  const underWay = new Set<Promise<void>>();
  let closing = false;

  const start = (socket: Socket): void => {
    const work: Promise<void> = serve(socket, service, log).finally(() => {
      underWay.delete(work);
      const next = closing ? undefined : waiting.shift();
      if (next) start(next);
    });
    underWay.add(work);
  };
  const server = createServer((socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket)).on('error', () => socket.destroy());
    if (underWay.size < concurrency) start(socket);
    else waiting.push(socket);
  });
  await listen(server, path);
  return {
    url: path,
    async close() {
      closing = true;
      const closed = new Promise((resolve) => server.close(resolve));
      await Promise.all(underWay);
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

async function serve(socket: Socket, { path, timeout, answer }: SocketService, log: Logger): Promise<void> {
  try {
    const request = await readFrame(socket, timeout);
    const reply = await answer(request);
    await new Promise<void>((resolve) => {
      socket.once('close', resolve);
      socket.end(frame(reply), resolve);
    });
  } catch (err) {
    log.warn({ err, socket: path }, 'a request of a provider driver was not answered');
    socket.destroy();
  }
}

async function removeStale(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found) return;
  if (!found.isSocket()) throw new Error(`${path} is there and is no socket`);
  if (await answers(path)) throw new Error(`${path} is served by another process`);
  rmSync(path, { force: true });
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createConnection(path);
    const tell = (found: boolean): void => {
      probe.destroy();
      resolve(found);
    };
    probe.once('connect', () => tell(true)).once('error', () => tell(false));
  });
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      chmodSync(path, MODE);
      resolve();
    });
  });
}
