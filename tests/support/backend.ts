import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A real web server for a pool: answers every request with its own name. */
export interface Backend {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  /** Requests answered so far, health checks left out. */
  readonly served: () => number;
  /** Closes it with every connection. */
  stop(): Promise<void>;
  /** Listens on the same port again. */
  restart(): Promise<void>;
}

const HEALTH_PATH = '/health';

/** Listens on an ephemeral port of 127.0.0.1. */
export async function startBackend(name: string): Promise<Backend> {
  let count = 0;
  const serve = (port: number): Promise<Server> =>
    new Promise((resolve, reject) => {
      const server = createServer((request, response) => {
        if (request.url !== HEALTH_PATH) count += 1;
        response.end(`${name}\n`);
      });
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => resolve(server));
    });
  let server = await serve(0);
  const port = (server.address() as AddressInfo).port;
  return {
    name,
    address: '127.0.0.1',
    port,
    served: () => count,
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
    async restart() {
      server = await serve(port);
    },
  };
}
