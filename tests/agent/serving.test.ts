import { type FakeController, startController } from '../support/agentController';
import { createEngine, type EngineUnderTest } from '../support/agentEngine';
import { aListener, aMember, aMonitor, aPool, aSpec } from '../support/agentSpecs';
import { spread, startLoad, statusOf } from '../support/agentTraffic';
import { type Backend, startBackend } from '../support/backend';

const VIP = '127.80.200.1';
const PORT = 20_080;

describe('an engine with a load balancer', () => {
  let controller: FakeController;
  let engine: EngineUnderTest;
  let one: Backend;
  let two: Backend;
  let generation = 0;

  beforeAll(async () => {
    [controller, one, two] = await Promise.all([startController(), startBackend('one'), startBackend('two')]);
    engine = createEngine([controller.url]);
    await engine.start();
  });
  afterAll(async () => {
    await engine.dispose();
    await Promise.all([controller.close(), one.stop(), two.stop()]);
  });

  const memberOf = (backend: Backend, over: Parameters<typeof aMember>[0] = {}) =>
    aMember({ id: `member-${backend.name}`, address: backend.address, port: backend.port, ...over });
  const monitor = aMonitor({ urlPath: '/health' });
  const serve = (members: ReturnType<typeof aMember>[], over: Parameters<typeof aListener>[0] = {}) => {
    generation += 1;
    return controller.put(
      aSpec({
        generation,
        vips: [VIP],
        listeners: [aListener({ port: PORT, ...over })],
        pools: [aPool({ members, monitor })],
      }),
    );
  };
  const memberStates = () => controller.report('lb-1')?.pools['pool-1']?.members;

  it('says hello with its token and the version of its haproxy', async () => {
    await controller.waitFor('the hello has come', () => controller.hellos().length > 0);
    expect(controller.hellos()).toEqual([
      expect.objectContaining({
        engineId: 'engine-1',
        token: 'secret',
        held: [],
        daemons: expect.objectContaining({ haproxy: expect.stringMatching(/^\d+\.\d+/) }),
      }),
    ]);
  });

  it('balances over its members and reports them up', async () => {
    const ack = await serve([memberOf(one), memberOf(two)]);

    expect(ack).toMatchObject({ outcome: 'applied', generation: 1, refusals: [] });
    expect(await spread(VIP, PORT, 10)).toEqual({ one: 5, two: 5 });
    await controller.waitFor('both members are up', () => memberStates()?.['member-two'] === 'UP');
    expect(controller.report('lb-1')).toMatchObject({
      generation: 1,
      listeners: { 'listener-1': 'OPEN' },
      pools: { 'pool-1': { state: 'UP', members: { 'member-one': 'UP', 'member-two': 'UP' } } },
    });
  });

  it('changes weights, admin states and members without a reload, and no request fails', async () => {
    const before = engine.haproxy('lb-1');
    const load = startLoad(VIP, PORT);

    await serve([memberOf(one, { weight: 3 }), memberOf(two)]);
    expect(engine.configuration('lb-1')).toContain('weight 3');
    await serve([memberOf(one), memberOf(two, { weight: 0 })]);
    expect(await spread(VIP, PORT, 6)).toEqual({ one: 6 });
    await controller.waitFor('the second drains', () => memberStates()?.['member-two'] === 'DRAIN');
    await serve([memberOf(one, { enabled: false }), memberOf(two)]);
    expect(await spread(VIP, PORT, 6)).toEqual({ two: 6 });
    await controller.waitFor('the first is in maintenance', () => memberStates()?.['member-one'] === 'MAINT');
    await serve([memberOf(two)]);
    await controller.waitFor('the first is gone', () => memberStates()?.['member-one'] === undefined);
    await serve([memberOf(one), memberOf(two)]);
    await controller.waitFor('the first is up again', () => memberStates()?.['member-one'] === 'UP');

    const { answered, failures } = await load.stop();
    expect(failures).toEqual([]);
    expect(answered).toBeGreaterThan(100);
    expect(await spread(VIP, PORT, 10)).toEqual({ one: 5, two: 5 });
    expect(engine.haproxy('lb-1')).toEqual(before);
  });

  it('gives a new member no traffic before it has passed a check', async () => {
    await one.stop();
    await serve([memberOf(two)]);
    const load = startLoad(VIP, PORT);
    await serve([memberOf(one), memberOf(two)]);
    await controller.waitFor('the first is down', () => memberStates()?.['member-one'] === 'DOWN');

    await one.restart();
    await controller.waitFor('the first is up', () => memberStates()?.['member-one'] === 'UP');

    expect((await load.stop()).failures).toEqual([]);
    expect(await spread(VIP, PORT, 10)).toEqual({ one: 5, two: 5 });
  });

  it('reloads without losing a request, and its counters never fall', async () => {
    await controller.waitFor('counters have come', () => controller.counters('listener-1') !== undefined);
    const counted = BigInt(controller.counters('listener-1')?.totalConnections ?? 0);
    const before = engine.haproxy('lb-1');
    const load = startLoad(VIP, PORT);

    for (const timeoutClientData of [40_000, 41_000, 42_000, 43_000, 44_000]) {
      expect(await serve([memberOf(one), memberOf(two)], { timeoutClientData })).toMatchObject({ outcome: 'applied' });
    }

    const { answered, alone, failures } = await load.stop();
    expect(failures).toEqual([]);
    expect(answered).toBeGreaterThan(100);
    expect(engine.haproxy('lb-1')?.master).toEqual(before?.master);
    expect(engine.haproxy('lb-1')?.worker).not.toEqual(before?.worker);
    const all = counted + BigInt(alone);
    await controller.waitFor(
      'all connections are counted',
      () => BigInt(controller.counters('listener-1')?.totalConnections ?? 0) >= all,
    );
  });

  it('reports a member that dies, loses no request after that, and answers 503 when all are dead', async () => {
    await one.stop();
    await controller.waitFor('the first is down', () => memberStates()?.['member-one'] === 'DOWN');
    expect(await spread(VIP, PORT, 10)).toEqual({ two: 10 });

    await two.stop();
    await controller.waitFor('the pool is down', () => controller.report('lb-1')?.pools['pool-1']?.state === 'DOWN');
    expect(await statusOf(VIP, PORT)).toBe(503);
    await Promise.all([one.restart(), two.restart()]);
    await controller.waitFor('the pool is up', () => controller.report('lb-1')?.pools['pool-1']?.state === 'UP');
  });

  it('refuses what is older than what it holds', async () => {
    const held = controller.ack('lb-1');
    expect(await controller.put(aSpec({ generation: 1, listeners: [] }))).toEqual(held);
    expect(await controller.remove('lb-1', 1)).toEqual(held);
    expect(await statusOf(VIP, PORT)).toBe(200);
  });

  it('ends its haproxy when no listener is left, and forgets what is removed', async () => {
    generation += 1;
    expect(await controller.put(aSpec({ generation, listeners: [], pools: [] }))).toMatchObject({ outcome: 'applied' });
    expect(engine.haproxy('lb-1')).toBeNull();
    await controller.waitFor('an empty report comes', () => controller.report('lb-1')?.generation === generation);
    expect(controller.report('lb-1')).toMatchObject({ listeners: {}, pools: {} });

    expect(await controller.remove('lb-1', generation + 1)).toMatchObject({ outcome: 'removed' });
  });
});
