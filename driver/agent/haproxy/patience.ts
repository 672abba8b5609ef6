import { keepsTable } from './backend';
import type { Backend, Layout } from './layout';
import { fixed, type Line, line, type ObjectRef, quote, sample } from './words';

/**
 * A worker that has just begun knows no clients for a moment: those of the worker before it, or of other engines, are told
 * to it when it listens already (haproxy 2.6; seen: two misled requests a reload at 1,000 a second). Who comes with a
 * cookie that it does not know waits meanwhile, which haproxy can do in Lua alone.
 */
export const NAP_SCRIPT = `core.register_action('nap', { 'http-req' }, function(_, milliseconds)
  core.msleep(tonumber(milliseconds))
end, 1)
`;

/** Milliseconds of its life in which a worker has others wait: learning takes less, or is in vain. A clock that is set ends it. */
const YOUTH = 2000;
/** One after the other, until the cookie is known: milliseconds. */
const NAPS = [5, 10, 20, 50, 100, 200, 400] as const;

/** Of the section `global`. */
export function youthLines({ backends }: Layout, napScript: string | undefined): Line[] {
  if (napScript === undefined || !backends.some(keepsTable)) return [];
  return [line(null, fixed('lua-load'), quote(napScript)), line(null, fixed('set-var proc.begun date(0,ms)'))];
}

/** Of a backend. */
export function patienceLines(backend: Backend, napScript: string | undefined): Line[] {
  const cookie = backend.pool.persistence?.cookieName ?? null;
  if (napScript === undefined || cookie === null || !keepsTable(backend)) return [];
  const owner: ObjectRef = { kind: 'pool', id: backend.pool.id };
  const known = sample('req.cook', cookie, `,sha1,hex,in_table(${quote(backend.name).text})`);
  return NAPS.map((nap) =>
    line(
      owner,
      fixed(`http-request lua.nap ${nap} if { date(0,ms),sub(proc.begun) 0:${YOUTH} } !{ stopping } {`),
      sample('req.cook', cookie, ''),
      fixed('-m found } !{'),
      known,
      fixed('}'),
    ),
  );
}
