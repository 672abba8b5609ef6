import { createSocket } from 'node:dgram';
import { appendFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { hostname } from 'node:os';
import type { LogTarget } from '../haproxy/log';

/** RFC 5424: facility `local0`, severity `informational`. */
const PRIORITY = 16 * 8 + 6;

/** Appends lines to a file, or sends each to a syslog server as the program's. Rejects with what the system says. */
export async function deliver(target: LogTarget, lines: readonly string[], program: string): Promise<void> {
  if (target.kind === 'file') {
    await appendFile(target.path, lines.map((line) => `${line}\n`).join(''), { mode: 0o640 });
    return;
  }
  const socket = createSocket(isIPv6(target.address) ? 'udp6' : 'udp4');
  // Of datagrams that nobody takes the system tells this socket.
  socket.on('error', () => undefined);
  try {
    for (const line of lines) await send(socket, frame(line, program), target);
  } finally {
    socket.close();
  }
}

function frame(line: string, program: string): string {
  return `<${PRIORITY}>1 ${new Date().toISOString()} ${hostname()} ${program} - - - ${line}`;
}

function send(
  socket: ReturnType<typeof createSocket>,
  text: string,
  { port, address }: { readonly port: number; readonly address: string },
): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.send(text, port, address, (error) => (error ? reject(error) : resolve()));
  });
}
