import type { ListenerSpec, PersistenceSpec, PoolSpec } from '../../protocol/spec';
import { socketAddress } from '../haproxy/layout';
import { timeoutsOf } from '../haproxy/timeouts';
import type { Balance, UdpLayout } from '../udp/layout';
import { balancedWeights } from './balancedWeights';
import { type SourceKey, sourceKey, WHOLE_ADDRESS } from './sourceKey';
import { block, directive, fixed, type Line, type ObjectRef, path, value } from './words';

/** What an nginx is told besides its load balancer. */
export interface NginxSettings {
  /** The file of the stream module; null if it is built in. */
  readonly streamModule: string | null;
  /** Who its processes run as; null for who starts it. Only the superuser may say so. */
  readonly user: string | null;
  readonly pidFile: string;
  readonly errorLog: string;
  /** A line for each session that has ended: `SESSION_LINE`. */
  readonly sessionLog: string;
  /** Sessions at a time, of all listeners. */
  readonly maxSessions: number;
  /** Files a worker may open. */
  readonly maxFiles: number;
}

export interface RenderedNginx {
  readonly text: string;
  /** The owner of each line, by line number less one. */
  readonly owners: readonly (ObjectRef | null)[];
}

/** nginx gives this status to a session that was turned away: by its source address, or since there were too many. */
export const TURNED_AWAY = ['403', '503'];
/**
 * What follows the listener's id in a line of the session log: how it ended, what the client has sent and got; when that
 * was and how long it took (seconds), both ends of it, and the member.
 */
const SESSION_LINE =
  '$status $bytes_received $bytes_sent $msec $session_time $remote_addr $remote_port $server_addr $server_port $upstream_addr';
/** The longest datagram there is takes 65,507 bytes. */
const DATAGRAM_BUFFER = '64k';

/**
 * The whole nginx.conf of a load balancer's UDP listeners. A listener with nobody to serve it is not in it: its port is
 * closed, and clients are told so. One worker, so that all datagrams of a client belong to one session, and weights are
 * kept exactly. Pure: equal arguments give equal text.
 */
export function renderNginx(layout: UdpLayout, balances: readonly Balance[], settings: NginxSettings): RenderedNginx {
  const served = balances.filter(({ members }) => members.length > 0);
  const upstreams = new Map(served.map((balance, index) => [balance.pool.id, { ...balance, name: `pool-${index}` }]));
  const stream = [
    ...[...upstreams.values()].flatMap(upstreamLines),
    ...layout.frontends.flatMap(({ listener, pool }, index) => {
      const upstream = upstreams.get(pool?.id ?? '');
      return upstream === undefined
        ? []
        : serverLines(listener, layout.vips, { index, upstream: upstream.name, settings });
    }),
  ];
  const lines = [...mainLines(settings), ...block(null, [fixed('stream')], stream)];
  return { text: lines.map(({ text }) => `${text}\n`).join(''), owners: lines.map(({ owner }) => owner) };
}

function mainLines(settings: NginxSettings): Line[] {
  const put = (text: string, ...words: Parameters<typeof directive>[1][]) => directive(null, fixed(text), ...words);
  return [
    ...(settings.streamModule === null ? [] : [put('load_module', path(settings.streamModule))]),
    ...(settings.user === null ? [] : [put('user', value(settings.user), value(settings.user))]),
    put('daemon off'),
    put('worker_processes 1'),
    put(`worker_rlimit_nofile ${settings.maxFiles}`),
    // Sessions that are left when it is told to go are ended, and logged, at once.
    put('worker_shutdown_timeout 50ms'),
    put('pid', path(settings.pidFile)),
    // Of refused datagrams it would tell at level `error`, one by one.
    put('error_log', path(settings.errorLog), fixed('crit')),
    // Two connections a session, as nginx counts, and a few for listening.
    ...block(null, [fixed('events')], [put(`worker_connections ${2 * settings.maxSessions + 512}`)]),
  ];
}

function upstreamLines({ pool, members, name }: Balance & { name: string }): Line[] {
  const owner: ObjectRef = { kind: 'pool', id: pool.id };
  const { maps, method } = methodOf(pool, name.replace('-', '_'));
  const weights = balancedWeights(pool.members, method?.startsWith('hash') ?? false);
  return [
    ...maps,
    ...block(
      owner,
      [fixed('upstream'), fixed(name)],
      [
        ...(method === null ? [] : [directive(owner, fixed(method))]),
        ...members.map((member) =>
          directive(
            { kind: 'member', id: member.id },
            fixed('server'),
            value(socketAddress(member.address, member.port)),
            // Who is down is known from checks.
            fixed(`weight=${weights.get(member.id) ?? 1} max_fails=0`),
          ),
        ),
      ],
    ),
  ];
}

/** Persistence comes first; hashes are consistent, so that engines agree and a change moves as few clients as it can. */
function methodOf(pool: PoolSpec, prefix: string): { maps: readonly Line[]; method: string | null } {
  const hash = ({ text, maps }: SourceKey) => ({ maps, method: `hash "${text}" consistent` });
  if (pool.persistence?.type === 'SOURCE_IP') return hash(persistenceKey(pool, prefix, pool.persistence));
  switch (pool.algorithm) {
    case 'SOURCE_IP':
      return hash(WHOLE_ADDRESS);
    case 'SOURCE_IP_PORT':
      return hash({ text: '$remote_addr:$remote_port', maps: [] });
    case 'LEAST_CONNECTIONS':
      return { maps: [], method: 'least_conn' };
    case 'ROUND_ROBIN':
      return { maps: [], method: null };
  }
}

function persistenceKey({ id }: PoolSpec, prefix: string, { granularity }: PersistenceSpec): SourceKey {
  return granularity === null ? WHOLE_ADDRESS : sourceKey({ kind: 'pool', id }, prefix, granularity);
}

interface ServerContext {
  readonly index: number;
  readonly upstream: string;
  readonly settings: NginxSettings;
}

function serverLines(listener: ListenerSpec, vips: readonly string[], context: ServerContext): Line[] {
  const { index, upstream, settings } = context;
  const owner: ObjectRef = { kind: 'listener', id: listener.id };
  const put = (...words: Parameters<typeof directive>[1][]) => directive(owner, ...words);
  const limited = listener.connectionLimit > 0;
  return [
    put(fixed(`log_format log-${index}`), value(listener.id), fixed(`' ${SESSION_LINE}'`)),
    ...(limited ? [put(fixed(`limit_conn_zone $server_port zone=limit-${index}:64k`))] : []),
    ...block(
      owner,
      [fixed('server')],
      [
        ...vips.map((vip) => put(fixed('listen'), value(socketAddress(vip, listener.port)), fixed('udp rcvbuf=2m'))),
        put(fixed('access_log'), path(settings.sessionLog), fixed(`log-${index}`)),
        ...listener.allowedCidrs.map((cidr) => put(fixed('allow'), value(cidr))),
        ...(listener.allowedCidrs.length === 0 ? [] : [put(fixed('deny all'))]),
        ...(limited ? [put(fixed(`limit_conn limit-${index} ${listener.connectionLimit}`))] : []),
        put(fixed(`proxy_timeout ${timeoutsOf(listener).clientData}ms`)),
        put(fixed(`proxy_buffer_size ${DATAGRAM_BUFFER}`)),
        put(fixed('proxy_pass'), fixed(upstream)),
      ],
    ),
  ];
}
