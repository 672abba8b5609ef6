import { randomUUID } from 'node:crypto';
import type { ComputeDriver, Server, ServerRequest } from '../../driver/clouds/compute/port';
import { UnavailableError } from '../../driver/domain/errors';

/** A compute service in memory that can lose answers. */
export interface FakeCompute extends ComputeDriver {
  readonly servers: Map<string, Server>;
  readonly requests: readonly ServerRequest[];
  /** The next creation makes the server, and its answer is lost. */
  loseNextAnswer(): void;
  /** Servers come up in this state from now on. */
  build(status: Server['status']): void;
}

/** @param plugs servers take ports */
export function createFakeCompute({ plugs = false }: { readonly plugs?: boolean } = {}): FakeCompute {
  const portsOf = new Map<string, Set<string>>();
  const servers = new Map<string, Server>();
  const requests: ServerRequest[] = [];
  let losing = false;
  let status: Server['status'] = 'ACTIVE';
  return {
    servers,
    requests,
    bootsNothing: false,
    loseNextAnswer: () => {
      losing = true;
    },
    build: (next) => {
      status = next;
    },
    listServers: async () => [...servers.values()],
    async createServer(request) {
      const { engineId, name } = request;
      requests.push(request);
      const server: Server = {
        id: randomUUID(),
        engineId,
        name,
        status,
        managementAddress: '192.0.2.1',
        host: 'host-1',
      };
      servers.set(server.id, server);
      if (losing) {
        losing = false;
        throw new UnavailableError('the answer was lost');
      }
      return server;
    },
    deleteServer: async (id) => void servers.delete(id),
    ...(plugs && {
      listServerPorts: async (id: string) => [...(portsOf.get(id) ?? [])],
      attachPort: async (id: string, portId: string) =>
        void portsOf.set(id, new Set([...(portsOf.get(id) ?? []), portId])),
      detachPort: async (id: string, portId: string) => void portsOf.get(id)?.delete(portId),
    }),
  };
}
