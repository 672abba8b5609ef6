import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import * as fc from 'fast-check';
import { admit } from '../../../driver/agent/haproxy/admit';
import { resolveMaterials } from '../../../driver/agent/haproxy/admitTls';
import { layOut } from '../../../driver/agent/haproxy/layout';
import { type RenderSettings, renderConfig } from '../../../driver/agent/haproxy/render';
import { addServerCommand } from '../../../driver/agent/haproxy/server';
import { tlsFiles } from '../../../driver/agent/haproxy/tlsFiles';
import type { LoadBalancerSpec, MaterialSpec } from '../../../driver/protocol/spec';
import { aListener, aMember, aMonitor, aPool, aSpec } from '../../support/agentSpecs';
import { aListenerTls, aPoolTls, bundleOf } from '../../support/agentTls';
import { issue, issueCrl } from '../../support/certificates/issue';

/** Set to write the file anew; then look at the difference before committing it. */
const UPDATE = process.env['UPDATE_GOLDEN'] === '1';
const GOLDEN = join(__dirname, '../../golden/haproxy/tls.cfg');
const DIRECTORY = '/run/slipstream/tls/0123456789abcdef/w1';

const settings: RenderSettings = {
  workerSocket: '/run/slipstream/0123456789abcdef.w1',
  peerSocket: '/run/slipstream/0123456789abcdef.p',
  serverStateFile: '/var/lib/slipstream/lb/lb-1/servers.state',
  maxConnections: 2000,
  threads: 2,
  tlsDirectory: DIRECTORY,
};

const material = (name: string): MaterialSpec => ({ name, digest: name, problem: null });

const GOLDEN_SPEC = aSpec({
  listeners: [
    aListener({
      protocol: 'TERMINATED_HTTPS',
      port: 8443,
      tls: aListenerTls({
        certificate: material('certificate-a'),
        sni: [material('certificate-b'), material('certificate-c')],
        ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256:TLS_AES_128_GCM_SHA256:!aNULL',
        alpn: ['h2', 'http/1.1', 'http/1.0'],
        hsts: { maxAge: 31_536_000, includeSubdomains: true, preload: false },
        clientAuthentication: 'MANDATORY',
        clientCa: material('ca-clients'),
        clientCrl: material('crl-clients'),
      }),
    }),
    aListener({
      id: 'listener-old',
      protocol: 'TERMINATED_HTTPS',
      port: 8444,
      tls: aListenerTls({
        sni: [material('certificate-c')],
        versions: ['TLSv1', 'TLSv1.2'],
        clientAuthentication: 'OPTIONAL',
        clientCa: material('ca-clients'),
      }),
    }),
  ],
  pools: [
    aPool({
      members: [aMember({ address: '10.0.0.11' }), aMember({ id: 'member-2', address: '10.0.0.12', monitorPort: 99 })],
      monitor: aMonitor({ type: 'HTTPS', domainName: 'www.example.org', httpVersion: 1.1 }),
      tls: aPoolTls({
        certificate: material('certificate-client'),
        ca: material('ca-members'),
        crl: material('crl-members'),
        alpn: ['h2', 'http/1.1'],
      }),
    }),
  ],
});

const KEPT = { problem: null, digestOf: (name: string) => name, failureOf: () => undefined };
const render = (spec: LoadBalancerSpec, over: Partial<RenderSettings> = {}) => {
  const { spec: admitted } = resolveMaterials(admit(spec).spec, KEPT);
  const layout = layOut(admitted);
  return { layout, text: renderConfig(layout, { ...settings, ...over }).text };
};

describe('the configuration tls', () => {
  const { layout, text } = render(GOLDEN_SPEC);
  if (UPDATE) writeFileSync(GOLDEN, text);

  it('is rendered to the letter', () => {
    expect(text).toBe(readFileSync(GOLDEN, 'utf8'));
  });

  it("passes haproxy's own checker without a warning, with the files it names", async () => {
    const authority = await issue({ cn: 'authority', isCa: true });
    const bundle = bundleOf(await issue({ cn: 'www.example.org', issuer: authority }));
    const texts = { certificate: bundle, ca: authority.pem, crl: await issueCrl(authority) };
    const directory = mkdtempSync(join(tmpdir(), 'slipstream-golden-'));
    try {
      for (const { path, kind } of tlsFiles(layout)) {
        mkdirSync(dirname(join(directory, path)), { recursive: true });
        writeFileSync(join(directory, path), texts[kind]);
      }
      const state = join(directory, 'servers.state');
      writeFileSync(state, '1\n');
      const candidate = join(directory, 'haproxy.cfg');
      writeFileSync(candidate, text.replace(settings.serverStateFile, state).replaceAll(DIRECTORY, directory));
      expect(() => execFileSync('haproxy', ['-c', '-q', '-dW', '-f', candidate])).not.toThrow();
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

const hostileCiphers = fc.oneof(
  fc.constantFrom(
    "AES128-SHA' crt '/etc/passwd",
    'DEFAULT\n  stats enable',
    'DEFAULT # x',
    'A;B',
    '"',
    '\\',
    'DEFAULT crt x',
  ),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: 'grapheme-ascii', maxLength: 40 }).map((text) => `DEFAULT:${text}`),
);

it('keeps hostile cipher lists in their place, on a bind, a server and the runtime socket', () => {
  const plain = render(GOLDEN_SPEC).text.split('\n').length;
  return fc.assert(
    fc.property(hostileCiphers, (ciphers) => {
      const [listener = aListener(), ...others] = GOLDEN_SPEC.listeners;
      const [pool = aPool()] = GOLDEN_SPEC.pools;
      const spec = aSpec({
        listeners: [{ ...listener, tls: listener.tls && { ...listener.tls, ciphers } }, ...others],
        pools: [{ ...pool, tls: pool.tls && { ...pool.tls, ciphers } }],
      });
      const { layout, text } = render(spec);
      const lines = (start: string) => text.split('\n').filter((line) => line.startsWith(`  ${start} `));
      const quoted = "(?: [\\w./:-]+| '[^']*')*";
      for (const line of lines('bind'))
        expect(line).toMatch(new RegExp(`^  bind '[\\d.:]+' ssl crt '[\\w.-]+'${quoted}$`));
      for (const line of lines('server')) expect(line).toMatch(new RegExp(`^  server '[\\w-]+' '[\\d.:]+'${quoted}$`));
      expect(text.split('\n').length).toBeLessThanOrEqual(plain);
      for (const backend of layout.backends) {
        for (const member of backend.pool.members) {
          expect(addServerCommand(backend, member, null)).toMatch(/^add server pool-1\/[\w-]+(?: [\w./:!+@=,-]+)+$/);
        }
      }
    }),
    { numRuns: 500 },
  );
});
