import { spawn } from 'node:child_process';
import { Socket } from 'node:dgram';
import { enter } from '../process/enter';

/** A process cannot leave its namespace, but a socket can be made in another one and handed over. */
const SCRIPT = `const socket = require('node:dgram').createSocket({ type: process.argv[1], reuseAddr: true });
socket.once('error', (error) => process.send({ problem: error.message }, () => process.exit(1)));
socket.bind(Number(process.argv[3]), process.argv[2], () => process.send({}, socket, () => process.exit(0)));`;

/** Milliseconds. */
const LONGEST = 10_000;

/** A UDP socket of a network namespace, bound to one of its addresses. Rejects when that cannot be. */
export function openSocket(namespace: string, address: string, port: number): Promise<Socket> {
  const type = address.includes(':') ? 'udp6' : 'udp4';
  const { file, words } = enter(namespace, process.execPath, ['-e', SCRIPT, type, address, String(port)]);
  const child = spawn(file, words, { stdio: ['ignore', 'ignore', 'ignore', 'ipc'], timeout: LONGEST });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`no socket at ${address} port ${port}`)));
    child.once('message', (message, socket) => {
      if (socket instanceof Socket) resolve(socket);
      else reject(new Error(problemIn(message)));
    });
  });
}

function problemIn(message: unknown): string {
  return typeof message === 'object' && message !== null && 'problem' in message
    ? String(message.problem)
    : 'no socket';
}
