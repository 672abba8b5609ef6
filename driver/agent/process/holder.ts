import { spawn } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { identify, type ProcessIdentity, signal } from './identity';

/**
 * Keeps a worker that is about to retire from ending before its counters have been read, also when this agent ends: a
 * worker waits for its runtime connections, and a `cat` holds one, which ends with the worker. Null if the worker does
 * not answer.
 */
export async function holdWorker(socketPath: string): Promise<ProcessIdentity | null> {
  const socket = await dial(socketPath);
  if (socket === null) return null;
  try {
    const child = spawn('cat', [], { cwd: '/', detached: true, stdio: [socket, 'ignore', 'ignore'] });
    child.on('error', () => undefined);
    child.unref();
    return child.pid === undefined ? null : identify(child.pid);
  } finally {
    socket.destroy();
  }
}

/** Lets go; does nothing if it has ended. */
export function releaseHolder(holder: ProcessIdentity | null): void {
  if (holder !== null) signal(holder, 'SIGKILL');
}

function dial(path: string): Promise<Socket | null> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('error', () => resolve(null));
    // What is written makes it a session; a bare connection would not count yet.
    socket.once('connect', () => socket.write('prompt\n', () => resolve(socket)));
  });
}
