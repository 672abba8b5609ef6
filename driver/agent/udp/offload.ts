import { createSocket } from 'node:dgram';
import { appendFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { hostname } from 'node:os';
import { socketAddress } from '../haproxy/layout';
import { type LogTarget, parseLogTarget } from '../haproxy/log';
import type { Session } from './sessionLog';
import type { UdpUnit } from './unit';

/** RFC 5424: facility `local0`, severity `informational`. */
const PRIORITY = 16 * 8 + 6;

/**
 * Sends a line for each session to where its listener's lines go. The lines come out of nginx's own log, which waits on
 * disk while the agent is away; after the agent was killed the last of them may come twice.
 */
export async function offloadSessions(unit: UdpUnit, sessions: readonly Session[]): Promise<void> {
  const lines = new Map<string, string[]>();
  for (const session of sessions) {
    const frontend = unit.layout?.frontends.find(({ listener }) => listener.id === session.listenerId);
    const target = frontend?.listener.log?.target;
    if (target === undefined || session.ends === null) continue;
    lines.set(target, [...(lines.get(target) ?? []), describeSession(unit, session, session.ends)]);
  }
  for (const [text, texts] of lines) {
    const target = parseLogTarget(text);
    if (target === null) continue;
    await deliver(target, texts).catch((err: unknown) =>
      unit.deps.log.warn({ loadBalancer: unit.id, err, target: text }, 'sessions could not be logged'),
    );
  }
}

/** The fields of the lines that haproxy writes, as far as UDP has them. */
function describeSession(unit: UdpUnit, session: Session, ends: NonNullable<Session['ends']>): string {
  const pool = unit.layout?.frontends.find(({ listener }) => listener.id === session.listenerId)?.pool;
  const member = pool?.members.find(({ address, port }) => socketAddress(address, port) === ends.member);
  return JSON.stringify({
    time: ends.time,
    load_balancer: unit.id,
    listener: session.listenerId,
    client: ends.client,
    client_port: ends.clientPort,
    vip: ends.vip,
    vip_port: ends.vipPort,
    pool: pool?.id ?? '',
    member: member?.id ?? '<NOSRV>',
    termination: ends.status === '200' ? '--' : ends.status,
    duration_ms: ends.duration,
    bytes_in: Number(session.bytesIn),
    bytes_out: Number(session.bytesOut),
  });
}

async function deliver(target: LogTarget, lines: readonly string[]): Promise<void> {
  if (target.kind === 'file') {
    await appendFile(target.path, lines.map((line) => `${line}\n`).join(''), { mode: 0o640 });
    return;
  }
  const socket = createSocket(isIPv6(target.address) ? 'udp6' : 'udp4');
  // Of datagrams that nobody takes the system tells this socket.
  socket.on('error', () => undefined);
  try {
    for (const line of lines) await send(socket, frame(line), target);
  } finally {
    socket.close();
  }
}

function frame(line: string): string {
  return `<${PRIORITY}>1 ${new Date().toISOString()} ${hostname()} nginx - - - ${line}`;
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
