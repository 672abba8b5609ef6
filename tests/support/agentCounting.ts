import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** What clients have seen go over their own connections. */
export interface Counted {
  readonly connections: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly failures: readonly string[];
}

export interface CountingLoad {
  /** Ends it once the requests under way have been answered; all connections are closed then. */
  stop(): Promise<Counted>;
}

export interface CountingOptions {
  readonly host: string;
  readonly port: number;
  /** Over TLS, whatever the certificate; what is counted is what goes through it. */
  readonly tls?: boolean;
  readonly clients?: number;
  /** Requests on one connection. */
  readonly requests?: number;
  /** Milliseconds between two requests. */
  readonly pause?: number;
}

/** Requests over HTTP/1.1 on connections of their own, every byte of which is counted. */
export function startCounting(options: CountingOptions): CountingLoad {
  const total = { connections: 0, bytesIn: 0, bytesOut: 0 };
  const failures: string[] = [];
  const state = { stopped: false };
  const run = async () => {
    while (!state.stopped) {
      await converse(options, total, state).catch((error: unknown) => failures.push(String(error)));
    }
  };
  const all = Promise.all(Array.from({ length: options.clients ?? 4 }, run));
  return {
    async stop() {
      state.stopped = true;
      await all;
      return { ...total, failures };
    },
  };
}

interface Total {
  connections: number;
  bytesIn: number;
  bytesOut: number;
}

async function converse(options: CountingOptions, total: Total, state: { stopped: boolean }): Promise<void> {
  const { host, port, tls, requests = 5, pause = 0 } = options;
  const socket: Socket = tls ? connectTls({ host, port, rejectUnauthorized: false }) : connect({ host, port });
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  await new Promise((resolve, reject) => {
    socket.once(tls ? 'secureConnect' : 'connect', resolve);
    socket.once('error', reject);
  });
  total.connections += 1;
  const answers = readAnswers(socket, total);
  for (let left = requests; left > 0; left -= 1) {
    const last = left === 1 || state.stopped;
    const body = 'x'.repeat(left * 7);
    const end = `${last ? 'Connection: close\r\n' : ''}Content-Length: ${body.length}\r\n\r\n${body}`;
    const request = `POST /${left} HTTP/1.1\r\nHost: counted.example\r\n${end}`;
    total.bytesIn += request.length;
    socket.write(request);
    if ((await answers.next()) || last) break;
    if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
  }
  socket.end();
  await closed;
}

/** `next` resolves when a whole answer has come; true if it is the last one. */
function readAnswers(socket: Socket, total: Total): { next(): Promise<boolean> } {
  let text = '';
  let open = true;
  let wake: (last: boolean) => void = () => undefined;
  let fail: (error: Error) => void = () => undefined;
  socket.on('data', (chunk: Buffer) => {
    total.bytesOut += chunk.length;
    text += chunk.toString('latin1');
    const head = text.indexOf('\r\n\r\n');
    const length = Number(/content-length: (\d+)/i.exec(text)?.[1]);
    if (head === -1 || text.length < head + 4 + length) return;
    const last = /connection: close/i.test(text.slice(0, head));
    const ok = text.startsWith('HTTP/1.1 200');
    const first = text.slice(0, 60);
    text = text.slice(head + 4 + length);
    if (ok) wake(last);
    else fail(new Error(`answered ${JSON.stringify(first)}`));
  });
  const early = () => new Error('the connection was closed before its answer');
  socket.once('close', () => {
    open = false;
    fail(early());
  });
  return {
    next: () =>
      new Promise((resolve, reject) => {
        wake = resolve;
        fail = reject;
        if (!open) reject(early());
      }),
  };
}
