import { spawn } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { identify, type ProcessIdentity, signal } from './identity';

/** Seconds; longer than haproxy lets an old worker live. */
const LONGEST_HOLD = 4000;

/**
 * Keeps a worker that is about to retire from ending before its counters have been read, also when this agent ends: a
 * worker waits for its runtime connections, and a sleeping process of its own holds one. Null if the worker does not
 * answer.
 */
export async function holdWorker(socketPath: string): Promise<ProcessIdentity | null> {
  const socket = await dial(socketPath);
  if (socket === null) return null;
  try {
    // Not as one of the first three files: those would be made blocking, and with them the end that is ours.
    const child = spawn('sleep', [String(LONGEST_HOLD)], {
      cwd: '/',
      detached: true,
      stdio: ['ignore', 'ignore', 'ignore', socket],
    });
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
