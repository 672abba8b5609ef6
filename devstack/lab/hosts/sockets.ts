import { spawn } from 'node:child_process';
import { connect, type Server, type Socket } from 'node:net';
import { join } from 'node:path';

export interface Place {
  readonly address: string;
  readonly port: number;
}

/** Listening sockets in a namespace, used by this process: one a place, in their order. They take no connections yet. */
export function listenIn(namespace: string, places: readonly Place[]): Promise<Server[]> {
  const words = places.flatMap(({ address, port }) => [address, String(port)]);
  const child = spawn(
    'nsenter',
    [`--net=/run/netns/${namespace}`, process.execPath, join(__dirname, 'listen.cjs'), ...words],
    { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] },
  );
  const sockets: Server[] = [];
  return new Promise((resolve, reject) => {
    child.on('message', ({ error }: { error?: string }, socket) => {
      if (error !== undefined) reject(new Error(error));
      else sockets.push(socket as Server);
    });
    child.once('error', reject);
    child.once('close', () => {
      if (sockets.length === places.length) resolve(sockets);
      else reject(new Error(`cannot listen in ${namespace}`));
    });
  });
}

/** Leads every connection to a port of this host's loopback. */
export function relayTo(server: Server, port: number): void {
  server.on('connection', (from: Socket) => {
    const to = connect({ host: '127.0.0.1', port, noDelay: true });
    from.setNoDelay(true);
    for (const [one, other] of [
      [from, to],
      [to, from],
    ] as const) {
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
      one.pipe(other);
    }
  });
}
