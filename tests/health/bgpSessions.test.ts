import { listBgpSessions } from '../../driver/db/bgpSessions';
import { explainSession } from '../../driver/health/bgpReasons';
import type { BgpSpec } from '../../driver/protocol/engineSpec';
import type { BgpState } from '../../driver/protocol/messages';
import type { FakeEngine } from '../support/engine';
import { type HealthSite, startHealthSite } from '../support/healthSite';
import { waitUntil } from '../support/wait';

describe('what a health-manager keeps of BGP sessions', () => {
  let site: HealthSite;
  let engine: FakeEngine;
  beforeEach(async () => {
    site = await startHealthSite();
    const { url } = await site.start({ networkPatience: 500 });
    engine = await site.addEngine();
    await engine.connect(url);
  });
  afterEach(() => site.close());

  const tell = (state: BgpState['peers'][number]['state'], lastError: string | null = null) =>
    engine.send({
      ...{ type: 'bgp', domainId: 'net-1', announced: ['10.0.0.60/32'] },
      peers: [{ address: '10.0.0.1', state, lastError }],
    });
  const messages = async (name: string) => (await site.events(name)).map(({ message }) => message);
  const until = (what: string, condition: () => Promise<boolean>) => waitUntil(what, 30_000, condition);

  it('is an event when one comes up, and another with the reason when it goes down', async () => {
    tell('connect');
    tell('established');
    await until('it is told', async () => (await messages('BGP_SESSION_UP')).length === 1);
    expect(await listBgpSessions(site.db, engine.id)).toEqual([
      {
        ...{ engineId: engine.id, domainId: 'net-1', peerAddress: '10.0.0.1', established: true, reason: null },
        announced: ['10.0.0.60/32'],
      },
    ]);
    tell('active', 'Received: Administrative shutdown');
    await until('it is told', async () => (await messages('BGP_SESSION_DOWN')).length === 1);
    expect((await messages('BGP_SESSION_DOWN'))[0]).toMatch(/went down: Received: Administrative shutdown$/);
    expect((await site.events('BGP_SESSION_DOWN'))[0]?.service_engine_id).toBe(engine.id);
    expect(await listBgpSessions(site.db, engine.id)).toMatchObject([
      { established: false, reason: 'Received: Administrative shutdown', announced: [] },
    ]);
  });

  it('is one event of a session that does not come up, however often it is tried', async () => {
    for (const state of ['idle', 'connect', 'active', 'opensent'] as const) tell(state, 'Socket: Connection refused');
    await until('it is told', async () => (await messages('BGP_SESSION_DOWN')).length === 1);
    expect((await messages('BGP_SESSION_DOWN'))[0]).toMatch(/does not come up: Socket: Connection refused$/);
    tell('connect', 'Socket: Connection refused');
    tell('established');
    await until('it is up', async () => (await messages('BGP_SESSION_UP')).length === 1);
    expect(await messages('BGP_SESSION_DOWN')).toHaveLength(1);
  });

  it('is nothing new when an engine that is connected anew tells of what is known', async () => {
    tell('established');
    await until('it is told', async () => (await messages('BGP_SESSION_UP')).length === 1);
    const { url } = await site.start();
    await engine.disconnect();
    await engine.connect(url);
    tell('established');
    tell('idle', 'Hold timer expired');
    await until('the end is told', async () => (await messages('BGP_SESSION_DOWN')).length === 1);
    expect(await messages('BGP_SESSION_UP')).toHaveLength(1);
  });
});

describe('why a session is not there', () => {
  const spec = (over: Partial<BgpSpec> = {}, md5Secret: string | null = null): BgpSpec => ({
    ...{ localAs: 65001, routerId: '10.0.0.5', keepalive: 60, hold: 180, connectRetry: 10, multihop: null },
    ...{ bfd: { transmitInterval: 1000, receiveInterval: 1000, multiplier: 3 }, communities: [] },
    peers: [{ address: '10.0.0.1', remoteAs: 64512, md5Secret, bfd: false }],
    ...over,
  });
  const why = (bgp: BgpSpec | undefined, lastError: string | null = null) =>
    explainSession(bgp, { address: '10.0.0.1', state: 'connect', lastError });

  it('is said of iBGP, of a wrong AS, and of an MD5 secret with the advice to try without', () => {
    expect(why(spec({ localAs: 64512 }))).toMatch(
      /^iBGP: AS 64512 is the peer's own as well; .*give the engines another AS/,
    );
    expect(why(spec(), 'Received: Bad peer AS')).toMatch(
      /this side is 65001 and expects 64512 \(Received: Bad peer AS\)$/,
    );
    expect(why(spec({}, 'secret'))).toMatch(/^an MD5 secret is set: .*try without \(no answer\)$/);
    expect(why(spec({}, 'secret'), 'Received: Bad peer AS')).toMatch(/^the AS is not what was agreed upon/);
  });

  it('is what the daemon says where nothing else explains it, and never the secret', () => {
    expect(why(spec(), 'Socket: No route to host')).toBe('Socket: No route to host');
    expect(why(undefined)).toBe('no answer');
    expect(why(spec({}, 'hunter2'))).not.toContain('hunter2');
  });
});
