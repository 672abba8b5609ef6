import { createHash } from 'node:crypto';
import type { Certificates, TlsMaterial } from '../../driver/clouds/certificates/port';
import { CertificateRetrievalError, UnavailableError } from '../../driver/domain/errors';
import type { PutSpec } from '../../driver/protocol/messages';
import type { FakeEngine } from '../support/engine';
import { addListener, addLoadBalancer, addPlacement, addPool } from '../support/fleetRows';
import { type HealthSite, startHealthSite } from '../support/healthSite';
import { waitUntil } from '../support/wait';

const DAY = 86_400_000;

/** A key manager whose content and moods a test decides. */
interface KeyManager extends Certificates {
  readonly contents: Map<string, string>;
  /** How often it was asked. */
  asked: number;
  mood: 'fine' | 'away' | 'silent';
  /** Ends the waits of those who asked while it was silent. */
  readonly silenced: (() => void)[];
  notAfter: Date;
}

function aKeyManager(contents: Record<string, string>): KeyManager {
  const found = (manager: KeyManager, ref: string): string => {
    manager.asked += 1;
    const text = manager.contents.get(ref);
    if (manager.mood === 'away') throw new UnavailableError('away');
    if (text === undefined) throw new CertificateRetrievalError([ref], [`${ref}: it is not there`]);
    return text;
  };
  const manager: KeyManager = {
    contents: new Map(Object.entries(contents)),
    asked: 0,
    mood: 'fine',
    silenced: [],
    notAfter: new Date(Date.now() + 300 * DAY),
    checkReferences: async () => undefined,
    registerConsumer: async () => undefined,
    unregisterConsumer: async () => undefined,
    async fetchMaterial(ref): Promise<TlsMaterial> {
      if (manager.mood === 'silent') await new Promise<void>((resolve) => manager.silenced.push(resolve));
      return {
        certificate: `certificate ${found(manager, ref)}\n`,
        intermediates: ['chain\n'],
        privateKey: 'key\n',
        primaryCn: 'www.example.org',
        dnsNames: [],
        notBefore: new Date(0),
        notAfter: manager.notAfter,
        fingerprint: createHash('sha256').update(ref).digest('hex'),
      };
    },
    fetchCaBundle: async (ref) => found(manager, ref),
    fetchCrl: async (ref) => found(manager, ref),
  };
  return manager;
}

describe('the certificates of users', () => {
  let site: HealthSite;
  let keys: KeyManager;
  beforeEach(async () => {
    site = await startHealthSite();
    keys = aKeyManager({ 'ref-a': 'A', 'ref-ca': 'CA' });
  });
  afterEach(() => site.close());

  const QUICKLY = { certRefreshInterval: 100 };
  const RARELY = { certRefreshInterval: 3_600_000 };
  const TLS = { protocol: 'TERMINATED_HTTPS', protocol_port: 443, tls_certificate_id: 'ref-a' };

  async function place(engine: FakeEngine, listener: Record<string, unknown> = TLS): Promise<string> {
    const lb = await addLoadBalancer(site.db);
    await addListener(site.db, lb, listener);
    await addPlacement(site.db, { loadBalancerId: lb, engineId: engine.id });
    return lb;
  }
  const putsOf = (engine: FakeEngine, lb: string): PutSpec[] =>
    engine.received.flatMap((message) => (message.type === 'put' && message.spec.id === lb ? [message] : []));
  const sent = (engine: FakeEngine, lb: string) => putsOf(engine, lb).map(({ materials }) => Object.values(materials));
  const certificate = (put: PutSpec | undefined) => put?.spec.listeners[0]?.tls?.certificate;
  const confirmed = (lb: string) => site.waitForRow('placement', { load_balancer_id: lb, confirmed_generation: 1 });
  /** A change that has nothing to do with certificates. */
  async function touch(engine: FakeEngine, lb: string): Promise<void> {
    await site.db('load_balancer').where({ id: lb }).increment('generation', 1);
    await site.db('placement').where({ load_balancer_id: lb }).increment('wanted_generation', 1);
    await site.hint(engine.id, lb);
  }

  it('go to the engine beside the spec, each text once', async () => {
    const { url } = await site.start(RARELY, keys);
    const engine = await site.addEngine();
    await engine.connect(url);
    const lb = await place(engine, {
      ...TLS,
      client_ca_tls_certificate_id: 'ref-ca',
      client_authentication: 'OPTIONAL',
    });
    await confirmed(lb);
    await touch(engine, lb);
    await waitUntil('the second generation is sent', 5_000, () => putsOf(engine, lb).length === 2);

    expect(sent(engine, lb)).toEqual([['certificate A\nchain\nkey\n', 'CA'], []]);
    const { name, digest } = certificate(putsOf(engine, lb)[1]) ?? {};
    expect(name).toMatch(/^certificate-[0-9a-f]{32}$/);
    expect(digest).toBe(createHash('sha256').update('certificate A\nchain\nkey\n').digest('hex'));
  });

  it('of pools that no listener uses do not go to engines', async () => {
    const { url } = await site.start(RARELY, keys);
    const engine = await site.addEngine();
    await engine.connect(url);
    const lb = await addLoadBalancer(site.db);
    await addListener(site.db, lb, TLS);
    await addPool(site.db, lb, { tls_enabled: 1, ca_tls_certificate_id: 'ref-ca' });
    await addPlacement(site.db, { loadBalancerId: lb, engineId: engine.id });
    await confirmed(lb);

    expect(sent(engine, lb)).toEqual([['certificate A\nchain\nkey\n']]);
  });

  it('are sent anew, in the same generation, when they have changed in the key manager', async () => {
    const { url } = await site.start(QUICKLY, keys);
    const engine = await site.addEngine();
    await engine.connect(url);
    const lb = await place(engine);
    await confirmed(lb);

    keys.contents.set('ref-a', 'B');
    await waitUntil('the new one is sent', 5_000, () => putsOf(engine, lb).length === 2);

    const [first, second] = putsOf(engine, lb);
    expect(Object.values(second?.materials ?? {})).toEqual(['certificate B\nchain\nkey\n']);
    expect(second?.spec.generation).toBe(first?.spec.generation);
    expect(second?.spec.digest).not.toBe(first?.spec.digest);
    expect(certificate(second)?.name).toBe(certificate(first)?.name);
  });

  it('stay as they are while the key manager is away', async () => {
    const { url } = await site.start(QUICKLY, keys);
    const engine = await site.addEngine();
    await engine.connect(url);
    const lb = await place(engine);
    await confirmed(lb);
    keys.mood = 'away';
    const { asked } = keys;
    await waitUntil('it was asked in vain', 5_000, () => keys.asked > asked);

    await touch(engine, lb);
    await waitUntil('the second generation is sent', 5_000, () => putsOf(engine, lb).length === 2);

    expect(certificate(putsOf(engine, lb)[1])).toEqual(certificate(putsOf(engine, lb)[0]));
  });

  it('are named without a text by a health-manager that never had it', async () => {
    keys.mood = 'away';
    const { url } = await site.start(RARELY, keys);
    const engine = await site.addEngine();
    await engine.connect(url);
    const lb = await place(engine);
    await confirmed(lb);

    expect(putsOf(engine, lb)[0]?.materials).toEqual({});
    expect(certificate(putsOf(engine, lb)[0])).toMatchObject({
      digest: null,
      problem: 'the key manager cannot be asked',
    });
  });

  it('and are gone from the key manager are told of with the reason, and sent when they are back', async () => {
    const { url } = await site.start(QUICKLY, keys);
    const engine = await site.addEngine();
    await engine.connect(url);
    keys.contents.delete('ref-a');
    const lb = await place(engine);
    await confirmed(lb);
    expect(certificate(putsOf(engine, lb)[0])).toMatchObject({ digest: null, problem: 'ref-a: it is not there' });

    keys.contents.set('ref-a', 'A');
    await waitUntil('it is sent', 5_000, () => sent(engine, lb).flat().length === 1);
  });

  it('are sent again to an engine that lost them in a reboot', async () => {
    const { url } = await site.start(RARELY, keys);
    const engine = await site.addEngine();
    await engine.connect(url);
    const lb = await place(engine);
    await confirmed(lb);
    await engine.disconnect();
    engine.behave({ lacking: [certificate(putsOf(engine, lb)[0])?.digest ?? ''] });

    await engine.connect(url);
    await waitUntil('it is sent', 5_000, () => putsOf(engine, lb).length === 2);

    expect(sent(engine, lb)[1]).toEqual(['certificate A\nchain\nkey\n']);
  });

  it('are not sent again to an engine that comes back with them', async () => {
    const { url } = await site.start(RARELY, keys);
    const engine = await site.addEngine();
    await engine.connect(url);
    const lb = await place(engine);
    await confirmed(lb);
    await engine.disconnect();
    await engine.connect(url);
    const later = await place(engine);
    await confirmed(later);

    expect(putsOf(engine, lb)).toHaveLength(1);
  });

  it('and are waited for hold up no other load balancer', async () => {
    keys.mood = 'silent';
    const { url } = await site.start({ ...RARELY, buildConcurrency: 1 }, keys);
    const engine = await site.addEngine();
    await engine.connect(url);
    const waiting = await place(engine);
    const plain = await place(engine, {});
    await confirmed(plain);
    expect(putsOf(engine, waiting)).toEqual([]);

    for (const end of keys.silenced) end();
    await confirmed(waiting);
  });

  it.each([
    [40, undefined],
    [20, 'within 30 days'],
    [6, 'within 7 days'],
    [0.5, 'within 1 day'],
    [-1, 'expired on'],
  ])('are told of, once, when they end in %s days', async (days, words) => {
    keys.notAfter = new Date(Date.now() + days * DAY);
    const { url } = await site.start(QUICKLY, keys);
    const engine = await site.addEngine();
    await engine.connect(url);
    const lb = await place(engine);
    await confirmed(lb);
    const name = days < 0 ? 'CERTIFICATE_EXPIRED' : 'CERTIFICATE_EXPIRES';
    const rounds = keys.asked + 4;
    await waitUntil('it was looked at several times', 5_000, () => keys.asked >= rounds);
    // Another health-manager, or this one after a restart, finds it told.
    await site.start(QUICKLY, keys);

    const events = await site.events(name);
    expect(events.length).toBe(words === undefined ? 0 : 1);
    if (words !== undefined) expect(events[0]?.message).toContain(words);
  });
});
