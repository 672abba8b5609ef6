import { setTimeout as sleep } from 'node:timers/promises';
import { aListener, aMember, aPool, aSpec } from '../support/agentSpecs';
import { createTopology, type Network } from '../support/namespaces';
import { type Actor, startActor } from '../support/networkActor';
import { anEngineSpec, aVnic, createNetworkEngine, type NetworkEngine } from '../support/networkEngine';
import { describeWithNamespaces } from '../support/withServers';

const VIP = '10.0.0.100';
const MEMBER = '10.0.0.30';
const MAC = 'fa:16:3e:00:00:01';

describeWithNamespaces('the agent of an engine with a domain', () => {
  const topology = createTopology('ss-rest');
  let network: Network;
  let engine: NetworkEngine;
  let client: Actor;

  beforeAll(async () => {
    network = await topology.network('net');
    const machine = await topology.namespace('vm');
    const actor = async (label: string, last: number) => {
      const namespace = await topology.namespace(label);
      await network.plug(namespace, { macAddress: `fa:16:3e:00:01:${last}`, addresses: [`10.0.0.${last}/24`] });
      return startActor(namespace);
    };
    client = await actor('c', 20);
    await (await actor('m', 30)).serve(MEMBER, 8000, 'web');
    engine = await createNetworkEngine(machine);
    await engine.start();
    await network.plug(machine, { macAddress: MAC, up: false });
  });
  afterAll(async () => {
    await engine?.dispose();
    await topology.dispose();
  });

  const networks = (generation: number, mtu = 1500) =>
    anEngineSpec(generation, [{ id: 'domain-1', vnics: [aVnic({ mtu })], routes: [] }]);
  const spec = (generation: number, timeoutClientData = 50_000) =>
    aSpec({
      generation,
      domainId: 'domain-1',
      vips: [VIP],
      listeners: [aListener({ port: 80, timeoutClientData })],
      pools: [aPool({ members: [aMember({ address: MEMBER, port: 8000 })] })],
    });

  it('is killed and started again, and takes all over under traffic without losing a request', async () => {
    const { controller } = engine;
    await controller.putNetworks(networks(1));
    await controller.put(spec(1));
    const before = engine.haproxy('lb-1');
    await client.load(VIP, 80);

    await engine.end('SIGKILL');
    await engine.start();
    expect(controller.hellos().at(-1)).toMatchObject({
      managesNetworks: true,
      networksDigest: networks(1).digest,
      held: [{ id: 'lb-1', generation: 1 }],
    });
    expect(await controller.put(spec(2, 20_000))).toMatchObject({ outcome: 'applied', refusals: [] });
    expect(await controller.putNetworks(networks(2, 1400))).toMatchObject({ generation: 2, problems: [] });

    const { answered, failures } = await client.unload();
    expect(failures).toEqual([]);
    expect(answered).toBeGreaterThan(0);
    expect(engine.haproxy('lb-1')?.master).toEqual(before?.master);
  });

  it('brings a change about in the end, at whatever moment it is killed', async () => {
    const { controller } = engine;
    for (const [index, moment] of [0, 10, 30, 70].entries()) {
      const generation = 3 + index;
      const spec = networks(generation, 1300 + index);
      void controller.putNetworks(spec).catch(() => undefined);
      await sleep(moment);
      await engine.end('SIGKILL');
      await engine.start();
      expect(await controller.putNetworks(spec)).toMatchObject({ generation, problems: [] });
      expect(await engine.ip('domain-1', 'link', 'show')).toContain(`mtu ${1300 + index}`);
      expect(await client.fetch(VIP, 80)).toBe('web 10.0.0.5');
    }
  });

  it('answers an older spec with what it holds', async () => {
    expect(await engine.controller.putNetworks(networks(1))).toMatchObject({
      generation: 6,
      digest: networks(6, 1303).digest,
    });
  });

  it('tells when an interface goes, and serves again when it comes', async () => {
    const { controller } = engine;
    await network.unplug(MAC);
    await controller.waitFor('its loss is told', () => (controller.networksAck()?.problems.length ?? 0) > 0);
    expect(controller.networksAck()?.problems).toEqual([
      { domainId: 'domain-1', vnicId: 'vnic-1', reason: `no interface ${MAC} is plugged in` },
    ]);

    await network.plug(engine.machine, { macAddress: MAC, up: false });
    await controller.waitFor('its return is told', () => controller.networksAck()?.problems.length === 0);
    expect(await client.fetch(VIP, 80)).toBe('web 10.0.0.5');
  });

  it('serves what it last held when it starts while no controller is there, as after a reboot', async () => {
    const domain = engine.domain('domain-1');
    await engine.end('SIGKILL');
    const { master } = engine.haproxy('lb-1') ?? {};
    if (master === undefined) throw new Error('there was no haproxy');
    process.kill(master.pid, 'SIGKILL');
    await engine.machine.run(
      'ip',
      '-n',
      domain,
      'link',
      'set',
      `v${MAC.replaceAll(':', '')}`,
      'netns',
      engine.machine.name,
    );
    await engine.machine.run('ip', 'netns', 'delete', domain);

    engine.controller.pause();
    await engine.start({ waits: false });
    await engine.controller.waitFor('it serves', async () => (await client.fetch(VIP, 80, 1000)) === 'web 10.0.0.5');
    engine.controller.resume();
    await engine.controller.waitFor('it is back', () => engine.controller.hellos().at(-1)?.held.length === 1);
  });

  it('puts right what somebody has changed in a namespace', async () => {
    await engine.ip('domain-1', 'address', 'delete', `${VIP}/32`, 'dev', `v${MAC.replaceAll(':', '')}`);
    await engine.controller.waitFor(
      'it is served again',
      async () => (await client.fetch(VIP, 80, 1000)) === 'web 10.0.0.5',
    );
  });

  it('leaves nothing when it is told to end', async () => {
    const { machine } = engine;
    await engine.end('SIGTERM');
    expect(await machine.run('ip', 'netns', 'list')).not.toContain(engine.domain('domain-1'));
    expect(await machine.ip('link', 'show')).toContain(MAC);
    expect(engine.haproxy('lb-1')).toBeNull();
  });
});
