import type { MemberSpec, MonitorSpec, PersistenceSpec, PoolSpec } from '../../protocol/spec';
import { poolTlsFaults } from './admitTls';
import { whyUdpMonitorCannotBeRun, whyUdpPersistenceCannotBe } from './admitUdp';
import { isAddress, isUsableId } from './admitValue';
import { type Fault, fault } from './fault';

const CARRIED = ['TCP', 'HTTP', 'HTTPS', 'PROXY', 'PROXYV2', 'UDP'];
const CHECKED = ['HTTP', 'HTTPS', 'TCP', 'TLS-HELLO', 'PING', 'UDP-CONNECT'];
/** RFC 9110 tokens: what a cookie name and a method are made of. */
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;
const PATH = /^\/[\u0021-\u007e]*$/;
const CODES = /^\d{3}(?:-\d{3})?(?:,\d{3}(?:-\d{3})?)*$/;
const HOST_NAME = /^[A-Za-z0-9._-]{1,253}$/;

/** The pool less what cannot be said to haproxy, and the faults of it and its members. */
export function admitPool(pool: PoolSpec): { pool: PoolSpec; faults: Fault[] } {
  const reason = whyPoolCannotBeCarried(pool);
  if (reason !== null) return { pool, faults: [fault('pool', pool.id, reason)] };

  const persistence = pool.persistence === null ? null : whyPersistenceCannotBe(pool, pool.persistence);
  const faults = [
    ...(persistence === null ? [] : [degraded(pool.id, `${persistence}; it serves without persistence`)]),
    ...poolTlsFaults(pool),
    ...monitorFaults(pool),
    ...memberFaults(pool.members),
  ];
  return { pool: persistence === null ? pool : { ...pool, persistence: null }, faults };
}

function degraded(poolId: string, reason: string): Fault {
  return { ...fault('pool', poolId, reason), effect: 'degraded' };
}

function whyPoolCannotBeCarried(pool: PoolSpec): string | null {
  if (!isUsableId(pool.id)) return 'its id has characters an engine cannot use';
  return CARRIED.includes(pool.protocol) ? null : `this engine does not carry pools of protocol ${pool.protocol}`;
}

function whyPersistenceCannotBe({ protocol }: PoolSpec, persistence: PersistenceSpec): string | null {
  if (protocol === 'UDP') return whyUdpPersistenceCannotBe(persistence);
  if (persistence.type !== 'APP_COOKIE') return null;
  return TOKEN.test(persistence.cookieName ?? '') ? null : 'its cookie name is not a token of RFC 9110';
}

function monitorFaults({ protocol, monitor }: PoolSpec): Fault[] {
  if (monitor === null) return [];
  const reason = whyMonitorCannotBeRun(monitor) ?? whyMonitorDoesNotFit(protocol, monitor);
  return reason === null ? [] : [fault('healthmonitor', monitor.id, reason)];
}

function whyMonitorCannotBeRun(monitor: MonitorSpec): string | null {
  if (!CHECKED.includes(monitor.type)) return `this engine does not run monitors of type ${monitor.type}`;
  if (monitor.type !== 'HTTP' && monitor.type !== 'HTTPS') return null;
  if (monitor.httpMethod !== null && !TOKEN.test(monitor.httpMethod)) return 'its HTTP method is not a token';
  if (monitor.urlPath !== null && !PATH.test(monitor.urlPath)) return 'its URL path is not a path of printable ASCII';
  if (monitor.expectedCodes !== null && !CODES.test(monitor.expectedCodes)) return 'its expected codes are not codes';
  if (monitor.domainName !== null && !HOST_NAME.test(monitor.domainName)) return 'its domain name is not a host name';
  return null;
}

function whyMonitorDoesNotFit(protocol: PoolSpec['protocol'], monitor: MonitorSpec): string | null {
  if (protocol === 'UDP') return whyUdpMonitorCannotBeRun(monitor);
  return monitor.type === 'UDP-CONNECT' ? `monitors of type UDP-CONNECT are for UDP pools` : null;
}

function memberFaults(members: readonly MemberSpec[]): Fault[] {
  const seen = new Set<string>();
  return members.flatMap((member) => {
    const reason = whyMemberCannotBe(member) ?? (seen.has(member.id) ? 'it is named twice' : null);
    seen.add(member.id);
    return reason === null ? [] : [fault('member', member.id, reason)];
  });
}

function whyMemberCannotBe(member: MemberSpec): string | null {
  if (!isUsableId(member.id)) return 'its id has characters an engine cannot use';
  if (!isAddress(member.address)) return `its address ${JSON.stringify(member.address)} is not an IP address`;
  if (member.monitorAddress === null || isAddress(member.monitorAddress)) return null;
  return `its monitor address ${JSON.stringify(member.monitorAddress)} is not an IP address`;
}
