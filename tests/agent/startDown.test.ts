import { type CheckedServer, startChecked } from '../support/agentChecked';
import { type FakeController, startController } from '../support/agentController';
import { createEngine, type EngineUnderTest } from '../support/agentEngine';
import { aListener, aMember, aMonitor, aPool, aSpec } from '../support/agentSpecs';
import { spread } from '../support/agentTraffic';
import { type Backend, startBackend } from '../support/backend';

const VIP = '127.80.200.15';
const PORT = 20_080;

describe('a member that joins others, and would fail its checks', () => {
  let controller: FakeController;
  let engine: EngineUnderTest;
  let one: Backend;
  let two: Backend;
  let failing: CheckedServer;
  let generation = 0;

  beforeAll(async () => {
    [controller, one, two, failing] = await Promise.all([
      startController(),
      startBackend('one'),
      startBackend('two'),
      startChecked(),
    ]);
    failing.answer(500);
    engine = createEngine([controller.url]);
    await engine.start();
  });
  afterAll(async () => {
    await engine.dispose();
    await Promise.all([controller.close(), one.stop(), two.stop(), failing.close()]);
  });

  const serve = (options: { membersStartDown: boolean; joined: boolean; timeoutClientData?: number }) => {
    generation += 1;
    const { membersStartDown, joined, timeoutClientData = 50_000 } = options;
    const members = [aMember({ id: 'one', port: one.port })];
    if (joined) members.push(aMember({ id: 'two', port: two.port, monitorPort: failing.port }));
    // Three failures five seconds apart: what is seen before that is not the monitor's doing.
    const monitor = aMonitor({ urlPath: '/health', delay: 5, fallThreshold: 3 });
    return controller.put(
      aSpec({
        generation,
        vips: [VIP],
        listeners: [aListener({ port: PORT, timeoutClientData })],
        pools: [aPool({ members, monitor, membersStartDown })],
      }),
    );
  };

  it.each([
    ['by the runtime socket', 50_000],
    ['by a reload', 40_000],
  ])('gets no traffic when it is to start down (%s)', async (_name, timeoutClientData) => {
    await serve({ membersStartDown: true, joined: false });
    await serve({ membersStartDown: true, joined: true, timeoutClientData });
    expect(await spread(VIP, PORT, 6)).toEqual({ one: 6 });
  });

  it.each([
    ['by the runtime socket', 50_000],
    ['by a reload', 40_000],
  ])('gets traffic at once when it is not (%s)', async (_name, timeoutClientData) => {
    await serve({ membersStartDown: false, joined: false });
    await serve({ membersStartDown: false, joined: true, timeoutClientData });
    expect(await spread(VIP, PORT, 6)).toEqual({ one: 3, two: 3 });
  });
});
