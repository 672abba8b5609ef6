import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { freeze } from './freeze';

/** A port of 127.0.0.1 that answers no further SYN, as a host behind a firewall: its queue is full and nobody accepts. */
export interface Blackhole {
  readonly port: number;
  stop(): Promise<void>;
}

const LISTEN = `
const server = require('node:net').createServer();
server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => process.stdout.write(server.address().port + '\\n'));
`;

export async function startBlackhole(): Promise<Blackhole> {
  const child = spawn(process.execPath, ['-e', LISTEN], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(child.stdout, 'data');
  const port = Number(line);
  if (child.pid === undefined) throw new Error('the child did not start');
  await freeze(child.pid);
  const sockets: Socket[] = [];
  // Each that is taken waits in the queue; the first that is not shows that the queue is full.
  while (await isTaken(port, sockets));
  return {
    port,
    async stop() {
      for (const socket of sockets) socket.destroy();
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}

async function isTaken(port: number, sockets: Socket[]): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  sockets.push(socket);
  return Promise.race([once(socket, 'connect').then(() => true), sleep(200).then(() => false)]);
}
