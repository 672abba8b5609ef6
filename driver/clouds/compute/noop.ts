import type { ComputeDriver, Server, ServerRequest } from './port';

/** The compute driver that boots nothing: for API tests and benchmarks. What it "made" it knows until the process ends. */
export function createNoopCompute(): ComputeDriver {
  const servers = new Map<string, Server>();
  return {
    bootsNothing: true,
    listServers: async () => [...servers.values()],
    async createServer({ engineId, name }: ServerRequest) {
      const server = { id: engineId, engineId, name, status: 'ACTIVE', managementAddress: null, host: null } as const;
      servers.set(engineId, server);
      return server;
    },
    deleteServer: async (id) => void servers.delete(id),
  };
}
