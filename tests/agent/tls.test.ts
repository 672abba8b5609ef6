import { type FakeController, startController } from '../support/agentController';
import { createEngine, type EngineUnderTest } from '../support/agentEngine';
import { aListener, aMember, aPool, aSpec } from '../support/agentSpecs';
import { aListenerTls, askTls, bundleOf, createTexts, lookAt } from '../support/agentTls';
import { type Backend, startBackend } from '../support/backend';
import { type Issued, issue } from '../support/certificates/issue';

const VIP = '127.80.205.1';
const PORT = 20_443;

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

  const serve = (tls: Parameters<typeof aListenerTls>[0], listener: Parameters<typeof aListener>[0] = {}) => {
    generation += 1;
    return controller.put(
      aSpec({
        generation,
        vips: [VIP],
        listeners: [
          aListener({
            protocol: 'TERMINATED_HTTPS',
            port: PORT,
            tls: aListenerTls({ certificate: texts.material('certificate-site', bundleOf(site)), ...tls }),
            ...listener,
          }),
        ],
        pools: [aPool({ members: [aMember({ id: 'web', address: web.address, port: web.port })] })],
      }),
      texts.byDigest,
    );
  };

  it('serves requests, and shows the certificate with its chain', async () => {
    const chain = await issue({ cn: 'intermediate', isCa: true, issuer: authority });
    const leaf = await issue({ cn: 'www.example.org', dnsNames: ['www.example.org'], issuer: chain });
    const ack = await serve({ certificate: texts.material('certificate-site', bundleOf(leaf, [chain])) });

    expect(ack).toMatchObject({ outcome: 'applied', refusals: [] });
    const verified = { ca: authority.pem, servername: 'www.example.org', rejectUnauthorized: true };
    expect(await askTls(VIP, PORT, verified)).toMatch(/200 OK.*web\n$/s);
    expect(await lookAt(VIP, PORT, verified)).toMatchObject({
      chain: ['www.example.org', 'intermediate', 'authority'],
    });
  });
});
