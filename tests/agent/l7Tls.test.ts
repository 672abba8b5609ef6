import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { type RequestOptions, request } from 'node:https';
import type { L7RuleSpec, ListenerSpec } from '../../driver/protocol/spec';
import { type FakeController, startController } from '../support/agentController';
import { createEngine, type EngineUnderTest } from '../support/agentEngine';
import { aListener, aMember, aPolicy, aPool, aRule, aSpec } from '../support/agentSpecs';
import { aListenerTls, bundleOf, createTexts } from '../support/agentTls';
import { type Arrival, startWeb, type WebBackend } from '../support/backends/web';
import { type Issued, issue } from '../support/certificates/issue';

const VIP = '127.80.203.4';
const PORT = 20_443;

describe('a listener that asks clients for certificates', () => {
  let controller: FakeController;
  let engine: EngineUnderTest;
  let web: WebBackend;
  let authority: Issued;
  let site: Issued;
  let client: Issued;
  let generation = 0;
  const texts = createTexts();

  beforeAll(async () => {
    [controller, web, authority] = await Promise.all([
      startController(),
      startWeb('web'),
      issue({ cn: 'authority', isCa: true }),
    ]);
    site = await issue({ cn: 'www.example.org', issuer: authority });
    client = await issue({ cn: 'alice.example.org', issuer: authority, notAfter: new Date('2099-12-31T23:59:58Z') });
    engine = createEngine([controller.url]);
    await engine.start();
  });
  afterAll(async () => {
    await engine.dispose();
    await Promise.all([controller.close(), web.stop()]);
  });

  const serve = (listener: Partial<ListenerSpec>) => {
    generation += 1;
    const tls = aListenerTls({
      certificate: texts.material('certificate-site', bundleOf(site)),
      clientAuthentication: 'OPTIONAL',
      clientCa: texts.material('ca-clients', authority.pem),
    });
    const listeners = [aListener({ protocol: 'TERMINATED_HTTPS', port: PORT, tls, ...listener })];
    const pools = [aPool({ members: [aMember({ port: web.port })] })];
    return controller.put(aSpec({ generation, vips: [VIP], listeners, pools }), texts.byDigest);
  };
  const withCertificate = () => ({ cert: client.pem, key: client.keyPem });

  it('tells members of the client and its certificate, and lets nobody pretend', async () => {
    const names = ['Client-Verify', 'Client-Has-Cert', 'Client-DN', 'Client-CN', 'Issuer', 'Client-SHA1']
      .concat('Client-Not-Before', 'Client-Not-After')
      .map((name) => `X-SSL-${name}`);
    const all = Object.fromEntries([...names, 'X-Forwarded-Proto', 'X-Forwarded-Port'].map((name) => [name, 'true']));
    expect(await serve({ insertHeaders: all })).toMatchObject({ outcome: 'applied', refusals: [] });
    const forged = Object.fromEntries(Object.keys(all).map((name) => [name, 'forged']));
    const { headers } = await arrivalOf({ headers: forged, ...withCertificate() });

    const sha1 = createHash('sha1').update(client.der).digest('hex').toUpperCase();
    expect(headers).toMatchObject({
      'x-forwarded-proto': 'https',
      'x-forwarded-port': String(PORT),
      'x-ssl-client-verify': '0',
      'x-ssl-client-has-cert': '1',
      'x-ssl-client-dn': '/CN=alice.example.org',
      'x-ssl-client-cn': 'alice.example.org',
      'x-ssl-issuer': '/CN=authority',
      'x-ssl-client-sha1': sha1,
      'x-ssl-client-not-before': '260101000000Z',
      'x-ssl-client-not-after': expect.stringMatching(/^(?:20)?991231235958Z$/),
    });

    const without = (await arrivalOf({ headers: forged })).headers;
    expect(without).toMatchObject({ 'x-ssl-client-verify': '0', 'x-ssl-client-has-cert': '0' });
    expect(JSON.stringify(without)).not.toContain('forged');
  });

  const RULES: readonly { rule: Partial<L7RuleSpec>; matches: { with: boolean; without: boolean } }[] = [
    {
      rule: { type: 'SSL_CONN_HAS_CERT', compareType: 'EQUAL_TO', value: 'True' },
      matches: { with: true, without: false },
    },
    {
      rule: { type: 'SSL_CONN_HAS_CERT', compareType: 'EQUAL_TO', value: 'tRUE', invert: true },
      matches: { with: false, without: true },
    },
    {
      rule: { type: 'SSL_VERIFY_RESULT', compareType: 'EQUAL_TO', value: '0' },
      matches: { with: true, without: true },
    },
    {
      rule: { type: 'SSL_VERIFY_RESULT', compareType: 'EQUAL_TO', value: '10' },
      matches: { with: false, without: false },
    },
    ...(
      ['EQUAL_TO alice.example.org', 'STARTS_WITH alice', 'ENDS_WITH .org', 'CONTAINS ice', 'REGEX ^a.*g$'] as const
    ).map((text) => {
      const [compareType = '', value = ''] = text.split(' ');
      const rule = { type: 'SSL_DN_FIELD', key: 'CN', compareType, value } as Partial<L7RuleSpec>;
      return { rule, matches: { with: true, without: false } };
    }),
    {
      rule: { type: 'SSL_DN_FIELD', key: 'OU', compareType: 'EQUAL_TO', value: 'alice.example.org' },
      matches: { with: false, without: false },
    },
  ];
  it.each(RULES.map((one) => [JSON.stringify(one.rule), one] as const))('matches %s', async (_title, one) => {
    await serve({ l7Policies: [aPolicy({ rules: [aRule(one.rule)] })] });
    const rejects = async (options: RequestOptions) => (await ask(options)).status === 403;
    expect({ with: await rejects(withCertificate()), without: await rejects({}) }).toEqual(one.matches);
  });

  const arrivalOf = async (options: RequestOptions) => {
    const { status, body } = await ask(options);
    expect(status).toBe(200);
    return JSON.parse(body) as Arrival;
  };
});

/** One request on a connection of its own. */
function ask(options: RequestOptions): Promise<{ status: number; headers: IncomingHttpHeaders; body: string }> {
  return new Promise((resolve, reject) => {
    const whole = { host: VIP, port: PORT, agent: false, rejectUnauthorized: false, ...options };
    const sent = request(whole, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        body += chunk;
      });
      response.once('error', reject).once('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
      });
    });
    sent.once('error', reject).end();
  });
}
