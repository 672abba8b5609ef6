import type { FirewallRule, LoadBalancerSpec } from '../../driver/protocol/spec';
import { aListener, aMember, aMonitor, aPool, aSpec } from '../support/agentSpecs';
import { createTopology, type Namespace } from '../support/namespaces';
import { type Actor, startActor } from '../support/networkActor';
import { anEngineSpec, aVnic, createNetworkEngine, type NetworkEngine } from '../support/networkEngine';
import { describeWithNamespaces } from '../support/withServers';

/** One network, one engine in it with one interface, two load balancers on the engine. */
const MEMBER = '10.0.0.30';
const [LEFT, RIGHT] = ['10.0.0.20', '10.0.0.21'];
const VIP = '10.0.0.100';
const VIP6 = 'fd00::100';
const OTHER_VIP = '10.0.0.101';

describeWithNamespaces('the filter of a domain', () => {
  const topology = createTopology('ss-filt');
  let engine: NetworkEngine;
  let left: Actor;
  let right: Actor;
  let generation = 0;

  beforeAll(async () => {
    const network = await topology.network('net');
    const machine = await topology.namespace('vm');
    const actor = async (label: string, last: number, addresses: string[]) => {
      const namespace = await topology.namespace(label);
      await network.plug(namespace, { macAddress: `fa:16:3e:00:01:${last}`, addresses });
      return startActor(namespace);
    };
    left = await actor('l', 20, [`${LEFT}/24`, 'fd00::20/64']);
    right = await actor('r', 21, [`${RIGHT}/24`, 'fd00::21/64']);
    const member = await actor('m', 30, [`${MEMBER}/24`]);
    await member.serve(MEMBER, 8000, 'web');
    await member.echo(MEMBER, 5300, 'dns');
    engine = await createNetworkEngine(machine);
    await engine.start();
    await network.plug(machine, { macAddress: 'fa:16:3e:00:00:01', up: false });
    const vnics = [aVnic({ addresses: ['10.0.0.5/24', 'fd00::5/64'] })];
    const ack = await engine.controller.putNetworks(anEngineSpec(1, [{ id: 'domain-1', vnics, routes: [] }]));
    expect(ack.problems).toEqual([]);
  });
  afterAll(async () => {
    await engine?.dispose();
    await topology.dispose();
  });

  const serve = async (over: Partial<LoadBalancerSpec>, allowedCidrs: string[] = []) => {
    generation += 1;
    const spec = aSpec({
      generation,
      domainId: 'domain-1',
      vips: [VIP, VIP6],
      listeners: [
        aListener({ id: 'http', port: 80, allowedCidrs }),
        aListener({ id: 'tcp', port: 81, protocol: 'TCP', defaultPoolId: 'pool-tcp', allowedCidrs }),
        aListener({ id: 'udp', port: 53, protocol: 'UDP', defaultPoolId: 'pool-udp', allowedCidrs }),
      ],
      pools: [
        aPool({ members: [aMember({ address: MEMBER, port: 8000 })] }),
        aPool({ id: 'pool-tcp', protocol: 'TCP', members: [aMember({ address: MEMBER, port: 8000 })] }),
        aPool({
          id: 'pool-udp',
          protocol: 'UDP',
          members: [aMember({ address: MEMBER, port: 5300 })],
          monitor: aMonitor({ type: 'UDP-CONNECT' }),
        }),
      ],
      ...over,
    });
    // As digests are made of all of it, and `aSpec` makes them of some.
    const ack = await engine.controller.put({ ...spec, digest: `${spec.id} ${generation}` });
    expect(ack).toMatchObject({ outcome: 'applied', refusals: [] });
  };
  /** Waits long for what is to come, and not as long for what is not. */
  const patience = (wanted: string) => (wanted === 'silence' ? 1000 : 20_000);
  /** What HTTP, TCP, UDP and HTTP by IPv6 give. */
  const expectSeen = async (actor: Actor, wanted: readonly string[]) => {
    const [http = '', tcp = '', udp = '', http6 = ''] = wanted;
    const seen = await Promise.all([
      actor.fetch(VIP, 80, patience(http)),
      actor.fetch(VIP, 81, patience(tcp)),
      actor.ask(VIP, 53, 'who', patience(udp)),
      actor.fetch(VIP6, 80, patience(http6)),
    ]);
    expect(seen).toEqual(wanted);
  };
  const WELCOME = ['web 10.0.0.5', 'web 10.0.0.5', 'dns who', 'web 10.0.0.5'];
  const NOTHING = ['silence', 'silence', 'silence', 'silence'];
  const pings = (namespace: Namespace, address: string) =>
    namespace.run('ping', '-c', '1', '-W', '1', address).then(
      () => true,
      () => false,
    );

  it("lets everybody to the listeners' ports and to no others, and answers pings", async () => {
    await serve({});
    await expectSeen(left, WELCOME);
    expect(await left.fetch(VIP, 8080, 1000)).toBe('silence');
    expect(await left.fetch('10.0.0.5', 80, 1000)).toBe('silence');
    expect(await pings(left.namespace, VIP)).toBe(true);
    expect(await pings(left.namespace, VIP6)).toBe(true);
    // As the health check of a vRouter does.
    expect(await pings(left.namespace, '10.0.0.5')).toBe(true);
  });

  it('drops who is in none of the allowed CIDRs, by TCP, HTTP and UDP', async () => {
    await serve({}, [`${LEFT}/32`, '10.0.0.16/29', '10.0.0.16/30', 'fd00::20/128']);
    await expectSeen(left, WELCOME);
    await serve({}, [`${LEFT}/32`, 'fd00::20/128']);
    await expectSeen(right, NOTHING);
    await serve({}, ['0.0.0.0/0']);
    await expectSeen(right, [...WELCOME.slice(0, 3), 'silence']);
  });

  const rule = (over: Partial<FirewallRule>): FirewallRule => ({
    protocol: 'tcp',
    portMin: 80,
    portMax: 80,
    sources: ['0.0.0.0/0'],
    ...over,
  });

  it("lets in what the user's groups let in, and of that what the allowed CIDRs do", async () => {
    await serve({ firewall: [] });
    await expectSeen(left, NOTHING);
    expect(await pings(left.namespace, VIP)).toBe(false);

    const groups = [rule({}), rule({ protocol: 'udp', portMin: null, portMax: null, sources: [`${LEFT}/32`] })];
    await serve({ firewall: groups });
    await expectSeen(left, ['web 10.0.0.5', 'silence', 'dns who', 'silence']);
    await expectSeen(right, ['web 10.0.0.5', 'silence', 'silence', 'silence']);

    await serve({ firewall: [...groups, rule({ protocol: 'icmp', portMin: null, portMax: null })] }, [`${RIGHT}/32`]);
    await expectSeen(left, NOTHING);
    await expectSeen(right, ['web 10.0.0.5', 'silence', 'silence', 'silence']);
    expect(await pings(left.namespace, VIP)).toBe(true);
    expect(await pings(left.namespace, VIP6)).toBe(false);

    await serve({ firewall: [rule({ protocol: null, portMin: null, portMax: null, sources: ['::/0'] })] });
    await expectSeen(left, ['silence', 'silence', 'silence', 'web 10.0.0.5']);
  });

  it('filters each load balancer by its own rules', async () => {
    await serve({}, [`${LEFT}/32`]);
    await serve({ id: 'lb-2', vips: [OTHER_VIP], firewall: [rule({ sources: [`${RIGHT}/32`] })] });

    expect([await left.fetch(VIP, 80), await left.fetch(OTHER_VIP, 80, 1000)]).toEqual(['web 10.0.0.5', 'silence']);
    expect([await right.fetch(VIP, 80, 1000), await right.fetch(OTHER_VIP, 80)]).toEqual(['silence', 'web 10.0.0.5']);
    await engine.controller.remove('lb-2', generation);
    expect(await pings(right.namespace, OTHER_VIP)).toBe(false);
    expect(await left.fetch(VIP, 80)).toBe('web 10.0.0.5');
  });

  it('cuts off who is not allowed any more, also in the middle of a connection', async () => {
    await serve({});
    await right.load(VIP, 80);
    await serve({}, [`${LEFT}/32`]);
    expect(await right.fetch(VIP, 80, 1000)).toBe('silence');
    await serve({});
    expect((await right.unload()).answered).toBeGreaterThan(0);
    await expectSeen(right, WELCOME);
  });

  it('lets the other engines of a load balancer come to its port for them, and nobody else', async () => {
    const persistence = { type: 'APP_COOKIE', cookieName: 'session', timeout: null, granularity: null } as const;
    const pools = [aPool({ persistence, members: [aMember({ address: MEMBER, port: 8000 })] })];
    for (const [address, other] of [
      ['10.0.0.5', LEFT],
      ['fd00::5', 'fd00::20'],
    ] as const) {
      const peers = { name: 'self', address, port: 12_000, others: [{ name: 'other', address: other }] };
      await serve({ peers, pools, listeners: [aListener({ id: 'http', port: 80 })] });
      // An answer, but none in HTTP.
      expect(await left.fetch(address, 12_000)).toMatch(/HPE_INVALID|ECONNRESET|hang up/);
      expect(await right.fetch(address, 12_000, 1000)).toBe('silence');
      expect(await right.fetch(VIP, 80)).toBe('web 10.0.0.5');
    }
    await serve({ pools, listeners: [aListener({ id: 'http', port: 80 })] });
    expect(await left.fetch('10.0.0.5', 12_000, 1000)).toBe('silence');
    await serve({});
  });

  it('passes datagrams that come and go in fragments', async () => {
    const text = 'x'.repeat(4000);
    expect(await left.ask(VIP, 53, text)).toBe(`dns ${text}`);
    expect(await left.ask(VIP6, 53, text)).toBe(`dns ${text}`);
  });

  it('tracks no connections', async () => {
    await expectSeen(left, WELCOME);
    const rules = await engine.machine.run(
      'nsenter',
      `--net=/run/netns/${engine.domain('domain-1')}`,
      'nft',
      'list',
      'ruleset',
    );
    expect(rules).toContain('chain input');
    expect(rules).not.toMatch(/\bct\b/);
    const read = ['sh', '-c', 'cat /proc/net/nf_conntrack 2>/dev/null || true'];
    const tracked = await engine.machine.run('nsenter', `--net=/run/netns/${engine.domain('domain-1')}`, ...read);
    expect(tracked).toBe('');
  });
});
