import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { Namespace } from './namespaces';
import { waitUntil } from './wait';

/** Ways over the border of a network namespace: unix sockets are in the file system, which namespaces share. */

/** Passes connections to a unix socket on to a port of this process's loopback. */
export async function openRelay(socketPath: string, port: number): Promise<{ close(): void }> {
  const open = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(one);
      one
        .on('error', () => undefined)
        .once('close', () => {
          open.delete(one);
          other.destroy();
        });
    }
    near.pipe(far).pipe(near);
  });
  server.listen(socketPath);
  await once(server, 'listening');
  return {
    close() {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}

const PROGRAM = `
const { connect, createServer } = require('node:net');
const [path, port] = process.argv.slice(1);
createServer((near) => {
  const far = connect(path);
  near.on('error', () => far.destroy());
  far.on('error', () => near.destroy());
  near.pipe(far).pipe(near);
}).listen(Number(port), '127.0.0.1', () => console.log('listening'));
`;

/** Passes connections to a port of a namespace's loopback on to a unix socket. It ends with the namespace. */
export async function openRelayIn(namespace: Namespace, port: number, socketPath: string): Promise<void> {
  const words = ['-e', PROGRAM, socketPath, String(port)];
  const child = namespace.spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  let ready = false;
  child.stdout?.once('data', () => {
    ready = true;
  });
  await waitUntil('the relay listens', 30_000, () => ready);
}
