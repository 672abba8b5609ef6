import { socketAddress } from '../haproxy/layout';
import { parseLogTarget } from '../haproxy/log';
import { deliver } from '../serve/deliver';
import type { Session } from './sessionLog';
import type { UdpUnit } from './unit';

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
    await deliver(target, texts, 'nginx').catch((err: unknown) =>
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
