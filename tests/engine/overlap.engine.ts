import type { DomainSpec } from '../../driver/protocol/engineSpec';
import { aListener, aMember, aPool, aSpec } from '../support/agentSpecs';
import { createTopology, type Network } from '../support/namespaces';
import { type Actor, startActor } from '../support/networkActor';
import { anEngineSpec, aVnic, createNetworkEngine, type NetworkEngine } from '../support/networkEngine';
import { describeWithNamespaces } from '../support/withServers';

/** Two tenants whose networks have the same addresses, on one engine: VIP 10.0.0.100, member 10.1.0.20. */
const VIP = '10.0.0.100';
const TENANTS = ['red', 'blue'] as const;
type Tenant = (typeof TENANTS)[number];

const mac = (tenant: Tenant, last: number) => `fa:16:3e:0${TENANTS.indexOf(tenant)}:00:0${last}`;

function domainOf(tenant: Tenant): DomainSpec {
  return {
    id: tenant,
    vnics: [
      aVnic({ id: `${tenant}-front`, macAddress: mac(tenant, 1), addresses: ['10.0.0.5/24'], mtu: 1400 }),
      aVnic({ id: `${tenant}-back`, macAddress: mac(tenant, 2), addresses: ['10.1.0.5/24'] }),
    ],
    routes: [
      { destination: '0.0.0.0/0', nextHop: '10.0.0.1', vnicId: `${tenant}-front`, metric: 100 },
      { destination: '10.9.0.0/16', nextHop: '10.1.0.1', vnicId: `${tenant}-back`, metric: 30_000 },
    ],
  };
}

const specOf = (tenant: Tenant, generation = 1) =>
  aSpec({
    id: `lb-${tenant}`,
    generation,
    domainId: tenant,
    vips: [VIP],
    listeners: [aListener({ id: `listener-${tenant}`, port: 80 })],
    pools: [aPool({ members: [aMember({ address: '10.1.0.20', port: 8000 })] })],
  });

describeWithNamespaces('two domains with the same addresses on one engine', () => {
  const topology = createTopology('ss-over');
  const networks = new Map<string, Network>();
  const clients = new Map<Tenant, Actor>();
  let engine: NetworkEngine;

  beforeAll(async () => {
    const machine = await topology.namespace('vm');
    engine = await createNetworkEngine(machine);
    for (const tenant of TENANTS) {
      const [front, back] = [await topology.network(`${tenant}-f`), await topology.network(`${tenant}-b`)];
      networks.set(`${tenant}-front`, front).set(`${tenant}-back`, back);
      const [client, member] = [await topology.namespace(`${tenant}-c`), await topology.namespace(`${tenant}-m`)];
      await front.plug(client, { macAddress: mac(tenant, 8), addresses: ['10.0.0.20/24'] });
      await back.plug(member, { macAddress: mac(tenant, 9), addresses: ['10.1.0.20/24'] });
      clients.set(tenant, startActor(client));
      await startActor(member).serve('10.1.0.20', 8000, tenant);
    }
    await engine.start();
  });
  afterAll(async () => {
    await engine?.dispose();
    await topology.dispose();
  });

  const plug = async (tenant: Tenant) => {
    // As a hypervisor names them: in order of their coming.
    await networks
      .get(`${tenant}-front`)
      ?.plug(engine.machine, { name: 'eth1', macAddress: mac(tenant, 1), up: false });
    await networks.get(`${tenant}-back`)?.plug(engine.machine, { name: 'eth2', macAddress: mac(tenant, 2), up: false });
  };

  it('waits for interfaces, takes them as they are plugged in, and serves what has waited for them', async () => {
    const { controller } = engine;
    const ack = await controller.putNetworks(anEngineSpec(1, [domainOf('red')]));
    expect(ack.problems).toEqual([
      { domainId: 'red', vnicId: 'red-front', reason: 'no interface fa:16:3e:00:00:01 is plugged in' },
      { domainId: 'red', vnicId: 'red-back', reason: 'no interface fa:16:3e:00:00:02 is plugged in' },
    ]);
    expect(await controller.put(specOf('red'))).toMatchObject({
      outcome: 'refused',
      refusals: [{ kind: 'loadbalancer', id: 'lb-red', reason: expect.stringContaining('fa:16:3e:00:00:01') }],
    });

    await plug('red');
    await controller.waitFor('no problem is left', () => controller.networksAck()?.problems.length === 0);
    await controller.waitFor('the load balancer is served', () => controller.ack('lb-red')?.outcome === 'applied');
    expect(await clients.get('red')?.fetch(VIP, 80)).toBe('red 10.1.0.5');
  });

  it('carries the traffic of each apart', async () => {
    const { controller } = engine;
    await plug('blue');
    expect(await controller.putNetworks(anEngineSpec(2, [domainOf('red'), domainOf('blue')]))).toMatchObject({
      problems: [],
    });
    expect(await controller.put(specOf('blue'))).toMatchObject({ outcome: 'applied', refusals: [] });

    expect(await clients.get('blue')?.fetch(VIP, 80)).toBe('blue 10.1.0.5');
    expect(await clients.get('red')?.fetch(VIP, 80)).toBe('red 10.1.0.5');
  });

  it('has the addresses, the MTU and the routes that it was told, and no others', async () => {
    const links = JSON.parse(await engine.ip('red', '-json', 'address', 'show', 'up'));
    const seen = links.map(({ address, mtu, addr_info }: { address: string; mtu: number; addr_info: object[] }) => ({
      address,
      mtu,
      addresses: addr_info.flatMap((entry) =>
        'family' in entry && entry.family === 'inet' ? Object(entry).local : [],
      ),
    }));
    expect(seen).toEqual([
      expect.objectContaining({ addresses: ['127.0.0.1'] }),
      { address: mac('red', 1), mtu: 1400, addresses: ['10.0.0.5', VIP] },
      { address: mac('red', 2), mtu: 1500, addresses: ['10.1.0.5'] },
    ]);
    const routes = await engine.ip('red', 'route', 'show', 'proto', 'static');
    expect(
      routes
        .trim()
        .split('\n')
        .map((line) => line.replace(/dev \S+ /, '').trim()),
    ).toEqual(['default via 10.0.0.1 metric 100', '10.9.0.0/16 via 10.1.0.1 metric 30000']);
  });

  it('gives an interface that is not wanted any more back', async () => {
    const { controller, machine } = engine;
    const red = domainOf('red');
    const withoutBack = { ...red, vnics: red.vnics.slice(0, 1), routes: red.routes.slice(0, 1) };
    expect(await controller.putNetworks(anEngineSpec(3, [withoutBack, domainOf('blue')]))).toMatchObject({
      problems: [],
    });

    expect(await machine.ip('link', 'show')).toContain(mac('red', 2));
    expect(await engine.ip('red', 'link', 'show')).not.toContain(mac('red', 2));
  });

  it('keeps a domain until its last load balancer has gone, and leaves nothing of it then', async () => {
    const { controller, machine } = engine;
    await controller.putNetworks(anEngineSpec(4, [domainOf('blue')]));
    expect(await clients.get('blue')?.fetch(VIP, 80)).toBe('blue 10.1.0.5');
    expect(await machine.run('ip', 'netns', 'list')).toContain(engine.domain('red'));

    await controller.remove('lb-red', 2);
    expect(await machine.run('ip', 'netns', 'list')).not.toContain(engine.domain('red'));
    expect(await machine.ip('link', 'show')).toContain(mac('red', 1));
  });
});
