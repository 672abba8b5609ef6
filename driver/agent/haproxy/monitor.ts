import type { MonitorSpec } from '../../protocol/spec';
import { fixed, type Line, line, type ObjectRef, quote, quoteForLogFormat, type Word } from './words';

/** haproxy refuses an interval of 0; Octavia accepts a delay of 0. */
const SHORTEST = 1;

/** True if haproxy itself runs this monitor's checks; a PING is run by the agent. */
export function isCheckedByHaproxy(monitor: MonitorSpec | null): monitor is MonitorSpec {
  return monitor !== null && monitor.type !== 'PING';
}

/** Milliseconds between two checks. */
export function checkInterval(monitor: MonitorSpec): number {
  return Math.max(SHORTEST, monitor.delay) * 1000;
}

/** What the backend says about its checks; the rest is on its servers (`checkWords`). */
export function monitorLines(monitor: MonitorSpec, overTls = false): Line[] {
  const owner: ObjectRef = { kind: 'healthmonitor', id: monitor.id };
  const put = (...words: Word[]) => line(owner, ...words);
  const timeout = put(fixed(`timeout check ${Math.max(SHORTEST, monitor.timeout) * 1000}ms`));
  // Over TLS the check is the handshake itself.
  if (monitor.type === 'TLS-HELLO' && !overTls) return [timeout, put(fixed('option ssl-hello-chk'))];
  if (monitor.type !== 'HTTP' && monitor.type !== 'HTTPS') return [timeout];
  return [
    timeout,
    put(fixed('option httpchk')),
    put(...requestWords(monitor)),
    put(fixed('http-check expect status'), quote(monitor.expectedCodes ?? '200')),
  ];
}

function requestWords(monitor: MonitorSpec): Word[] {
  return [
    fixed('http-check send meth'),
    quote(monitor.httpMethod ?? 'GET'),
    fixed('uri'),
    quote(monitor.urlPath ?? '/'),
    ...(monitor.httpVersion === 1.1 ? [fixed('ver HTTP/1.1'), fixed('hdr Host'), hostOf(monitor)] : []),
  ];
}

/** HTTP/1.1 servers answer 400 to a request that names no host, and haproxy adds none. */
function hostOf({ domainName }: MonitorSpec): Word {
  return quoteForLogFormat(domainName ?? 'localhost');
}

/**
 * What a server says about its checks. `interval` in milliseconds; `overTls`: its members are spoken to over TLS, and
 * what that takes is said already for traffic and checks alike.
 */
export function checkWords(monitor: MonitorSpec, interval: number, overTls = false): Word[] {
  return [
    fixed(`check inter ${interval}ms fall ${monitor.fallThreshold} rise ${monitor.riseThreshold}`),
    ...(monitor.type === 'HTTPS' && !overTls ? [fixed('check-ssl verify none')] : []),
    ...(monitor.type === 'HTTPS' && monitor.domainName !== null ? [fixed('check-sni'), quote(monitor.domainName)] : []),
  ];
}
