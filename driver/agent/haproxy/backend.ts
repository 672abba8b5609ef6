import { createHash } from 'node:crypto';
import type { PoolSpec } from '../../protocol/spec';
import type { Backend } from './layout';
import { isCheckedByHaproxy, monitorLines } from './monitor';
import { retryLines } from './retries';
import { serverLine } from './server';
import { fixed, heading, type Line, line, milliseconds, type ObjectRef, quote, sample, type Word } from './words';

/** The peers section stick tables are kept in over a reload. */
export const PEERS = 'engines';

/** True if the backend keeps a table of cookies. */
export function keepsTable(backend: Backend): boolean {
  return backend.mode === 'http' && backend.pool.persistence?.type === 'APP_COOKIE';
}

/** The section of a backend without its members. */
export function backendLines(backend: Backend): Line[] {
  const { pool, mode } = backend;
  const owner: ObjectRef = { kind: 'pool', id: pool.id };
  const put = (...words: Word[]) => line(owner, ...words);
  return [
    heading(owner, fixed('backend'), quote(backend.name)),
    put(fixed(`mode ${mode}`)),
    ...balanceLines(backend).map((words) => put(...words)),
    put(fixed('option allbackups')),
    put(fixed('timeout connect'), milliseconds(backend.connectTimeout)),
    put(fixed('timeout server'), milliseconds(backend.dataTimeout)),
    ...(mode === 'http' ? retryLines() : []).map((words) => put(...words)),
    ...persistenceLines(backend).map((words) => put(...words)),
    ...(isCheckedByHaproxy(pool.monitor) ? monitorLines(pool.monitor, pool.tls !== null) : []),
  ];
}

/** The members of a backend, in the order of the spec. */
export function serverLines(backend: Backend): Line[] {
  return backend.pool.members.map((member) => serverLine(backend, member));
}

/**
 * Consistent hashing throughout: the other kind refuses members added at run time (haproxy 2.6). Persistence by source
 * address is the same hash, so that engines agree without talking to each other.
 */
function balanceLines({ pool, mode }: Backend): Word[][] {
  const consistent = [fixed('hash-type consistent sdbm avalanche')];
  if (pool.algorithm === 'SOURCE_IP_PORT') {
    const rule = mode === 'http' ? 'http-request' : 'tcp-request content';
    return [
      [fixed(`${rule} set-var-fmt(txn.source) %[src]:%[src_port]`)],
      [fixed('balance hash var(txn.source)')],
      consistent,
    ];
  }
  if (pool.algorithm === 'SOURCE_IP' || pool.persistence?.type === 'SOURCE_IP') {
    return [[fixed('balance source')], consistent];
  }
  return [[fixed(pool.algorithm === 'LEAST_CONNECTIONS' ? 'balance leastconn' : 'balance roundrobin')]];
}

function persistenceLines(backend: Backend): Word[][] {
  const { pool, mode } = backend;
  const { persistence } = pool;
  if (mode !== 'http' || persistence === null) return [];
  const key = cookieKeyOf(backend);
  if (key !== null) {
    return [
      [fixed(`cookie ${cookieNameOf(pool)} insert indirect nocache dynamic`)],
      [fixed('dynamic-cookie-key'), fixed(key)],
    ];
  }
  if (persistence.type !== 'APP_COOKIE' || persistence.cookieName === null) return [];
  return [
    [fixed(`stick-table type string len 40 size 100k peers ${PEERS}`)],
    // In hex: the runtime socket takes no binary keys.
    [fixed('stick store-response'), sample('res.cook', persistence.cookieName, ',sha1,hex')],
    [fixed('stick match'), sample('req.cook', persistence.cookieName, ',sha1,hex')],
  ];
}

/** Octavia's SRV, made the pool's own: by one name a client of two pools would lose its member at every change of pool. */
function cookieNameOf({ id }: PoolSpec): string {
  return `SRV-${createHash('sha256').update(id).digest('hex').slice(0, 8)}`;
}

/**
 * The key of a backend whose clients get a cookie that names their member; null for others. Cookie values are a hash of it
 * and the member's address, so every engine gives a member the same one.
 */
export function cookieKeyOf({ pool, mode }: Backend): string | null {
  if (mode !== 'http' || pool.persistence?.type !== 'HTTP_COOKIE') return null;
  return createHash('sha256').update(`slipstream cookie ${pool.id}`).digest('hex').slice(0, 32);
}
