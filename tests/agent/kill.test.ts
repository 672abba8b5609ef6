import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type FakeController, startController } from '../support/agentController';
import { createEngine, type EngineUnderTest } from '../support/agentEngine';
import { aListener, aMember, aPool, aSpec } from '../support/agentSpecs';
import { startLoad } from '../support/agentTraffic';
import { type Backend, startBackend } from '../support/backend';

const ROOT = join(__dirname, '../..');
const VIP = '127.80.200.4';
const PORT = 20_080;

describe('an agent killed by SIGKILL', () => {
  let controller: FakeController;
  let engine: EngineUnderTest;
  let backend: Backend;
  const agents: ChildProcess[] = [];

  beforeAll(async () => {
    [controller, backend] = await Promise.all([startController(), startBackend('one')]);
    engine = createEngine([controller.url]);
  });
  afterAll(async () => {
    for (const agent of agents) agent.kill('SIGKILL');
    await engine.dispose();
    await Promise.all([controller.close(), backend.stop()]);
  });

  const startAgent = async () => {
    const hellos = controller.hellos().length;
    const files = [join(ROOT, 'devstack/run-ts.cjs'), join(ROOT, 'tests/support/agentProcess.ts')];
    const agent = spawn(process.execPath, [...files, JSON.stringify(engine.config)], { stdio: 'inherit' });
    agents.push(agent);
    await controller.waitFor('the agent says hello', () => controller.hellos().length > hellos);
    return agent;
  };
  const spec = (over: Parameters<typeof aListener>[0], generation: number) =>
    aSpec({
      generation,
      vips: [VIP],
      listeners: [aListener({ port: PORT, ...over })],
      pools: [aPool({ members: [aMember({ address: backend.address, port: backend.port })] })],
    });

  it('leaves its haproxies serving, and the next agent takes them over and changes them without losing a request', async () => {
    const first = await startAgent();
    await controller.put(spec({}, 1));
    const before = engine.haproxy('lb-1');
    const load = startLoad(VIP, PORT, 4);

    first.kill('SIGKILL');
    await once(first, 'exit');
    await startAgent();
    expect(controller.hellos().at(-1)?.held).toEqual([expect.objectContaining({ id: 'lb-1', generation: 1 })]);
    expect(engine.haproxy('lb-1')).toEqual(before);
    expect(await controller.put(spec({ timeoutClientData: 1000 }, 2))).toMatchObject({ outcome: 'applied' });

    expect((await load.stop()).failures).toEqual([]);
    expect(engine.haproxy('lb-1')?.master).toEqual(before?.master);
  });

  it('is ended by the next one if it is still there, so that never two serve one directory', async () => {
    const earlier = agents.at(-1);
    const ended = earlier === undefined ? undefined : once(earlier, 'exit');
    await startAgent();

    await expect(ended).resolves.toEqual([null, 'SIGKILL']);
    expect(await controller.put(spec({ timeoutClientData: 2000 }, 3))).toMatchObject({ outcome: 'applied' });
  });
});
