import { isAbsolute } from 'node:path';
import type { ListenerSpec, LoadBalancerSpec } from '../../protocol/spec';
import { isAddress } from './admitValue';
import { type Fault, fault } from './fault';
import type { Frontend, Layout } from './layout';
import { fixed, heading, type Line, line, type ObjectRef, quote, type Word } from './words';

/** Where lines go: to a syslog server, or by way of the agent to a file. */
export type LogTarget =
  | { readonly kind: 'syslog'; readonly address: string; readonly port: number }
  | { readonly kind: 'file'; readonly path: string };

/** The ring that holds lines while the agent, which writes them to files, is away. */
const RING = 'lines';
/** Bytes of a line at most; the values of a request are cut so that none is longer. */
const LONGEST_LINE = 32_768;
const RING_SIZE = 1_048_576;

/** Null for what is neither an address with a port nor an absolute path. */
export function parseLogTarget(target: string): LogTarget | null {
  if (isAbsolute(target)) return { kind: 'file', path: target };
  const [, six, four, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(target) ?? [];
  const address = six ?? four ?? '';
  const number = Number(port);
  if (!isAddress(address) || !(number >= 1 && number <= 65_535)) return null;
  return { kind: 'syslog', address, port: number };
}

/** A listener whose lines can go nowhere serves all the same. */
export function logFaults(listener: ListenerSpec): Fault[] {
  if (listener.log === null || parseLogTarget(listener.log.target) !== null) return [];
  const reason = `its log target ${JSON.stringify(listener.log.target)} is neither an address with a port nor a path`;
  return [{ ...fault('listener', listener.id, reason), effect: 'degraded' }];
}

/**
 * Whether the agent takes the lines and passes them on: to files, which are opened anew each time, and to all targets when
 * haproxy runs in a namespace, from which a syslog server of the operator's is not to be reached.
 */
function goesByAgent(target: LogTarget, domainId: string | null): boolean {
  return target.kind === 'file' || domainId !== null;
}

/** One JSON line a connection, or a request of HTTP. What clients have written is escaped by haproxy's own converter. */
export function logLines(
  { listener, mode }: Frontend,
  { id: loadBalancerId, domainId }: Pick<LoadBalancerSpec, 'id' | 'domainId'>,
): Line[] {
  const target = listener.log === null ? null : parseLogTarget(listener.log.target);
  if (target === null) return [];
  const owner: ObjectRef = { kind: 'listener', id: listener.id };
  const put = (...words: Word[]) => line(owner, ...words);
  return [
    target.kind === 'file' || goesByAgent(target, domainId)
      ? put(fixed(`log ring@${RING} len ${LONGEST_LINE} format raw local0`))
      : put(fixed('log'), quote(socketOf(target)), fixed(`len ${LONGEST_LINE} format rfc5424 local0`)),
    ...(mode === 'http'
      ? [...REQUEST_VALUES].map(([name, { fetch }]) => put(fixed(`http-request set-var(txn.log_${name}) ${fetch}`)))
      : []),
    put(fixed('log-format'), quote(`{${fieldsOf(listener, mode, loadBalancerId).join(',')}}`)),
  ];
}

/** The ring, if lines of any listener go by the agent. */
export function ringLines({ frontends, spec }: Layout, logSocket: string | undefined): Line[] {
  const targets = frontends.flatMap(({ listener }) => parseLogTarget(listener.log?.target ?? '') ?? []);
  if (!targets.some((target) => goesByAgent(target, spec.domainId)) || logSocket === undefined) return [];
  return [
    heading(null, fixed(`ring ${RING}`)),
    line(null, fixed(`format raw`)),
    line(null, fixed(`maxlen ${LONGEST_LINE}`)),
    line(null, fixed(`size ${RING_SIZE}`)),
    line(null, fixed('timeout connect 5s')),
    line(null, fixed('timeout server 10s')),
    line(null, fixed('server agent'), quote(`unix@${logSocket}`), fixed('log-proto octet-count')),
  ];
}

function socketOf({ address, port }: { readonly address: string; readonly port: number }): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Cut to so many bytes, of which JSON may make six times as many. */
const REQUEST_VALUES: ReadonlyMap<string, { readonly fetch: string; readonly longest: number }> = new Map([
  ['method', { fetch: 'method', longest: 32 }],
  ['uri', { fetch: 'url', longest: 2048 }],
  ['host', { fetch: 'req.hdr(host)', longest: 256 }],
  ['user_agent', { fetch: 'req.hdr(user-agent)', longest: 512 }],
]);

/** haproxy's configuration manual, section 8.2.6, says what each of these is. */
function fieldsOf({ id, protocol }: ListenerSpec, mode: Frontend['mode'], loadBalancerId: string): string[] {
  const requests = [...REQUEST_VALUES].map(
    ([name, { longest }]) => `"${name}":"%[var(txn.log_${name}),bytes(0,${longest}),json(utf8s)]"`,
  );
  return [
    `"time":%Ts.%ms,"load_balancer":"${loadBalancerId}","listener":"${id}"`,
    '"client":"%ci","client_port":%cp,"vip":"%fi","vip_port":%fp',
    '"pool":"%b","member":"%s","termination":"%ts","duration_ms":%Tt,"bytes_in":%U,"bytes_out":%B',
    ...(mode === 'http' ? [...requests, '"status":%ST'] : []),
    ...(protocol === 'TERMINATED_HTTPS' ? ['"tls_version":"%sslv","tls_cipher":"%sslc"'] : []),
  ];
}
