import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { admit } from '../../../driver/agent/haproxy/admit';
import { layOut } from '../../../driver/agent/haproxy/layout';
import { type RenderSettings, renderConfig } from '../../../driver/agent/haproxy/render';
import { addServerCommand } from '../../../driver/agent/haproxy/server';
import type { LoadBalancerSpec } from '../../../driver/protocol/spec';
import { aListener, aMember, aMonitor, aPool, aSpec } from '../../support/agentSpecs';

const directory = mkdtempSync(join(tmpdir(), 'slipstream-hostile-'));
afterAll(() => rmSync(directory, { recursive: true }));

const settings: RenderSettings = {
  workerSocket: '/run/slipstream/x.w1',
  peerSocket: '/run/slipstream/x.p',
  serverStateFile: '/run/slipstream/x.state',
  maxConnections: 1000,
  threads: 1,
};

/** What somebody would try who wants a line of his own in the configuration, among arbitrary text. */
const hostile = fc.oneof(
  fc.constantFrom(
    "/'\n  stats enable",
    '/\r\n  stats enable',
    "/' backup'",
    '/ # comment',
    '/"$HOME"',
    '/\\',
    '/%[env(HOME)]',
    "x')\n user root",
    '127.0.0.1 track a/b',
    '127.0.0.1;shutdown sessions',
    '::1%lo',
    '../../etc/passwd',
    '',
  ),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: 'grapheme-ascii', maxLength: 40 }).map((text) => `/${text}`),
);

const hostileSpec: fc.Arbitrary<LoadBalancerSpec> = fc
  .record({
    id: hostile,
    vip: hostile,
    cidr: hostile,
    header: hostile,
    address: hostile,
    path: hostile,
    method: hostile,
    codes: hostile,
    domain: hostile,
    cookie: hostile,
    which: fc.integer({ min: 0, max: 9 }),
  })
  .map(({ which, ...values }) => {
    // One or two hostile values at a time: with all of them at once nothing would be left to render.
    const pick = <T>(turn: number, value: T, plain: T): T => (turn === which ? value : plain);
    const monitor = aMonitor({
      id: pick(0, values.id, 'monitor-1'),
      httpMethod: pick(1, values.method, 'GET'),
      urlPath: pick(2, values.path, '/'),
      expectedCodes: pick(3, values.codes, '200'),
      httpVersion: 1.1,
      domainName: pick(4, values.domain, 'www.example.org'),
    });
    const cookieName = pick(5, values.cookie, 'session');
    return aSpec({
      vips: [pick(6, values.vip, '127.80.200.1')],
      listeners: [
        aListener({
          allowedCidrs: [pick(7, values.cidr, '10.0.0.0/8')],
          insertHeaders: { [values.header]: 'true' },
        }),
        aListener({ id: pick(0, values.id, 'listener-2'), port: 8081 }),
      ],
      pools: [
        aPool({
          persistence: { type: 'APP_COOKIE', cookieName, timeout: null, granularity: null },
          members: [
            aMember({ address: pick(8, values.address, '10.0.0.1') }),
            aMember({ id: pick(9, values.id, 'member-2'), monitorAddress: pick(8, values.address, '10.0.0.1') }),
          ],
          monitor,
        }),
      ],
    });
  });

/** First words that the renderer writes; anything else would have been smuggled in. */
const FIRST_WORDS =
  /^(?:global|defaults|peers engines|frontend '[\w-]+'|backend '[\w:-]+'| {2}(?:httpclient\.ssl\.verify|maxconn|nbthread|stats (?:socket|timeout)|hard-stop-after|mworker-max-reloads|server-state-file|localpeer|peer|load-server-state-from-file|retries|retry-on conn-failure empty-response$|http-reuse safe$|http-request disable-l7-retry unless|option|mode|bind|timeout|acl allowed src|tcp-request|default_backend|balance|stick-table|stick|http-check|server) ?.*)$/;

it('keeps hostile values inside their quotes: every line is one of ours', () => {
  return fc.assert(
    fc.property(hostileSpec, (spec) => {
      const admission = admit(spec);
      const layout = layOut(admission.spec);
      fc.pre(!admission.faults.some(({ kind }) => kind === 'loadbalancer'));
      const lines = renderConfig(layout, settings).text.split('\n').slice(0, -1);
      for (const text of lines) expect(text).toMatch(FIRST_WORDS);
      for (const backend of layout.backends) {
        for (const member of backend.pool.members) {
          expect(addServerCommand(backend, member, null)).toMatch(
            /^add server [\w:./-]+ [\w.:[\]]+ id \d+ [\w .:[\]-]+$/,
          );
        }
      }
    }),
    { numRuns: 2000 },
  );
});

it('lets nothing through that haproxy would refuse', () => {
  const path = join(directory, 'haproxy.cfg');
  return fc.assert(
    fc.property(hostileSpec, (spec) => {
      const admission = admit(spec);
      fc.pre(!admission.faults.some(({ kind }) => kind === 'loadbalancer'));
      writeFileSync(path, renderConfig(layOut(admission.spec), settings).text);
      execFileSync('haproxy', ['-c', '-q', '-f', path], { stdio: 'pipe' });
    }),
    { numRuns: 60 },
  );
});

it('names what it leaves out and serves the rest', () => {
  const spec = aSpec({
    listeners: [
      aListener(),
      aListener({ id: 'listener-udp', protocol: 'UDP', port: 53 }),
      aListener({ id: 'listener-cidr', port: 8081, allowedCidrs: ['10.0.0.0/33'] }),
      aListener({ id: 'listener-twice' }),
    ],
    pools: [
      aPool({
        members: [aMember(), aMember({ id: 'member-name', address: 'host.example.org' })],
        monitor: aMonitor({ urlPath: '/\n' }),
        persistence: { type: 'APP_COOKIE', cookieName: 'a b', timeout: null, granularity: null },
      }),
    ],
  });
  const admission = admit(spec);

  expect(admission.faults.map(({ kind, id }) => `${kind} ${id}`)).toEqual([
    'listener listener-udp',
    'listener listener-cidr',
    'listener listener-twice',
    'pool pool-1',
    'healthmonitor monitor-1',
    'member member-name',
  ]);
  expect(admission.spec).toMatchObject({
    listeners: [{ id: 'listener-1' }],
    pools: [{ id: 'pool-1', persistence: null, monitor: null, members: [{ id: 'member-1' }] }],
  });
});
