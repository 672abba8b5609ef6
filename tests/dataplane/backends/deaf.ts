import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { freeze } from '../../support/freeze';

/** A server that listens and never accepts: connections to it neither come about nor are refused. */
export interface Deaf {
  readonly address: string;
  readonly port: number;
  stop(): Promise<void>;
}

const LISTEN = `
const server = require('node:net').createServer();
server.listen({ host: '127.0.0.1', port: 0, backlog: 1 }, () => process.stdout.write(server.address().port + '\\n'));
`;

/**
 * The kernel accepts connections for a process as long as there is room in its queue, and drops further ones: so a stopped
 * process with a full queue is deaf.
 */
export async function startDeaf(): Promise<Deaf> {
  const child: ChildProcess = spawn(process.execPath, ['-e', LISTEN], { stdio: ['ignore', 'pipe', 'inherit'] });
  if (child.stdout === null) throw new Error('the child has no stdout');
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const port = Number(line.toString());
  if (child.pid === undefined) throw new Error('the child did not start');
  await freeze(child.pid);
  const sockets = await fillQueue(port);
  return {
    address: '127.0.0.1',
    port,
    async stop() {
      for (const socket of sockets) socket.destroy();
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

/** Connects until a connection does not come about within a moment. */
async function fillQueue(port: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  for (;;) {
    const socket = connect({ host: '127.0.0.1', port }).on('error', () => undefined);
    sockets.push(socket);
    const connected = await Promise.race([
      once(socket, 'connect').then(() => true),
      new Promise<boolean>((resolve) => setTimeout(resolve, 300, false)),
    ]);
    if (!connected) return sockets;
  }
}
