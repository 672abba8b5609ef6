import type { BgpSpec } from '../../driver/protocol/engineSpec';
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
});
