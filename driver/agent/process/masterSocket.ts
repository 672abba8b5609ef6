import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicNow } from './monotonic';
import type { RuntimeSocket } from './runtimeSocket';

const PATIENCE = 10_000;

/**
 * The way to a worker that listens on no socket of its own any more: the master passes commands on. Each takes a
 * connection; there is none to be lost, so `ended` resolves at `close` only.
 */
export function openThroughMaster(masterSocket: string, pid: number): RuntimeSocket {
  let close: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    close = resolve;
  });
  return {
    async run(commands) {
      const answers: string[] = [];
      for (const command of commands) answers.push(await ask(masterSocket, `@!${pid} ${command}`));
      return answers;
    },
    close: () => close(),
    ended,
  };
}

/**
 * Waits until a master takes commands, or `isGone`. Before that, which is some milliseconds after its first worker answers
 * and after each reload, it loses the signals that are sent to it (haproxy 2.6).
 */
export async function waitForMaster(masterSocket: string, isGone: () => boolean): Promise<void> {
  const deadline = monotonicNow() + PATIENCE;
  while (!isGone() && monotonicNow() < deadline) {
    const answer = await ask(masterSocket, 'show proc').catch(() => '');
    if (answer !== '') return;
    await sleep(2);
  }
}

/** Ends its side at once: else the master keeps the connection open after the answer (haproxy 2.6, after a reload). */
function ask(path: string, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(path);
    socket.setEncoding('utf8');
    socket.setTimeout(PATIENCE, () => socket.destroy(new Error('the master does not answer on its socket')));
    socket.on('data', (chunk: string) => {
      answer += chunk;
    });
    socket.once('error', reject);
    socket.once('end', () => {
      if (answer.startsWith("Can't find the target")) reject(new Error('the worker has ended'));
      else resolve(answer.trim());
    });
    socket.end(`${command}\n`);
  });
}
