import type { ListenerSpec } from '../../protocol/spec';
import type { Frontend } from './layout';
import { socketAddress } from './layout';
import { fixed, heading, integer, type Line, line, milliseconds, type ObjectRef, quote, type Word } from './words';

/** How each of Octavia's insertable headers is written. X-Forwarded-For appends, as Octavia's does; the others replace. */
const HEADERS: Readonly<Record<string, readonly Word[]>> = {
  'X-Forwarded-For': [fixed('option forwardfor')],
  'X-Forwarded-Port': [fixed('http-request set-header X-Forwarded-Port %[dst_port]')],
  'X-Forwarded-Proto': [fixed('http-request set-header X-Forwarded-Proto http')],
  'X-Forwarded-IP': [fixed('http-request set-header X-Forwarded-IP %[src]')],
  'X-Client-IP': [fixed('http-request set-header X-Client-IP %[src]')],
  'X-Real-IP': [fixed('http-request set-header X-Real-IP %[src]')],
};

/** The section of one listener on all VIPs. Without a backend HTTP answers 503 and TCP connections are refused. */
export function frontendLines(frontend: Frontend, vips: readonly string[]): Line[] {
  const { listener, mode, backend } = frontend;
  const owner: ObjectRef = { kind: 'listener', id: listener.id };
  const put = (...words: Word[]) => line(owner, ...words);
  return [
    heading(owner, fixed('frontend'), quote(listener.id)),
    put(fixed(`mode ${mode}`)),
    ...vips.map((vip) => put(fixed('bind'), quote(socketAddress(vip, listener.port)))),
    ...(listener.connectionLimit > 0 ? [put(fixed('maxconn'), integer(listener.connectionLimit))] : []),
    put(fixed('timeout client'), milliseconds(listener.timeoutClientData)),
    ...admissionLines(listener, owner),
    ...(listener.timeoutTcpInspect > 0
      ? [put(fixed('tcp-request inspect-delay'), milliseconds(listener.timeoutTcpInspect))]
      : []),
    // Else a reload closes idle client connections under requests that are on their way.
    ...(mode === 'http' ? [put(fixed('option idle-close-on-response')), ...headerLines(listener, owner)] : []),
    ...backendChoice(backend, mode === 'tcp').map((words) => put(...words)),
  ];
}

function admissionLines(listener: ListenerSpec, owner: ObjectRef): Line[] {
  if (listener.allowedCidrs.length === 0) return [];
  return [
    ...listener.allowedCidrs.map((cidr) => line(owner, fixed('acl allowed src'), quote(cidr))),
    line(owner, fixed('tcp-request connection reject unless allowed')),
  ];
}

function headerLines(listener: ListenerSpec, owner: ObjectRef): Line[] {
  return Object.entries(HEADERS)
    .filter(([name]) => listener.insertHeaders[name]?.toLowerCase() === 'true')
    .map(([, words]) => line(owner, ...words));
}

function backendChoice(backend: string | null, refuse: boolean): Word[][] {
  if (backend !== null) return [[fixed('default_backend'), quote(backend)]];
  return refuse ? [[fixed('tcp-request connection reject')]] : [];
}
