import type { LoadBalancerSpec, MonitorSpec } from '../../driver/protocol/spec';
import { aListener, aMember, aMonitor, aPool, aSpec } from '../support/agentSpecs';
import { createTopology, type Namespace } from '../support/namespaces';
import { type Actor, startActor } from '../support/networkActor';
import { anEngineSpec, aVnic, createNetworkEngine, type NetworkEngine } from '../support/networkEngine';
import { describeWithNamespaces } from '../support/withServers';

/**
 * Two arms: VIPs in the front network, members in the back one, and a router that joins both with the outside. It counts when
 * the engine asks for an address by DHCP or for a router by IPv6.
 */
const VIP = '10.0.0.100';
const VIP6 = 'fd00::100';
const MEMBER = '10.1.0.30';
const MEMBER6 = 'fd01::30';
const FRONT_MAC = 'fa:16:3e:00:00:01';
const BACK_MAC = 'fa:16:3e:00:00:02';

const COUNTER = `table inet count {
 chain input {
  type filter hook input priority filter;
  ether saddr { ${FRONT_MAC}, ${BACK_MAC} } udp dport { 67, 547 } counter
  ether saddr { ${FRONT_MAC}, ${BACK_MAC} } icmpv6 type nd-router-solicit counter
  ether saddr { ${FRONT_MAC}, ${BACK_MAC} } counter
 }
}
`;

describeWithNamespaces('an engine with two arms', () => {
  const topology = createTopology('ss-arms');
  let engine: NetworkEngine;
  let router: Namespace;
  let outside: Actor;
  let neighbour: Actor;
  let backside: Actor;
  let generation = 0;

  beforeAll(async () => {
    const [front, back, out] = [await topology.network('f'), await topology.network('b'), await topology.network('o')];
    router = await topology.namespace('r');
    await front.plug(router, { macAddress: 'fa:16:3e:00:01:01', addresses: ['10.0.0.1/24', 'fd00::1/64'] });
    await back.plug(router, { macAddress: 'fa:16:3e:00:02:01', addresses: ['10.1.0.1/24', 'fd01::1/64'] });
    await out.plug(router, { macAddress: 'fa:16:3e:00:03:01', addresses: ['10.2.0.1/24', 'fd02::1/64'] });
    await router.run(
      'sh',
      '-c',
      'echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding',
    );
    await router.run('sh', '-c', `printf '%s' '${COUNTER}' | nft -f -`);
    const actor = async (network: typeof front, subnet: number, last: number) => {
      const namespace = await topology.namespace(`${subnet}-${last}`);
      await network.plug(namespace, {
        macAddress: `fa:16:3e:00:0${subnet}:${last}`,
        addresses: [`10.${subnet}.0.${last}/24`, `fd0${subnet}::${last}/64`],
        gateways: [`10.${subnet}.0.1`, `fd0${subnet}::1`],
      });
      return startActor(namespace);
    };
    neighbour = await actor(front, 0, 20);
    outside = await actor(out, 2, 20);
    backside = await actor(back, 1, 30);
    for (const host of [MEMBER, MEMBER6]) {
      await backside.serve(host, 8000, 'web');
      await backside.echo(host, 5300, 'dns');
    }

    const machine = await topology.namespace('vm');
    engine = await createNetworkEngine(machine);
    await engine.start();
    await front.plug(machine, { macAddress: FRONT_MAC, up: false });
    await back.plug(machine, { macAddress: BACK_MAC, up: false });
    const vnics = [
      aVnic({ id: 'front', macAddress: FRONT_MAC, addresses: ['10.0.0.5/24', 'fd00::5/64'] }),
      aVnic({ id: 'back', macAddress: BACK_MAC, addresses: ['10.1.0.5/24', 'fd01::5/64'] }),
    ];
    const routes = [
      { destination: '0.0.0.0/0', nextHop: '10.0.0.1', vnicId: 'front', metric: 100 },
      { destination: '::/0', nextHop: 'fd00::1', vnicId: 'front', metric: 100 },
    ];
    const ack = await engine.controller.putNetworks(anEngineSpec(1, [{ id: 'domain-1', vnics, routes }]));
    expect(ack.problems).toEqual([]);
  });
  afterAll(async () => {
    await engine?.dispose();
    await topology.dispose();
  });

  const serve = async (
    over: Partial<LoadBalancerSpec> = {},
    monitors: Partial<Record<'web' | 'dns', MonitorSpec>> = {},
  ) => {
    generation += 1;
    const { web = null, dns = null } = monitors;
    const spec = aSpec({
      generation,
      domainId: 'domain-1',
      vips: [VIP, VIP6],
      listeners: [
        aListener({ id: 'http', port: 80 }),
        aListener({ id: 'http6', port: 86, defaultPoolId: 'pool-6' }),
        aListener({ id: 'udp', port: 53, protocol: 'UDP', defaultPoolId: 'pool-udp' }),
      ],
      pools: [
        aPool({ members: [aMember({ address: MEMBER, port: 8000 })], monitor: web }),
        aPool({ id: 'pool-6', members: [aMember({ id: 'member-6', address: MEMBER6, port: 8000 })] }),
        aPool({
          id: 'pool-udp',
          protocol: 'UDP',
          members: [
            aMember({ id: 'up', address: MEMBER, port: 5300 }),
            aMember({ id: 'down', address: MEMBER, port: 5301 }),
          ],
          monitor: dns,
        }),
      ],
      ...over,
    });
    const ack = await engine.controller.put({ ...spec, digest: `${spec.id} ${generation}` });
    expect(ack).toMatchObject({ outcome: 'applied', refusals: [] });
  };

  it('serves clients anywhere, and its members see its own address in their network', async () => {
    await serve();
    for (const client of [neighbour, outside]) {
      expect(await client.fetch(VIP, 80)).toBe('web 10.1.0.5');
      expect(await client.fetch(VIP6, 80)).toBe('web 10.1.0.5');
      expect(await client.fetch(VIP, 86)).toBe('web fd01::5');
      expect(await client.fetch(VIP6, 86)).toBe('web fd01::5');
    }
  });

  it("answers clients in the members' network the way they came", async () => {
    expect(await backside.fetch(VIP, 80)).toBe('web 10.1.0.5');
    expect(await backside.fetch(VIP6, 86)).toBe('web fd01::5');
    const domain = `--net=/run/netns/${engine.domain('domain-1')}`;
    const way = (client: string, vip: string) =>
      engine.machine.run('nsenter', domain, 'ip', 'route', 'get', client, 'from', vip);
    expect(await way(MEMBER, VIP)).toContain('via 10.0.0.1');
    expect(await way(MEMBER6, VIP6)).toContain('via fd00::1');
  });

  it('takes nothing for a VIP that comes by the network of the members', async () => {
    await backside.namespace.ip('route', 'add', `${VIP}/32`, 'via', '10.1.0.5');
    expect(await backside.fetch(VIP, 80, 1000)).toBe('silence');
    await backside.namespace.ip('route', 'delete', `${VIP}/32`);
    expect(await backside.fetch(VIP, 80)).toBe('web 10.1.0.5');
  });

  it('checks members from within the domain, by ping and for UDP', async () => {
    const { controller } = engine;
    await serve({}, { web: aMonitor({ type: 'PING' }), dns: aMonitor({ id: 'monitor-2', type: 'UDP-CONNECT' }) });
    await controller.waitFor('checks have told who is up', () => {
      const pools = controller.report('lb-1')?.pools;
      const udp = pools?.['pool-udp']?.members;
      return pools?.['pool-1']?.members['member-1'] === 'UP' && udp?.['up'] === 'UP' && udp['down'] === 'DOWN';
    });
    expect(await outside.ask(VIP, 53, 'who')).toBe('dns who');
    expect(await outside.fetch(VIP, 80)).toBe('web 10.1.0.5');
  });

  it("sends lines of connections from the engine's own network, not from the tenant's", async () => {
    const server = startActor(engine.machine);
    await server.echo('127.0.0.1', 5514, 'heard');
    const log = { target: '127.0.0.1:5514' };
    await serve({ listeners: [aListener({ id: 'http', port: 80, log })] });
    expect(await outside.fetch(VIP, 80)).toBe('web 10.1.0.5');
    let heard: readonly string[] = [];
    await engine.controller.waitFor('the line has come', async () => {
      heard = await server.heard();
      return heard.length > 0;
    });
    expect(heard[0]).toMatch(/^<134>1 \S+ \S+ haproxy - - - \{"time":.*"client":"10\.2\.0\.20".*\}$/);
  });

  const remembered = (address: string) => neighbour.namespace.ip('neigh', 'show', address);
  const remember = async (address: string, macAddress: string) => {
    const { ifname } = JSON.parse(await neighbour.namespace.ip('-json', 'link', 'show', 'type', 'veth'))[0];
    await neighbour.namespace.ip('neigh', 'replace', address, 'lladdr', macAddress, 'dev', ifname, 'nud', 'reachable');
  };

  it('tells neighbours of VIPs that come to it, and of none that another engine answers for', async () => {
    const vips = ['10.0.0.102', 'fd00::102'];
    const other = { id: 'lb-2', vips };
    for (const vip of vips) await remember(vip, 'fa:16:3e:00:00:09');
    await serve({ ...other, answersForVips: false });
    const table = await engine.ip('domain-1', 'address', 'show', 'dev', 'lo');
    for (const vip of vips) expect(table).toContain(vip);
    expect(await neighbour.fetch('10.0.0.102', 80, 1000)).not.toContain('web');
    // By a neighbour that knows where it is, for routing is none of its business.
    for (const vip of vips) await remember(vip, FRONT_MAC);
    expect(await neighbour.fetch('10.0.0.102', 80)).toBe('web 10.1.0.5');

    for (const vip of vips) await remember(vip, 'fa:16:3e:00:00:09');
    await serve(other);
    for (const vip of vips) {
      let seen = '';
      await engine.controller.waitFor(`${vip} is known to be here`, () => {
        void remembered(vip).then((text) => {
          seen = text;
        });
        return seen.includes(FRONT_MAC);
      });
    }
  });

  it('asks nobody for addresses or routers', async () => {
    const counted = await router.run('nft', 'list', 'ruleset');
    const [dhcp, solicitations, all] = [...counted.matchAll(/counter packets (\d+)/g)].map(([, count]) =>
      Number(count),
    );
    expect({ dhcp, solicitations }).toEqual({ dhcp: 0, solicitations: 0 });
    expect(all).toBeGreaterThan(0);
  });
});
