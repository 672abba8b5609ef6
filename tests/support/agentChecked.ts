import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';

/** A server that writes down what checks say to it, word for word, and answers as a test wants. */
export interface CheckedServer {
  readonly port: number;
  /** Heads of requests, the newest last. */
  readonly requests: readonly string[];
  /** From now on it answers so; after so many milliseconds. */
  answer(status: number, delay?: number): void;
  close(): Promise<void>;
}

export interface CheckedOptions {
  readonly host?: string;
  /** Answers over TLS with this certificate and key, PEM. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

export async function startChecked({ host = '127.0.0.1', tls }: CheckedOptions = {}): Promise<CheckedServer> {
  const requests: string[] = [];
  let reply = { status: 200, delay: 0 };
  const take = (socket: Socket) => {
    let text = '';
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      if (end === -1) return;
      requests.push(text.slice(0, end));
      text = '';
      const { status, delay } = reply;
      const send = () => socket.end(`HTTP/1.0 ${status} Answer\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
      if (delay === 0) send();
      else setTimeout(send, delay);
    });
  };
  const server = tls ? createTlsServer(tls, take) : createServer(take);
  server.on('tlsClientError', () => undefined);
  server.listen(0, host);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    answer(status, delay = 0) {
      reply = { status, delay };
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
