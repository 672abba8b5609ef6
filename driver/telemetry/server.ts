import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import type { RunningProcess } from '../domain/process';

export interface TelemetryParts {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly registry: Registry;
  /** What is wrong; undefined when the process can do its work. */
  check(): Promise<string | undefined>;
}

/**
 * Serves `/healthcheck` and `/metrics` for processes that have no API of their own.
 * @throws Error when the port is taken
 */
export async function serveTelemetry(parts: TelemetryParts): Promise<RunningProcess> {
  const server = createServer((request, response) => {
    void answer(parts, request.url?.split('?')[0] ?? '').then(({ status, type, body }) => {
      response.writeHead(status, { 'content-type': type });
      response.end(request.method === 'HEAD' ? undefined : body);
    });
  });
  await listen(server, parts);
  const { address, family, port } = server.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

async function answer({ registry, check }: TelemetryParts, path: string): Promise<Answer> {
  if (path === '/metrics') return { status: 200, type: registry.contentType, body: await registry.metrics() };
  if (path !== '/healthcheck') return { status: 404, type: 'text/plain', body: 'Not Found' };
  const trouble = await check().catch((error: unknown) => String(error));
  return { status: trouble === undefined ? 200 : 503, type: 'text/plain', body: trouble ?? 'OK' };
}

function listen(server: Server, { host, port }: TelemetryParts): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
