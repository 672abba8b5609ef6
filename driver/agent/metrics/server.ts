import { rm } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { Logger } from 'pino';

/** Answers what haproxies pass on of their PROMETHEUS listeners. */
export interface MetricsServer {
  close(): Promise<void>;
}

/** Gives the metrics of a load balancer; null if it serves none. */
export type ReadMetrics = (loadBalancerId: string) => Promise<string | null>;

/**
 * Listens on a unix socket; a request's path is `/` and the load balancer's id. A socket that an earlier agent left is
 * replaced. Throws what the file system says.
 */
export async function openMetricsServer(path: string, read: ReadMetrics, log: Logger): Promise<MetricsServer> {
  await rm(path, { force: true });
  const server = createServer((request, response) => {
    read((request.url ?? '/').slice(1))
      .then((text) => answer(response, text))
      .catch((err: unknown) => {
        log.debug({ err }, 'metrics could not be read');
        answer(response, null);
      });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answer(response: ServerResponse, text: string | null): void {
  if (text === null) response.writeHead(503).end();
  else {
    const headers = { 'cache-control': 'no-cache', 'content-type': 'text/plain; version=0.0.4' };
    response.writeHead(200, headers).end(text);
  }
}
