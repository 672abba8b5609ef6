import { type FakeController, startController } from '../../support/agentController';
import { openDatagramClient, spreadDatagrams } from '../../support/agentDatagrams';
import { createEngine, type EngineUnderTest } from '../../support/agentEngine';
import { aListener, aMember, aMonitor, aPool, aSpec } from '../../support/agentSpecs';
import { type DatagramBackend, startDatagram } from '../../support/backends/datagram';

const VIP = '127.80.210.1';
const PORT = 20_053;

describe('an engine with a UDP listener', () => {
  let controller: FakeController;
  let engine: EngineUnderTest;
  let one: DatagramBackend;
  let two: DatagramBackend;
  let generation = 0;

  beforeAll(async () => {
    [controller, one, two] = await Promise.all([startController(), startDatagram('one'), startDatagram('two')]);
    engine = createEngine([controller.url]);
    await engine.start();
  });
  afterAll(async () => {
    await engine.dispose();
    await Promise.all([controller.close(), one.stop(), two.stop()]);
  });

  const memberOf = (backend: DatagramBackend, over: Parameters<typeof aMember>[0] = {}) =>
    aMember({ id: `member-${backend.name}`, address: backend.address, port: backend.port, ...over });
  const serve = (pool: Parameters<typeof aPool>[0], listener: Parameters<typeof aListener>[0] = {}) => {
    generation += 1;
    return controller.put(
      aSpec({
        generation,
        vips: [VIP],
        listeners: [aListener({ protocol: 'UDP', port: PORT, timeoutClientData: 1000, ...listener })],
        pools: [aPool({ protocol: 'UDP', ...pool })],
      }),
    );
  };

  it('says which nginx it has', async () => {
    await controller.waitFor('the hello has come', () => controller.hellos().length > 0);
    expect(controller.hellos()[0]?.daemons).toMatchObject({ nginx: expect.stringMatching(/^\d+\.\d+/) });
  });

  it('balances clients over its members', async () => {
    const ack = await serve({ members: [memberOf(one), memberOf(two)] });

    expect(ack).toMatchObject({ outcome: 'applied', refusals: [] });
    expect(await spreadDatagrams(VIP, PORT, { count: 10 })).toEqual({ one: 5, two: 5 });
  });

  it('tells exactly what its clients have sent and got', async () => {
    await controller.waitFor('ten sessions', () => controller.counters('listener-1')?.totalConnections === '10');
    expect(controller.counters('listener-1')).toMatchObject({ bytesIn: '10', bytesOut: '60' });
  });

  it('takes a member out that refuses datagrams', async () => {
    const monitor = aMonitor({ type: 'UDP-CONNECT' });
    await serve({ members: [memberOf(one), memberOf(two)], monitor });
    await controller.waitFor('both are up', () => {
      const members = controller.report('lb-1')?.pools['pool-1']?.members;
      return members?.['member-one'] === 'UP' && members['member-two'] === 'UP';
    });
    await one.stop();
    await controller.waitFor(
      'one is down',
      () => controller.report('lb-1')?.pools['pool-1']?.members['member-one'] === 'DOWN',
    );
    expect(await spreadDatagrams(VIP, PORT, { count: 4 })).toEqual({ two: 4 });
    await one.restart();
    await controller.waitFor(
      'one is up',
      () => controller.report('lb-1')?.pools['pool-1']?.members['member-one'] === 'UP',
    );
    expect(await spreadDatagrams(VIP, PORT, { count: 4 })).toEqual({ one: 2, two: 2 });
  });

  it('refuses datagrams when there is nobody to serve them', async () => {
    await serve({ members: [] });
    const client = await openDatagramClient(VIP, PORT);
    const answer = await client.ask('x');
    client.close();
    expect(answer).toBeNull();
    expect(client.refused()).toBe(true);
  });
});
