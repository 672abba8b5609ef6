import type { BgpSpec } from '../../driver/protocol/engineSpec';
import type { BgpState } from '../../driver/protocol/messages';
import type { AnnouncementSpec, LoadBalancerSpec } from '../../driver/protocol/spec';
import { aListener, aMember, aMonitor, aPool, aSpec } from '../support/agentSpecs';
import { type Gobgp, startGobgp } from '../support/gobgp';
import { createTopology, type Namespace, type Network } from '../support/namespaces';
import { type Actor, startActor } from '../support/networkActor';
import { anEngineSpec, aVnic, createNetworkEngine, type NetworkEngine } from '../support/networkEngine';
import { waitUntil } from '../support/wait';
import { describeWithNamespaces } from '../support/withServers';

/** An engine whose BIRD tells a GoBGP, which stands for the control-node, of its VIPs: on the address of the subnet's gateway. */
const MAC = 'fa:16:3e:00:00:01';
const OWN = '10.0.0.5';
const PEER = '10.0.0.1';
const VIP = '10.0.0.100';
const VIP6 = 'fd00::100';
const MEMBER = '10.0.0.30';
const PATIENCE = 40_000;

const ANNOUNCED: AnnouncementSpec = { when: 'usable', upDelay: 2000, downDelay: 3000, draining: false };

function bgpSpec(over: Partial<BgpSpec> = {}): BgpSpec {
  return {
    localAs: 65001,
    routerId: OWN,
    keepalive: 3,
    hold: 9,
    connectRetry: 2,
    bfd: { transmitInterval: 300, receiveInterval: 300, multiplier: 3 },
    multihop: null,
    communities: ['64512:55'],
    peers: [{ address: PEER, remoteAs: 64512, md5Secret: null, bfd: false }],
    ...over,
  };
}

describeWithNamespaces('the BGP speaker of an engine', () => {
  const topology = createTopology('ss-bgp');
  let network: Network;
  let engine: NetworkEngine;
  let router: Namespace;
  let memberSpace: Namespace;
  let member: Actor;
  let client: Actor;
  let gobgp: Gobgp;
  let generation = 0;

  beforeAll(async () => {
    network = await topology.network('net');
    const machine = await topology.namespace('vm');
    const plug = async (label: string, last: number) => {
      const namespace = await topology.namespace(label);
      const macAddress = `fa:16:3e:00:01:${String(last).padStart(2, '0')}`;
      await network.plug(namespace, { macAddress, addresses: [`10.0.0.${last}/24`, `fd00::${last}/64`] });
      return namespace;
    };
    router = await plug('r', 1);
    memberSpace = await plug('m', 30);
    member = startActor(memberSpace);
    await member.serve(MEMBER, 8000, 'web');
    client = startActor(await plug('c', 20));
    engine = await createNetworkEngine(machine);
    await engine.start();
    await network.plug(machine, { macAddress: MAC, up: false });
    gobgp = await startControlNode(64512);
  });
  afterEach(() => memberIs('up'));
  afterAll(async () => {
    await gobgp?.end();
    await engine?.dispose();
    await topology.dispose();
  });

  const startControlNode = (as: number, secret?: string) =>
    startGobgp(router, {
      ...{ as, routerId: PEER },
      neighbours: [OWN, 'fd00::5'].map((address) => ({ address, as: 65001, ...(secret !== undefined && { secret }) })),
    });
  const putNetworks = (bgp: BgpSpec | null) => {
    generation += 1;
    const vnics = [aVnic({ macAddress: MAC, addresses: [`${OWN}/24`, 'fd00::5/64'] })];
    const domain = { id: 'domain-1', vnics, routes: [], ...(bgp !== null && { bgp }) };
    return engine.controller.putNetworks(anEngineSpec(generation, [domain]));
  };
  const spec = (over: Partial<LoadBalancerSpec> = {}) => {
    generation += 1;
    return aSpec({
      ...{ generation, domainId: 'domain-1', vips: [VIP, VIP6], announcement: ANNOUNCED },
      digest: `digest-${generation}`,
      listeners: [aListener({ port: 80 })],
      pools: [
        aPool({
          members: [aMember({ address: MEMBER, port: 8000 })],
          monitor: aMonitor({ type: 'TCP', httpMethod: null, urlPath: null, expectedCodes: null }),
        }),
      ],
      ...over,
    });
  };
  const memberIs = async (state: 'up' | 'down') => {
    const chain = [
      'chain input {',
      'type filter hook input priority filter',
      'tcp dport 8000 reject with tcp reset',
      '}',
    ];
    const closed = state === 'down' ? ['table inet gate {', ...chain, '}'] : [];
    const text = ['table inet gate', 'delete table inet gate', ...closed, ''].join('\n');
    await memberSpace.run('sh', '-c', `printf '%s' '${text}' | nft -f -`);
  };
  const until = (what: string, condition: () => boolean | Promise<boolean>) => waitUntil(what, PATIENCE, condition);
  const hears = (...prefixes: string[]) =>
    until(`the peer knows ${prefixes.join(', ') || 'nothing'}`, async () => {
      const found = [...(await gobgp.routes()).keys()].sort();
      return found.join(' ') === [...prefixes].sort().join(' ');
    });
  const next = () => {
    generation += 1;
    return generation;
  };
  const memberState = () => engine.controller.report('lb-1')?.pools['pool-1']?.members['member-1'];
  const session = (condition: (peer: BgpState['peers'][number]) => boolean) =>
    engine.controller.waitFor(
      'the session is so',
      () => engine.controller.bgp('domain-1')?.peers.every(condition) === true,
    );
  const both = [`${VIP}/32`, `${VIP6}/128`];

  it('announces the VIPs of both families over one session, with the communities and its own addresses', async () => {
    await engine.controller.put(spec());
    expect(await putNetworks(bgpSpec())).toMatchObject({ problems: [] });
    await engine.controller.put(spec());
    await hears(...both);
    const routes = await gobgp.routes();
    expect(routes.get(`${VIP}/32`)).toEqual({ nextHops: [OWN], asPath: [65001], communities: ['64512:55'] });
    expect(routes.get(`${VIP6}/128`)).toEqual({ nextHops: ['fd00::5'], asPath: [65001], communities: ['64512:55'] });
    await engine.controller.waitFor('the engine tells of it', () => {
      const state = engine.controller.bgp('domain-1');
      return state?.peers[0]?.state === 'established' && state.announced.join() === both.join();
    });
    expect(engine.controller.hellos()[0]?.daemons).toHaveProperty('bird');
  });

  it('withdraws them when all members are down, and brings them back', async () => {
    await memberIs('down');
    await hears();
    expect(engine.controller.bgp('domain-1')?.peers[0]?.state).toBe('established');
    await memberIs('up');
    await hears(...both);
  });

  it('does not follow a member that comes and goes every second', async () => {
    // Long enough for a machine that has other things to do.
    await engine.controller.put(spec({ announcement: { ...ANNOUNCED, downDelay: 20_000 } }));
    await hears(...both);
    const changes = await gobgp.follow();
    for (let round = 0; round < 8; round += 1) {
      await memberIs(round % 2 === 0 ? 'down' : 'up');
      const state = round % 2 === 0 ? 'DOWN' : 'UP';
      await engine.controller.waitFor(`the member is seen ${state}`, () => memberState() === state);
    }
    await hears(...both);
    expect(changes).toEqual([]);
    await engine.controller.put(spec());
  });

  it('lets nothing be noticed of a new agent, whether the old one was killed or asked to end', async () => {
    const changes = await gobgp.follow();
    const [bird] = engine.birds();
    await engine.end('SIGKILL');
    await engine.start();
    await engine.controller.waitFor('the new agent tells of the session', () => {
      const { received } = engine.controller;
      const hello = received.findLastIndex(({ type }) => type === 'hello');
      return received
        .slice(hello)
        .some((it) => it.type === 'bgp' && it.peers[0]?.state === 'established' && it.announced.length === 2);
    });
    expect(engine.birds()).toEqual([bird]);
    expect(changes).toEqual([]);
    await engine.controller.put(spec({ listeners: [aListener({ port: 80, timeoutClientData: 20_000 })] }));
    expect([...(await gobgp.routes()).keys()].sort()).toEqual([...both].sort());
    expect(changes).toEqual([]);
  });

  it('starts a BIRD that has died again, and says so', async () => {
    const [bird] = engine.birds();
    process.kill(bird?.pid ?? 0, 'SIGKILL');
    await until('another one runs', () => engine.birds().some(({ pid }) => pid !== bird?.pid));
    await hears(...both);
    await engine.controller.waitFor('it is told', () =>
      engine.controller.received.some((it) => it.type === 'event' && it.name === 'BGP_SPEAKER_CRASHED'),
    );
  });

  it('serves on with the last good configuration when one is refused, and names the reason', async () => {
    await putNetworks(bgpSpec({ hold: 1 }));
    await engine.controller.waitFor('the refusal is told', () =>
      (engine.controller.networksAck()?.problems ?? []).some(({ reason }) => reason.includes('bird refuses')),
    );
    expect(engine.controller.networksAck()?.problems[0]).toMatchObject({ domainId: 'domain-1', vnicId: null });
    expect([...(await gobgp.routes()).keys()].sort()).toEqual([...both].sort());
    await putNetworks(bgpSpec());
    await engine.controller.waitFor('it is gone', () => engine.controller.networksAck()?.problems.length === 0);
    await hears(...both);
  });

  it('announces what leaves the engine with GRACEFUL_SHUTDOWN, then no more, while it is served on', async () => {
    const served = spec();
    await engine.controller.put(served);
    await engine.controller.put({
      ...served,
      ...{ generation: next(), digest: 'draining', announcement: { ...ANNOUNCED, draining: true } },
    });
    await until('the community is there', async () => {
      return (await gobgp.routes()).get(`${VIP}/32`)?.communities.includes('65535:0') === true;
    });
    await hears();
    expect(await client.fetch(VIP, 80)).toContain('web');
  });

  it('announces what drains beside others as usual, and with GRACEFUL_SHUTDOWN before it is forgotten', async () => {
    const changes = await gobgp.follow();
    await engine.controller.put(spec({ leaving: true }));
    await hears(...both);
    expect((await gobgp.routes()).get(`${VIP}/32`)?.communities).toEqual(['64512:55']);
    await putNetworks(bgpSpec({ communities: ['64512:56'] }));
    await until('changes are followed', () => changes.length > 0);
    await engine.controller.remove('lb-1', next());
    await until('it is withdrawn', () => changes.includes(`-${VIP}/32`));
    expect(changes.filter((one) => one.includes(VIP)).slice(-2)).toEqual([`${VIP}/32 gracefully`, `-${VIP}/32`]);
    await hears();
    await putNetworks(bgpSpec());
  });

  it('announces fifty load balancers of one domain, and forgets them one by one', async () => {
    const vips = Array.from({ length: 50 }, (_, index) => `10.0.0.${150 + index}`);
    const specs = vips.map((vip, index) => ({
      ...spec({ vips: [vip], pools: [aPool({ members: [aMember({ address: MEMBER, port: 8000 })] })] }),
      id: `lb-${index + 10}`,
    }));
    await engine.controller.remove('lb-1', generation);
    await Promise.all(specs.map((one) => engine.controller.put(one)));
    await hears(...vips.map((vip) => `${vip}/32`));
    expect(engine.birds()).toHaveLength(1);

    // Its haproxy is ended after peers have been told: as long as it is there for them, it serves.
    const removal = engine.controller.remove('lb-10', next());
    await until('it is withdrawn', async () => !(await gobgp.routes()).has(`${vips[0]}/32`));
    await removal;
    await Promise.all(specs.slice(1).map(({ id }) => engine.controller.remove(id, next())));
    await hears();
  });

  it('says what keeps a session down: a wrong MD5 secret by silence, a wrong AS by name', async () => {
    const secret = 'correct horse';
    await gobgp.end();
    gobgp = await startControlNode(64512, secret);
    const peer = { address: PEER, remoteAs: 64512, md5Secret: secret, bfd: false };
    await engine.controller.put(spec());
    await putNetworks(bgpSpec({ peers: [peer] }));
    await hears(...both);

    await putNetworks(bgpSpec({ peers: [{ ...peer, md5Secret: 'battery staple' }] }));
    await session(({ state }) => state !== 'established');
    await hears();
    await putNetworks(bgpSpec({ peers: [peer] }));
    await hears(...both);

    await putNetworks(bgpSpec({ localAs: 64512, peers: [peer] }));
    await session(({ state, lastError }) => state !== 'established' && lastError === 'Received: Bad peer AS');
    await putNetworks(bgpSpec({ peers: [peer] }));
    await hears(...both);
  });

  it('has a session for each family where peers have addresses of both', async () => {
    await gobgp.end();
    gobgp = await startControlNode(64512);
    const peers = [PEER, 'fd00::1'].map((address) => ({ address, remoteAs: 64512, md5Secret: null, bfd: false }));
    await putNetworks(bgpSpec({ peers }));
    await hears(...both);
    await until('both are established', async () => {
      return (await gobgp.session(OWN)) === 'established' && (await gobgp.session('fd00::5')) === 'established';
    });
    expect((await gobgp.routes()).get(`${VIP6}/128`)?.nextHops).toContain('fd00::5');
  });

  it('takes leave of its peers and is gone when the domain has no BGP any more', async () => {
    await putNetworks(null);
    await hears();
    await until('no BIRD is left', () => engine.birds().length === 0);
    expect(await client.fetch(VIP, 80)).toContain('web');
  });
});
