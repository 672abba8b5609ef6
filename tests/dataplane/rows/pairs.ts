import { issue } from '../../support/certificates/issue';
import { greeting } from '../clients/stream';
import { type Asking, ask } from '../clients/web';
import { inTls } from '../keys';
import type { Row } from '../row';
import type { Stage } from '../stage';
import { serveTls } from '../terminated';

const CLIENT = '127.0.23.1';
/** The pools that each listener may have, besides the one of its own protocol. */
const PAIRS = {
  TCP: ['HTTP', 'HTTPS', 'PROXY', 'PROXYV2'],
  HTTPS: ['TCP', 'PROXY', 'PROXYV2'],
} as const;

/** A TCP or HTTPS listener with a pool of the protocol; asserts that what is said goes through. */
async function carry(stage: Stage, protocol: 'TCP' | 'HTTPS', pool: 'TCP' | 'HTTP' | 'HTTPS' | 'PROXY' | 'PROXYV2') {
  const listener = { protocol };
  if (pool === 'PROXY' || pool === 'PROXYV2') {
    const backend = await stage.stream('one', { readsProxy: true });
    const served = await stage.serve({ listener, pool: { protocol: pool }, members: [{ backend }] });
    expect(await greeting({ ...served, from: CLIENT })).toBe('one');
    const { version, source } = backend.arrivals.at(-1)?.proxy ?? {};
    expect([version, source]).toEqual([pool === 'PROXY' ? 1 : 2, CLIENT]);
    return;
  }
  const secure = pool === 'HTTPS' || protocol === 'HTTPS';
  const backend = await stage.web('one', secure ? { tls: inTls(await issue({ cn: 'member' })) } : {});
  const served = await stage.serve({ listener, pool: { protocol: pool }, members: [{ backend }] });
  const asking: Asking = { ...served, ...(secure && { tls: {} }) };
  expect((await ask(asking)).arrival().backend).toBe('one');
}

/** Listeners with pools of other protocols than their own. */
export const pairRows: readonly Row[] = [
  ...(Object.keys(PAIRS) as (keyof typeof PAIRS)[]).flatMap((protocol) =>
    PAIRS[protocol].map(
      (pool): Row => ({
        proves: [`listener.protocol=${protocol}`, `pool.protocol=${pool}`],
        title: `a listener of ${protocol} carries to a pool of ${pool}`,
        run: (stage) => carry(stage, protocol, pool),
      }),
    ),
  ),
  ...(['PROXY', 'PROXYV2'] as const).flatMap((pool): Row[] => [
    {
      proves: ['listener.protocol=HTTP', `pool.protocol=${pool}`, 'POST listener.insert_headers'],
      title: `a listener of HTTP tells a pool of ${pool} its client before the request, and inserts headers`,
      async run(stage) {
        const backend = await stage.stream('one', { readsProxy: true });
        const served = await stage.serve({
          listener: { insert_headers: { 'X-Real-IP': 'true' } },
          pool: { protocol: pool },
          members: [{ backend }],
        });
        // What that backend answers is no HTTP, what it got is what counts.
        expect((await ask({ ...served, from: CLIENT, path: '/seen' })).status).toBe(502);
        const { proxy, text } = backend.arrivals.at(-1) ?? {};
        expect(proxy).toMatchObject({ version: pool === 'PROXY' ? 1 : 2, source: CLIENT });
        expect(text).toMatch(/^GET \/seen HTTP\/1\.1\r\n/);
        expect(text?.toLowerCase()).toContain(`x-real-ip: ${CLIENT}\r\n`);
      },
    },
    {
      proves: ['listener.protocol=TERMINATED_HTTPS', `pool.protocol=${pool}`],
      title: `a listener of TERMINATED_HTTPS tells a pool of ${pool} its client before the request in the clear`,
      async run(stage) {
        const backend = await stage.stream('one', { readsProxy: true });
        const served = await serveTls(stage, {}, [{ backend }], { protocol: pool });
        expect((await ask({ ...served, from: CLIENT, path: '/seen', tls: {} })).status).toBe(502);
        const { proxy, text } = backend.arrivals.at(-1) ?? {};
        expect(proxy).toMatchObject({ version: pool === 'PROXY' ? 1 : 2, source: CLIENT });
        expect(text).toMatch(/^GET \/seen HTTP\/1\.1\r\n/);
      },
    },
  ]),
];
