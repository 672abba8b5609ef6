import type { ListenerSpec, LoadBalancerSpec } from '../../protocol/spec';
import { headerLines } from './headers';
import { choiceLines, policyLines } from './l7';
import type { Frontend } from './layout';
import { socketAddress } from './layout';
import { logLines } from './log';
import { isPrometheus, prometheusLines } from './prometheus';
import { timeoutsOf } from './timeouts';
import { bindTlsWords, tlsLines } from './tls';
import { fixed, heading, integer, type Line, line, milliseconds, type ObjectRef, quote, type Word } from './words';

/** The section of one listener on all VIPs. Without a backend HTTP answers 503 and TCP connections are refused. */
export function frontendLines(frontend: Frontend, spec: LoadBalancerSpec): Line[] {
  const { id, vips } = spec;
  const { listener, mode } = frontend;
  const owner: ObjectRef = { kind: 'listener', id: listener.id };
  const put = (...words: Word[]) => line(owner, ...words);
  return [
    heading(owner, fixed('frontend'), quote(listener.id)),
    put(fixed(`mode ${mode}`)),
    ...vips.map((vip) => put(fixed('bind'), quote(socketAddress(vip, listener.port)), ...bindTlsWords(listener))),
    ...(listener.connectionLimit > 0 ? [put(fixed('maxconn'), integer(listener.connectionLimit))] : []),
    ...logLines(frontend, spec),
    put(fixed('timeout client'), milliseconds(timeoutsOf(listener).clientData)),
    ...admissionLines(listener, owner),
    ...tlsLines(listener),
    ...(listener.timeoutTcpInspect > 0
      ? [put(fixed('tcp-request inspect-delay'), milliseconds(listener.timeoutTcpInspect))]
      : []),
    // Else a reload closes idle client connections under requests that are on their way.
    ...(mode === 'http' ? [put(fixed('option idle-close-on-response'))] : []),
    ...(isPrometheus(listener) ? prometheusLines(listener, id) : trafficLines(frontend, owner)),
  ];
}

function trafficLines(frontend: Frontend, owner: ObjectRef): Line[] {
  const { backend, mode } = frontend;
  return [
    ...(mode === 'http' ? requestLines(frontend) : []),
    ...backendChoice(backend, mode === 'tcp').map((words) => line(owner, ...words)),
  ];
}

/** What happens to a request on its way to a backend, in this order. */
function requestLines(frontend: Frontend): Line[] {
  return [...policyLines(frontend), ...headerLines(frontend.listener), ...choiceLines(frontend)];
}

function admissionLines(listener: ListenerSpec, owner: ObjectRef): Line[] {
  if (listener.allowedCidrs.length === 0) return [];
  return [
    ...listener.allowedCidrs.map((cidr) => line(owner, fixed('acl allowed src'), quote(cidr))),
    line(owner, fixed('tcp-request connection reject unless allowed')),
  ];
}

function backendChoice(backend: string | null, refuse: boolean): Word[][] {
  if (backend !== null) return [[fixed('default_backend'), quote(backend)]];
  return refuse ? [[fixed('tcp-request connection reject')]] : [];
}
