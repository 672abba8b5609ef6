import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { keepsTable } from './backend';
import type { Backend } from './layout';
import { fixed, type Line, line, quote, sample } from './words';

/**
 * A worker that stops listening forgets its tables (haproxy 2.6), but not the requests that still come on its connections;
 * the one that follows begins without them. Both look here for whom they do not know: a map of cookies to members, which
 * the agent fills before each reload.
 */
export function keptFile(directory: string, { name }: Backend): string {
  return join(directory, `kept-${createHash('sha256').update(name).digest('hex').slice(0, 8)}.map`);
}

/** Of a backend. */
export function keptLines(backend: Backend, directory: string | undefined): Line[] {
  const cookie = backend.pool.persistence?.cookieName ?? null;
  if (directory === undefined || cookie === null || !keepsTable(backend)) return [];
  const value = `req.cook(${quote(cookie).text}),sha1,hex`;
  return [
    line(
      { kind: 'pool', id: backend.pool.id },
      fixed('use-server'),
      quote(`%[${value},map_str(${quote(keptFile(directory, backend)).text})]`),
      fixed('if {'),
      sample('req.cook', cookie, ''),
      fixed('-m found } !{'),
      sample('req.cook', cookie, `,sha1,hex,in_table(${quote(backend.name).text})`),
      fixed('}'),
    ),
  ];
}
