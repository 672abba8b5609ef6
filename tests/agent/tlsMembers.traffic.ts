import { get } from 'node:http';
import type { SecureVersion, TlsOptions } from 'node:tls';
import type { ListenerSpec, MonitorSpec, PoolSpec } from '../../driver/protocol/spec';
import { type FakeController, startController } from '../support/agentController';
import { createEngine, type EngineUnderTest } from '../support/agentEngine';
import { aListener, aMember, aMonitor, aPool, aSpec } from '../support/agentSpecs';
import { aListenerTls, aPoolTls, askTls, bundleOf, createTexts } from '../support/agentTls';
import { type Arrival, startWeb, type WebBackend } from '../support/backends/web';
import { type Issued, issue, issueCrl } from '../support/certificates/issue';

const VIP = '127.80.205.3';
const PORT = 20_080;

describe('a pool whose members are spoken to over TLS', () => {
  let controller: FakeController;
  let engine: EngineUnderTest;
  let authority: Issued;
  let other: Issued;
  let issued: Issued;
  let clients: Issued;
  let web: WebBackend;
  let generation = 0;
  const backends: WebBackend[] = [];
  const texts = createTexts();

  beforeAll(async () => {
    controller = await startController();
    [authority, other, clients] = await Promise.all([
      issue({ cn: 'authority', isCa: true }),
      issue({ cn: 'other', isCa: true }),
      issue({ cn: 'clients', isCa: true }),
    ]);
    issued = await issue({ cn: 'member', dnsNames: ['www.example.org'], issuer: authority });
    web = await start('web');
    engine = createEngine([controller.url]);
    await engine.start();
  });
  afterAll(async () => {
    await engine.dispose();
    await Promise.all([controller.close(), ...backends.map((backend) => backend.stop())]);
  });

  const start = async (name: string, tls: TlsOptions = {}, by = issued): Promise<WebBackend> => {
    const backend = await startWeb(name, { tls: { cert: by.pem, key: by.keyPem, ...tls } });
    backends.push(backend);
    return backend;
  };
  const memberOf = ({ name, address, port }: WebBackend) => aMember({ id: name, address, port });
  const serve = (
    members: readonly WebBackend[],
    tls: PoolSpec['tls'],
    { pool = {}, listener = {} }: { pool?: Partial<PoolSpec>; listener?: Partial<ListenerSpec> } = {},
  ) => {
    generation += 1;
    return controller.put(
      aSpec({
        generation,
        vips: [VIP],
        listeners: [aListener({ port: PORT, ...listener })],
        pools: [aPool({ members: members.map(memberOf), tls, ...pool })],
      }),
      texts.byDigest,
    );
  };
  const ask = async (): Promise<{ status: number; arrival: Arrival | null }> => {
    const { status, body } = await getOnce(VIP, PORT);
    return { status, arrival: status === 200 ? JSON.parse(body) : null };
  };
  const arrival = async () => (await ask()).arrival;
  const ca = (name: string, by: Issued) => texts.material(name, by.pem);
  const worker = () => engine.haproxy('lb-1')?.worker;

  it('reaches them, whatever their certificates, when it has no authority to ask', async () => {
    expect(await serve([web], aPoolTls())).toMatchObject({ outcome: 'applied', refusals: [] });
    expect(await arrival()).toMatchObject({ backend: 'web', tls: { version: 'TLSv1.3', serverName: null } });
  });

  it('reaches those alone whose certificates an authority issued that it knows', async () => {
    await serve([web], aPoolTls({ ca: ca('ca-right', authority) }));
    expect(await ask()).toMatchObject({ status: 200 });

    await serve([web], aPoolTls({ ca: ca('ca-wrong', other) }));
    expect(await ask()).toMatchObject({ status: 503 });
  });

  it('heeds the revocation list', async () => {
    const revoked = await issue({ cn: 'revoked', issuer: authority });
    const [bad, crl] = [await start('bad', {}, revoked), await issueCrl(authority, undefined, [revoked])];
    const tls = aPoolTls({ ca: ca('ca-members', authority), crl: texts.material('crl-members', crl) });

    await serve([web], tls);
    expect(await ask()).toMatchObject({ status: 200 });
    await serve([bad], tls);
    expect(await ask()).toMatchObject({ status: 503 });
  });

  it('shows its certificate to members that ask for one', async () => {
    const strict = await start('strict', { requestCert: true, rejectUnauthorized: true, ca: clients.pem });
    const ours = await issue({ cn: 'balancer', issuer: clients });
    await serve([strict], aPoolTls());
    expect(await ask()).toMatchObject({ status: 502 });

    await serve([strict], aPoolTls({ certificate: texts.material('certificate-client', bundleOf(ours)) }));
    expect(await arrival()).toMatchObject({ tls: { clientName: 'balancer' } });
  });

  it('tells members the name the client asked for, and a certificate must bear it', async () => {
    const certificate = texts.material('certificate-site', bundleOf(issued));
    const listener = { protocol: 'TERMINATED_HTTPS', port: 20_443, tls: aListenerTls({ certificate }) } as const;
    const askFor = async (servername: string) => askTls(VIP, 20_443, { servername });
    await serve([web], aPoolTls(), { listener });
    expect(await askFor('any.example.org')).toContain('"serverName":"any.example.org"');

    await serve([web], aPoolTls({ ca: ca('ca-members', authority) }), { listener });
    expect(await askFor('www.example.org')).toContain('200 OK');
    expect(await askFor('any.example.org')).toContain('503 Service');
  });

  it.each<[PoolSpec['tls'], string]>([
    [aPoolTls({ versions: ['TLSv1.2'] }), 'TLSv1.2'],
    [aPoolTls({ versions: ['TLSv1.3'] }), 'TLSv1.3'],
    [aPoolTls({ versions: ['TLSv1', 'TLSv1.1'] }), 'TLSv1.1'],
  ])('speaks its versions and no others (%#)', async (tls, version) => {
    const lax: TlsOptions = { minVersion: 'TLSv1', ciphers: 'DEFAULT:@SECLEVEL=0' };
    await serve([await start(`lax${generation}`, lax)], tls);
    expect(await arrival()).toMatchObject({ tls: { version } });
  });

  it.each<[SecureVersion, number]>([
    ['TLSv1.3', 200],
    ['TLSv1.2', 503],
  ])('never speaks a version that lies in a gap (members with %s)', async (version, status) => {
    const member = await start(`gap${generation}`, { minVersion: version, maxVersion: version });
    const ack = await serve([member], aPoolTls({ versions: ['TLSv1.1', 'TLSv1.3'] }));

    expect(ack.refusals).toMatchObject([{ kind: 'pool', id: 'pool-1' }]);
    expect(await ask()).toMatchObject({ status });
  });

  it('speaks the ciphers of its list', async () => {
    const ciphers = 'ECDHE-ECDSA-AES256-GCM-SHA384:TLS_AES_128_GCM_SHA256';
    await serve([web], aPoolTls({ ciphers }));
    expect(await arrival()).toMatchObject({ tls: { cipher: 'TLS_AES_128_GCM_SHA256' } });

    await serve([web], aPoolTls({ ciphers, versions: ['TLSv1.2'] }));
    expect(await arrival()).toMatchObject({ tls: { cipher: 'ECDHE-ECDSA-AES256-GCM-SHA384' } });

    const refused = await serve([web], aPoolTls({ ciphers: 'NO-SUCH-CIPHER' }));
    expect(refused.refusals).toMatchObject([{ kind: 'pool', reason: 'none of its ciphers is known' }]);
  });

  it('agrees on HTTP/2 with members that speak it', async () => {
    const modern = await start('modern', { ALPNProtocols: ['h2', 'http/1.1'] });
    await serve([modern], aPoolTls({ alpn: ['h2', 'http/1.1'] }));
    expect(await arrival()).toMatchObject({ httpVersion: '2.0', tls: { alpn: 'h2' } });

    await serve([modern], aPoolTls({ alpn: ['http/1.1'] }));
    expect(await arrival()).toMatchObject({ httpVersion: '1.1', tls: { alpn: 'http/1.1' } });

    // What comes over a TCP listener is no HTTP/2.
    const tcp = { pool: { protocol: 'TCP' }, listener: { protocol: 'TCP' } } as const;
    await serve([modern], aPoolTls({ alpn: ['h2', 'http/1.1'] }), tcp);
    expect(await arrival()).toMatchObject({ httpVersion: '1.1', tls: { alpn: 'http/1.1' } });
  });

  const states = () => {
    const report = controller.report('lb-1');
    return report?.generation === generation ? report.pools['pool-1']?.members : undefined;
  };
  const monitors: Partial<MonitorSpec>[] = [
    { type: 'HTTP' },
    { type: 'HTTPS' },
    { type: 'TLS-HELLO' },
    { type: 'TCP' },
  ];
  it.each(monitors)('checks members over TLS, those that join too (%j)', async (over) => {
    const monitor = aMonitor(over);
    const modern = await start(`modern${generation}`, { ALPNProtocols: ['h2', 'http/1.1'] });
    const tls = aPoolTls({ ca: ca('ca-members', authority), alpn: ['h2', 'http/1.1'] });
    await serve([web], tls, { pool: { monitor } });
    await controller.waitFor('the member is up', () => states()?.['web'] === 'UP');
    const before = worker();

    expect(await serve([web, modern], tls, { pool: { monitor } })).toMatchObject({ refusals: [] });
    await controller.waitFor('both are up', () => Object.values(states() ?? {}).join() === 'UP,UP');

    const served = new Set([await arrival(), await arrival(), await arrival()].map((it) => it?.backend));
    expect(served.size).toBe(2);
    expect(worker()).toEqual(before);
  });

  it('takes members for dead whose handshake fails, and serves by the others, over a reload too', async () => {
    const bad = await start('stranger', {}, await issue({ cn: 'stranger' }));
    const tls = aPoolTls({ ca: ca('ca-members', authority) });
    const monitor = aMonitor({ type: 'HTTPS' });
    await serve([web, bad], tls, { pool: { monitor } });
    await controller.waitFor('one is down', () => states()?.['stranger'] === 'DOWN' && states()?.['web'] === 'UP');
    const before = worker();

    await serve([web, bad], tls, { pool: { monitor }, listener: { timeoutClientData: 40_000 } });

    expect(worker()).not.toEqual(before);
    for (let turn = 0; turn < 4; turn += 1) expect(await arrival()).toMatchObject({ backend: 'web', tls: {} });
  });

  it('takes other authorities and certificates for members that joined at run time, without a reload', async () => {
    const strict = await start('joiner', { requestCert: true, rejectUnauthorized: true, ca: clients.pem });
    const [first, second] = await Promise.all([
      issue({ cn: 'first', issuer: clients }),
      issue({ cn: 'second', issuer: clients }),
    ]);
    const tls = (by: Issued, ours: Issued) =>
      aPoolTls({ ca: ca('ca-change', by), certificate: texts.material('certificate-change', bundleOf(ours)) });
    await serve([web], tls(authority, first));
    const before = worker();
    await serve([strict], tls(authority, first));
    expect(await arrival()).toMatchObject({ tls: { clientName: 'first' } });

    await serve([strict], tls(authority, second));
    expect(await arrival()).toMatchObject({ tls: { clientName: 'second' } });
    await serve([strict], tls(other, second));
    expect(await ask()).toMatchObject({ status: 503 });
    await serve([strict], tls(authority, second));
    expect(await ask()).toMatchObject({ status: 200 });
    expect(worker()).toEqual(before);
  });
});

/** One answer over a connection of its own, so that its member's connection is new, too. */
function getOnce(host: string, port: number): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    get({ host, port, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      response.once('end', () => resolve({ status: response.statusCode ?? 0, body }));
    }).once('error', reject);
  });
}
