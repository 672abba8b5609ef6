import type { ListenerSpec } from '../../protocol/spec';
import type { Layout } from './layout';
import { fixed, heading, type Line, line, type ObjectRef, quote } from './words';

/** The section that passes requests for metrics to the agent. No id of a pool has a colon. */
const METRICS = ':metrics';

export function isPrometheus({ protocol }: ListenerSpec): boolean {
  return protocol === 'PROMETHEUS';
}

/** What a PROMETHEUS listener does with requests: /metrics goes to the agent, nothing else is there. */
export function prometheusLines(listener: ListenerSpec, loadBalancerId: string): Line[] {
  const owner: ObjectRef = { kind: 'listener', id: listener.id };
  return [
    line(owner, fixed('http-request return status 404 unless { path /metrics }')),
    line(owner, fixed('http-request deny deny_status 405 unless METH_GET')),
    line(owner, fixed('http-request set-path'), quote(`/${loadBalancerId}`)),
    line(owner, fixed('default_backend'), quote(METRICS)),
  ];
}

/** The way to the agent. While it is away 503 is answered. */
export function metricsLines({ frontends }: Layout, metricsSocket: string | undefined): Line[] {
  if (metricsSocket === undefined || !frontends.some(({ listener }) => isPrometheus(listener))) return [];
  return [
    heading(null, fixed('backend'), quote(METRICS)),
    line(null, fixed('mode http')),
    line(null, fixed('timeout connect 5s')),
    line(null, fixed('timeout server 30s')),
    line(null, fixed('server agent'), quote(`unix@${metricsSocket}`)),
  ];
}
