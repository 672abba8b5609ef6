import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { relayTo } from '../../../devstack/lab/hosts/sockets';

/** Another of Contrail's API servers, which may die: it relays to the one there is. */
export interface SecondServer {
  readonly url: string;
  /** Refuses connections from now on, and resets those there are. */
  stop(): void;
}

export async function openSecondServer(url: string): Promise<SecondServer> {
  const server = createServer();
  const connections = new Set<Socket>();
  server.on('connection', (socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
  relayTo(server, Number(new URL(url).port));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop() {
      server.close();
      for (const socket of connections) socket.destroy();
    },
  };
}
