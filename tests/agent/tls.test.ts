import { connect } from 'node:http2';
import type { ConnectionOptions } from 'node:tls';
import type { ListenerSpec } from '../../driver/protocol/spec';
import { type FakeController, startController } from '../support/agentController';
import { createEngine, type EngineUnderTest } from '../support/agentEngine';
import { aListener, aMember, aPool, aSpec } from '../support/agentSpecs';
import { aListenerTls, askTls, bundleOf, createTexts, lookAt } from '../support/agentTls';
import { type Backend, startBackend } from '../support/backend';
import { type Issued, issue, issueCrl } from '../support/certificates/issue';

const VIP = '127.80.205.1';
const PORT = 20_443;
/** What old versions want of a client's OpenSSL. */
const LAX = { ciphers: 'DEFAULT:@SECLEVEL=0' };

describe('a listener that terminates TLS', () => {
  let controller: FakeController;
  let engine: EngineUnderTest;
  let web: Backend;
  let authority: Issued;
  let site: Issued;
  let generation = 0;
  const texts = createTexts();

  beforeAll(async () => {
    [controller, web, authority] = await Promise.all([
      startController(),
      startBackend('web'),
      issue({ cn: 'authority', isCa: true }),
    ]);
    site = await issue({ cn: 'www.example.org', dnsNames: ['www.example.org'], issuer: authority });
    engine = createEngine([controller.url]);
    await engine.start();
  });
  afterAll(async () => {
    await engine.dispose();
    await Promise.all([controller.close(), web.stop()]);
  });

  const certificateOf = (issued: Issued, name = `certificate-${issued.certificate.serialNumber}`) =>
    texts.material(name, bundleOf(issued));
  const serve = (tls: Partial<NonNullable<ListenerSpec['tls']>>, listener: Partial<ListenerSpec> = {}) => {
    generation += 1;
    return controller.put(
      aSpec({
        generation,
        vips: [VIP],
        listeners: [
          aListener({
            protocol: 'TERMINATED_HTTPS',
            port: PORT,
            tls: aListenerTls({ certificate: certificateOf(site), ...tls }),
            ...listener,
          }),
          aListener({ id: 'listener-plain', port: 20_080 }),
        ],
        pools: [aPool({ members: [aMember({ id: 'web', address: web.address, port: web.port })] })],
      }),
      texts.byDigest,
    );
  };
  const look = (options: ConnectionOptions = {}) => lookAt(VIP, PORT, options);
  const ask = (options: ConnectionOptions = {}) => askTls(VIP, PORT, options);
  const shown = async (servername: string) => (await look({ servername })).cn;

  it('serves requests, and shows the certificate with its chain', async () => {
    const chain = await issue({ cn: 'intermediate', isCa: true, issuer: authority });
    const leaf = await issue({ cn: 'www.example.org', dnsNames: ['www.example.org'], issuer: chain });
    const ack = await serve({ certificate: texts.material('certificate-site', bundleOf(leaf, [chain])) });

    expect(ack).toMatchObject({ outcome: 'applied', refusals: [] });
    const verified = { ca: authority.pem, servername: 'www.example.org', rejectUnauthorized: true };
    expect(await ask(verified)).toMatch(/200 OK.*web\n$/s);
    expect(await look(verified)).toMatchObject({ chain: ['www.example.org', 'intermediate', 'authority'] });
  });

  it('chooses the certificate by the name the client asks for, wildcards too', async () => {
    const [one, wild] = await Promise.all([
      issue({ cn: 'one.example.org', dnsNames: ['one.example.org', 'uno.example.org'] }),
      issue({ cn: '*.wild.example.org', dnsNames: ['*.wild.example.org'] }),
    ]);
    await serve({ sni: [certificateOf(one), certificateOf(wild)] });

    expect(await shown('one.example.org')).toBe('one.example.org');
    expect(await shown('uno.example.org')).toBe('one.example.org');
    expect(await shown('any.wild.example.org')).toBe('*.wild.example.org');
    expect(await shown('unknown.example.net')).toBe('www.example.org');
    expect((await look()).cn).toBe('www.example.org');
  });

  it('shows the first SNI certificate when it has no default one', async () => {
    const [b, a] = await Promise.all([issue({ cn: 'b.example.org' }), issue({ cn: 'a.example.org' })]);
    await serve({ certificate: null, sni: [certificateOf(b), certificateOf(a)] });

    expect((await look()).cn).toBe('b.example.org');
    expect(await shown('a.example.org')).toBe('a.example.org');
  });

  const ALL = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;
  it.each([
    [['TLSv1.2']],
    [['TLSv1.3']],
    [['TLSv1.2', 'TLSv1.3']],
    [['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3']],
    [['TLSv1.1', 'TLSv1.3']],
    [['TLSv1']],
  ] as const)('speaks %j and no other version', async (versions) => {
    expect(await serve({ versions: [...versions] })).toMatchObject({ refusals: [] });

    const spoken = [];
    for (const version of ALL) {
      const only = { minVersion: version, maxVersion: version, ...LAX };
      const answer = await ask(only).catch(() => '');
      if (answer.includes('200 OK')) spoken.push(version);
    }
    expect(spoken).toEqual(versions);
  });

  it('speaks no SSLv3, and says so', async () => {
    const reason = 'this engine does not speak SSLv3';
    expect((await serve({ versions: ['SSLv3', 'TLSv1.2'] })).refusals).toEqual([
      { kind: 'listener', id: 'listener-1', reason },
    ]);
    expect(await ask()).toContain('200 OK');

    expect((await serve({ versions: ['SSLv3'] })).refusals).toEqual([{ kind: 'listener', id: 'listener-1', reason }]);
    await expect(ask()).rejects.toThrow();
  });

  it('speaks the ciphers of its list, those of TLS 1.3 among them', async () => {
    await serve({ ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384:TLS_AES_128_GCM_SHA256' });
    expect(await look({ maxVersion: 'TLSv1.2' })).toMatchObject({ cipher: 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384' });
    expect(await look({ minVersion: 'TLSv1.3' })).toMatchObject({ cipher: 'TLS_AES_128_GCM_SHA256' });
    await expect(look({ maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' })).rejects.toThrow();

    await serve({ ciphers: 'TLS_CHACHA20_POLY1305_SHA256' });
    expect(await look()).toMatchObject({ protocol: 'TLSv1.3', cipher: 'TLS_CHACHA20_POLY1305_SHA256' });
    await expect(look({ maxVersion: 'TLSv1.2' })).rejects.toThrow();
  });

  it.each([
    ['NO-SUCH-CIPHER', 'none of its ciphers is known'],
    ["AES128-SHA' crt '/etc/passwd", 'its ciphers are not a cipher list'],
  ])('refuses the ciphers %s and serves its neighbours', async (ciphers, reason) => {
    const ack = await serve({ ciphers });

    expect(ack).toMatchObject({ outcome: 'applied', refusals: [{ kind: 'listener', id: 'listener-1', reason }] });
    const plain = await fetch(`http://${VIP}:20080/`);
    expect(await plain.text()).toBe('web\n');
  });

  it('agrees on HTTP/2 and HTTP/1.1 by ALPN, and serves both', async () => {
    await serve({ alpn: ['h2', 'http/1.1'] });
    expect(await look({ ALPNProtocols: ['h2', 'http/1.1'] })).toMatchObject({ alpn: 'h2' });
    expect(await look({ ALPNProtocols: ['http/1.1'] })).toMatchObject({ alpn: 'http/1.1' });
    expect(await askHttp2(`https://${VIP}:${PORT}`)).toBe('web\n');

    await serve({ alpn: ['http/1.1'] });
    expect(await look({ ALPNProtocols: ['h2', 'http/1.1'] })).toMatchObject({ alpn: 'http/1.1' });
    await serve({ alpn: [] });
    expect(await look({ ALPNProtocols: ['http/1.1'] })).toMatchObject({ alpn: false });
  });

  it('tells browsers to come by TLS only, as its HSTS settings say, also when nobody serves', async () => {
    const hsts = { maxAge: 600, includeSubdomains: true, preload: true };
    await serve({ hsts });
    expect(await ask()).toMatch(/\r\nstrict-transport-security: max-age=600; includeSubDomains; preload\r\n/i);
    await serve({ hsts: { maxAge: 0, includeSubdomains: false, preload: false } }, { defaultPoolId: null });
    expect(await ask()).toMatch(/^HTTP\/1.1 503.*\r\nstrict-transport-security: max-age=0\r\n/is);
    await serve({});
    expect(await ask()).not.toMatch(/strict-transport-security/i);
  });

  describe('asks clients for certificates', () => {
    let friend: ConnectionOptions;
    let stranger: ConnectionOptions;
    let revoked: ConnectionOptions;
    let clientCa: ReturnType<typeof texts.material>;
    let clientCrl: ReturnType<typeof texts.material>;

    beforeAll(async () => {
      const clients = await issue({ cn: 'clients', isCa: true });
      const [good, other, bad] = await Promise.all([
        issue({ cn: 'friend', issuer: clients }),
        issue({ cn: 'stranger' }),
        issue({ cn: 'revoked', issuer: clients }),
      ]);
      const shows = ({ pem, keyPem }: Issued): ConnectionOptions => ({ cert: pem, key: keyPem });
      [friend, stranger, revoked] = [shows(good), shows(other), shows(bad)];
      clientCa = texts.material('ca-clients', clients.pem);
      clientCrl = texts.material('crl-clients', await issueCrl(clients, undefined, [bad]));
    });

    it('never, unless told to', async () => {
      await serve({ clientCa, clientAuthentication: 'NONE' });
      expect(await ask()).toContain('200 OK');
      expect(await ask(stranger)).toContain('200 OK');
    });

    it('and lets in without one when that is optional, but with no bad one', async () => {
      await serve({ clientCa, clientAuthentication: 'OPTIONAL' });
      expect(await ask()).toContain('200 OK');
      expect(await ask(friend)).toContain('200 OK');
      await expect(ask(stranger)).rejects.toThrow();
    });

    it('and lets in nobody without a good one when that is mandatory', async () => {
      await serve({ clientCa, clientAuthentication: 'MANDATORY' });
      await expect(ask()).rejects.toThrow();
      await expect(ask(stranger)).rejects.toThrow();
      expect(await ask(friend)).toContain('200 OK');
      expect(await ask(revoked)).toContain('200 OK');
    });

    it('and serves nobody when it is mandatory and there is nothing to check it with', async () => {
      const { refusals } = await serve({ clientAuthentication: 'MANDATORY' });
      expect(refusals).toEqual([{ kind: 'listener', id: 'listener-1', reason: expect.stringContaining('no CA') }]);
      await expect(ask(friend)).rejects.toThrow();
    });

    it('and heeds the revocation list', async () => {
      await serve({ clientCa, clientCrl, clientAuthentication: 'MANDATORY' });
      await expect(ask(revoked)).rejects.toThrow();
      expect(await ask(friend)).toContain('200 OK');
    });
  });
});

function askHttp2(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const session = connect(url, { rejectUnauthorized: false });
    session.once('error', reject);
    const stream = session.request({ ':path': '/' }).setEncoding('utf8');
    let body = '';
    stream.on('data', (chunk: string) => {
      body += chunk;
    });
    stream.once('error', reject);
    stream.once('end', () => {
      session.close();
      resolve(body);
    });
  });
}
