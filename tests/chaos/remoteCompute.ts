import type { ComputeDriver, Server } from '../../driver/clouds/compute/port';

/** The compute port over HTTP, to the yard of the test's process. */
export function remoteCompute(url: string): ComputeDriver {
  const call = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const response = await fetch(`${url}${path}`, {
      method,
      signal: AbortSignal.timeout(10_000),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response.json();
  };
  return {
    bootsNothing: false,
    listServers: async () => (await call('GET', '/servers')) as Server[],
    createServer: async (request) => (await call('POST', '/servers', request)) as Server,
    deleteServer: async (id) => void (await call('DELETE', `/servers/${encodeURIComponent(id)}`)),
  };
}
