import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { unitPaths } from '../../driver/agent/config';
import { end } from '../../driver/agent/process/identity';
import type { ListenerSpec, MaterialSpec } from '../../driver/protocol/spec';
import { type FakeController, startController } from '../support/agentController';
import { createEngine, type EngineUnderTest } from '../support/agentEngine';
import { aListener, aMember, aPool, aSpec } from '../support/agentSpecs';
import { aListenerTls, askTls, bundleOf, converse, createTexts, lookAt, openTls } from '../support/agentTls';
import { type Backend, startBackend } from '../support/backend';
import { type Issued, issue, issueCrl } from '../support/certificates/issue';
import { waitUntil } from '../support/wait';

const VIP = '127.80.205.2';
const PORT = 20_443;
const PLAIN = 20_080;

describe('certificates that change', () => {
  let controller: FakeController;
  let engine: EngineUnderTest;
  let web: Backend;
  let one: Issued;
  let two: Issued;
  let home: string;
  let generation = 0;
  let texts = createTexts();

  beforeAll(async () => {
    [web, one, two] = await Promise.all([
      startBackend('web'),
      issue({ cn: 'one.example.org', dnsNames: ['one.example.org'] }),
      issue({ cn: 'two.example.org', dnsNames: ['two.example.org'] }),
    ]);
  });
  afterAll(() => web.stop());
  beforeEach(async () => {
    texts = createTexts();
    controller = await startController();
    engine = createEngine([controller.url]);
    home = mkdtempSync('/dev/shm/slag-');
    Object.assign(engine.config, { materialsDir: home });
    await engine.start();
  });
  afterEach(async () => {
    await engine.dispose();
    rmSync(home, { recursive: true, force: true });
    await controller.close();
  });

  const material = (issued: Issued, name = `certificate-${issued.certificate.serialNumber}`) =>
    texts.material(name, bundleOf(issued));
  const specOf = (tls: Partial<NonNullable<ListenerSpec['tls']>>) => {
    generation += 1;
    return aSpec({
      generation,
      vips: [VIP],
      listeners: [
        aListener({ protocol: 'TERMINATED_HTTPS', port: PORT, tls: aListenerTls(tls) }),
        aListener({ id: 'listener-plain', port: PLAIN }),
      ],
      pools: [aPool({ members: [aMember({ id: 'web', address: web.address, port: web.port })] })],
    });
  };
  const serve = (tls: Partial<NonNullable<ListenerSpec['tls']>>) => controller.put(specOf(tls), texts.byDigest);
  const shown = async (servername = 'nobody') => (await lookAt(VIP, PORT, { servername })).cn;
  const plain = async () => (await fetch(`http://${VIP}:${PLAIN}/`)).status;
  const worker = () => engine.haproxy('lb-1')?.worker;
  /** Runs the change; the connection stays open throughout and the worker the same. */
  const withoutReload = async (change: (socket: TLSSocket) => Promise<void>) => {
    const socket = await openTls(VIP, PORT);
    const before = worker();
    await change(socket);
    expect(await converse(socket, 'keep-alive')).toMatch(/200 OK.*web\n$/s);
    expect(worker()).toEqual(before);
    socket.destroy();
  };

  it('are shown to new connections, while open ones go on, without a reload', async () => {
    await serve({ certificate: material(one) });
    await withoutReload(async () => {
      expect(await serve({ certificate: material(two) })).toMatchObject({ outcome: 'applied', refusals: [] });
      expect(await shown()).toBe('two.example.org');
    });
  });

  it('are shown when they were renewed under the same reference, in the same generation', async () => {
    const spec = specOf({ certificate: material(one, 'certificate-site') });
    await controller.put(spec, texts.byDigest);
    await withoutReload(async () => {
      const tls = aListenerTls({ certificate: material(two, 'certificate-site') });
      const [listener, ...others] = spec.listeners;
      const renewed = { ...spec, listeners: [{ ...(listener ?? aListener()), tls }, ...others], digest: 'renewed' };
      expect(await controller.put(renewed, texts.byDigest)).toMatchObject({ digest: 'renewed', refusals: [] });
      expect(await shown()).toBe('two.example.org');
    });
  });

  it('come and go beside the default one without a reload', async () => {
    await serve({ certificate: material(one) });
    const names = Array.from({ length: 20 }, (_, index) => `sni${index}.example.org`);
    const sni = await Promise.all(names.map((cn) => issue({ cn, dnsNames: [cn] })));
    await withoutReload(async () => {
      await serve({ certificate: material(one), sni: sni.map((it) => material(it)) });
      expect(await Promise.all(names.map(shown))).toEqual(names);

      await serve({ certificate: material(one), sni: sni.slice(1).map((it) => material(it)) });
      expect(await shown('sni0.example.org')).toBe('one.example.org');
      expect(await shown('sni19.example.org')).toBe('sni19.example.org');

      await serve({ certificate: material(one), sni: [material(sni[0] ?? one)] });
      expect(await shown('sni0.example.org')).toBe('sni0.example.org');
      expect(await shown('sni19.example.org')).toBe('one.example.org');
    });
  });

  it('of authorities and their revocation lists, too', async () => {
    const [old, young] = await Promise.all([issue({ cn: 'old', isCa: true }), issue({ cn: 'young', isCa: true })]);
    const [friend, newcomer] = await Promise.all([
      issue({ cn: 'friend', issuer: old }),
      issue({ cn: 'newcomer', issuer: young }),
    ]);
    const shows = ({ pem, keyPem }: Issued) => ({ cert: pem, key: keyPem });
    const ask = (client: Issued) =>
      askTls(VIP, PORT, shows(client)).then(
        () => 'let in',
        () => 'turned away',
      );
    const tls = (ca: Issued, crl: string) => ({
      certificate: material(one),
      clientAuthentication: 'MANDATORY' as const,
      clientCa: texts.material('ca-clients', ca.pem),
      clientCrl: texts.material('crl-clients', crl),
    });
    await serve(tls(old, await issueCrl(old)));
    expect(await Promise.all([friend, newcomer].map(ask))).toEqual(['let in', 'turned away']);
    const before = worker();

    await serve(tls(old, await issueCrl(old, undefined, [friend])));
    expect(await ask(friend)).toBe('turned away');

    await serve(tls(young, await issueCrl(young)));
    expect(await Promise.all([friend, newcomer].map(ask))).toEqual(['turned away', 'let in']);
    expect(worker()).toEqual(before);
  });

  it('and are too long for the runtime socket come by a reload', async () => {
    await serve({ certificate: material(one) });
    const socket = await openTls(VIP, PORT);
    const before = worker();
    const chain = await Promise.all(Array.from({ length: 40 }, (_, n) => issue({ cn: `authority ${n}`, isCa: true })));
    const certificate = texts.material('certificate-long', bundleOf(two, chain));
    expect(Object.values(texts.byDigest).some((text) => text.length > 16_384)).toBe(true);

    expect(await serve({ certificate })).toMatchObject({ refusals: [] });

    expect(await shown()).toBe('two.example.org');
    expect(worker()).not.toEqual(before);
    expect(await converse(socket, 'close')).toMatch(/200 OK.*web\n$/s);
  });

  it('and cannot be read are refused, and the other listeners serve on', async () => {
    await serve({ certificate: material(one) });
    const broken = texts.material('certificate-broken', one.pem);

    const ack = await serve({ certificate: broken });

    expect(ack).toMatchObject({ outcome: 'applied', refusals: [{ kind: 'listener', id: 'listener-1' }] });
    expect(ack.refusals[0]?.reason).toContain('haproxy: ');
    expect(await plain()).toBe(200);
    await serve({ certificate: material(two) });
    expect(await shown()).toBe('two.example.org');
  });

  it('and cannot be read, for one name, are left out alone', async () => {
    await serve({ certificate: material(one), sni: [material(two)] });
    const broken = texts.material('certificate-broken', one.pem);

    const ack = await serve({ certificate: material(one), sni: [broken, material(two)] });

    expect(ack.refusals).toMatchObject([{ kind: 'listener', id: 'listener-1' }]);
    expect(ack.refusals[0]?.reason).toContain('certificate-broken');
    expect(await shown()).toBe('one.example.org');
    expect(await shown('two.example.org')).toBe('two.example.org');
  });

  const unavailable = (name: string): MaterialSpec => ({ name, digest: null, problem: 'the key manager is away' });

  it('serve on under their name when they cannot be had', async () => {
    await serve({ certificate: material(one, 'certificate-site') });

    expect(await serve({ certificate: unavailable('certificate-site') })).toMatchObject({ refusals: [] });
    expect(await shown()).toBe('one.example.org');
  });

  it('and were never here leave the listener out, until they come', async () => {
    const ack = await serve({ certificate: unavailable('certificate-site') });
    expect(ack.refusals).toEqual([
      {
        kind: 'listener',
        id: 'listener-1',
        reason: 'its certificate is not on this engine: the key manager is away',
      },
    ]);
    expect(await plain()).toBe(200);

    const spec = specOf({ certificate: material(one, 'certificate-site') });
    expect((await controller.put(spec)).refusals).toHaveLength(1);
    expect(await controller.put(spec, texts.byDigest)).toMatchObject({ refusals: [] });
    expect(await shown()).toBe('one.example.org');
  });

  it('and lack for one name are left out, and the others shown', async () => {
    const ack = await serve({ certificate: material(one), sni: [unavailable('certificate-gone'), material(two)] });

    expect(ack.refusals).toMatchObject([{ kind: 'listener', id: 'listener-1' }]);
    expect(await shown('two.example.org')).toBe('two.example.org');
    expect(await shown()).toBe('one.example.org');
  });

  it('survive the agent, and the next one adopts them without a reload', async () => {
    await serve({ certificate: material(one), sni: [material(two)] });
    await withoutReload(async () => {
      await engine.stop({ keepServing: true });
      await engine.start();
      await controller.waitFor('the agent is back', () => controller.hellos().length === 2);
      expect(controller.hellos()[1]?.held).toMatchObject([{ lacking: [], refusals: [] }]);
      await serve({ certificate: material(two), sni: [material(one)] });
      expect(await shown('one.example.org')).toBe('one.example.org');
      expect(await shown()).toBe('two.example.org');
    });
  });

  it('are served again by the haproxy that follows one that crashed', async () => {
    await serve({ certificate: material(one), sni: [material(two)] });
    const died = engine.haproxy('lb-1');
    for (const { pid } of died === null ? [] : [died.master, died.worker]) process.kill(pid, 'SIGKILL');

    await waitUntil('another serves', 10_000, async () => (await shown('two.example.org').catch(() => '')) !== '');
    expect(await shown('two.example.org')).toBe('two.example.org');
    expect(await shown()).toBe('one.example.org');
  });

  it('leave nothing behind when an agent lost its state', async () => {
    await serve({ certificate: material(one) });
    const left = materials();
    const serving = engine.haproxy('lb-1');
    await engine.stop({ keepServing: true });
    await end(serving === null ? [] : [serving.master, serving.worker]);
    rmSync(engine.config.stateDir, { recursive: true });

    await engine.start();

    expect(existsSync(left)).toBe(false);
  });

  it('are kept, and served, as soon as there is room for them', async () => {
    mkdirSync(home, { recursive: true });
    writeFileSync(materials(), 'in the way');
    const ack = await serve({ certificate: material(one) });
    expect(ack.refusals).toEqual([
      { kind: 'listener', id: 'listener-1', reason: expect.stringMatching(/^its certificate cannot be kept: E/) },
    ]);
    expect(await plain()).toBe(200);

    rmSync(materials());

    await controller.waitFor('the agent tells that it is served', () => controller.ack('lb-1')?.refusals.length === 0);
    expect(await shown()).toBe('one.example.org');
  });

  it('are lost with the memory of the host: plain listeners serve, and the others once they are sent again', async () => {
    const spec = specOf({ certificate: material(one) });
    await controller.put(spec, texts.byDigest);
    await engine.stop({ keepServing: false });
    expect(existsSync(materials())).toBe(false);

    await engine.start();
    await controller.waitFor('the agent is back', () => controller.hellos().length === 2);
    expect(controller.hellos()[1]?.held).toMatchObject([
      {
        generation: spec.generation,
        lacking: Object.keys(texts.byDigest),
        refusals: [{ id: 'listener-1', reason: 'its certificate is not on this engine yet' }],
      },
    ]);
    expect(await plain()).toBe(200);
    await expect(shown()).rejects.toThrow();

    expect(await controller.put(spec, texts.byDigest)).toMatchObject({ refusals: [] });
    expect(await shown()).toBe('one.example.org');
  });

  const materials = () => unitPaths(engine.config, 'lb-1').materials;

  it('are in memory only, for nobody else to read, and gone with the load balancer', async () => {
    await serve({ certificate: material(one), sni: [material(two)] });
    const kept = filesBelow(materials());
    expect(kept.length).toBeGreaterThan(2);
    for (const path of kept) expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(materials()).mode & 0o777).toBe(0o700);

    const onDisk = filesBelow(join(engine.config.stateDir, '..')).map((path) => readFileSync(path, 'utf8'));
    expect(onDisk.filter((text) => text.includes('PRIVATE KEY'))).toEqual([]);
    expect(onDisk.filter((text) => text.includes(one.keyPem.split('\n')[1] ?? ''))).toEqual([]);

    await serve({ certificate: material(two) });
    const left = filesBelow(materials()).map((path) => readFileSync(path, 'utf8'));
    expect(left.filter((text) => text.includes(one.pem))).toEqual([]);
    const home = materials();
    await controller.remove('lb-1', generation);
    expect(existsSync(home)).toBe(false);
  });
});

describe('an engine whose directory for keys is on a disk', () => {
  it('refuses listeners that need them, and serves the others', async () => {
    const [controller, web, one] = await Promise.all([
      startController(),
      startBackend('web'),
      issue({ cn: 'one.example.org' }),
    ]);
    const texts = createTexts();
    const engine = createEngine([controller.url]);
    const directory = join(engine.config.stateDir, 'keys');
    Object.assign(engine.config, { materialsDir: directory });
    try {
      await engine.start();
      const certificate = texts.material('certificate-site', bundleOf(one));
      const spec = aSpec({
        vips: [VIP],
        listeners: [
          aListener({ protocol: 'TERMINATED_HTTPS', port: PORT, tls: aListenerTls({ certificate }) }),
          aListener({ id: 'listener-plain', port: PLAIN }),
        ],
        pools: [aPool({ members: [aMember({ id: 'web', address: web.address, port: web.port })] })],
      });

      const { refusals } = await controller.put(spec, texts.byDigest);

      expect(refusals).toEqual([
        {
          kind: 'listener',
          id: 'listener-1',
          reason: `its certificate cannot be kept: keys must not touch a disk, and ${directory} is not on a tmpfs`,
        },
      ]);
      expect((await fetch(`http://${VIP}:${PLAIN}/`)).status).toBe(200);
      expect(
        filesBelow(engine.config.stateDir)
          .map((path) => readFileSync(path, 'utf8'))
          .join(),
      ).not.toContain('PRIVATE');
    } finally {
      await engine.dispose();
      await Promise.all([controller.close(), web.stop()]);
    }
  });
});

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
}
