import { connect } from 'node:net';
import { type FakeController, startController } from '../support/agentController';
import { createEngine, type EngineUnderTest } from '../support/agentEngine';
import { aListener, aMember, aMonitor, aPool, aSpec } from '../support/agentSpecs';
import { statusOf } from '../support/agentTraffic';
import { type Backend, startBackend } from '../support/backend';
import { waitUntil } from '../support/wait';

const VIP = '127.80.214.1';
const PORT = 20_094;
const PATIENCE = 40_000;

describe('an engine with a load balancer whose ports are to be closed while all members are down', () => {
  let controller: FakeController;
  let engine: EngineUnderTest;
  let web: Backend;
  let generation = 0;

  beforeAll(async () => {
    [controller, web] = await Promise.all([startController(), startBackend('web')]);
    engine = createEngine([controller.url]);
    await engine.start();
  });
  afterAll(async () => {
    await engine.dispose();
    await Promise.all([controller.close(), web.stop()]);
  });

  const serve = (whenDown: 'close' | 'serve', timeoutClientData = 50_000, delay: { closeDelay?: number } = {}) => {
    generation += 1;
    const member = aMember({ address: web.address, port: web.port });
    return controller.put(
      aSpec({
        ...{ generation, digest: `digest-${generation}`, vips: [VIP], whenDown, ...delay },
        listeners: [aListener({ port: PORT, timeoutClientData })],
        pools: [aPool({ members: [member], monitor: aMonitor({ urlPath: '/health' }) })],
      }),
    );
  };
  const until = (what: string, condition: () => Promise<boolean>) => waitUntil(what, PATIENCE, condition);
  const refuses = () => until('connections are refused', async () => (await knock()) === 'ECONNREFUSED');

  it('answers a SYN with a reset, and opens them again with the first member that is up', async () => {
    await serve('close');
    await until('it serves', async () => (await statusOf(VIP, PORT)) === 200);
    await web.stop();
    await refuses();
    expect(controller.report('lb-1')?.usable).toBe(false);
    await web.restart();
    await until('it serves again', async () => (await statusOf(VIP, PORT)) === 200);
    await until('it says so', async () => controller.report('lb-1')?.usable === true);
  });

  it('keeps them closed over a reload and over a restart of the agent', async () => {
    await web.stop();
    await refuses();
    const before = engine.haproxy('lb-1')?.worker.pid;
    expect(await serve('close', 20_000)).toMatchObject({ outcome: 'applied', refusals: [] });
    expect(engine.haproxy('lb-1')?.worker.pid).not.toBe(before);
    await refuses();
    await engine.stop({ keepServing: true });
    expect(await knock()).toBe('ECONNREFUSED');
    await engine.start();
    await refuses();
    await web.restart();
    await until('it serves again', async () => (await statusOf(VIP, PORT)) === 200);
  });

  it('leaves them open for as long as it is told to', async () => {
    await serve('close', 50_000, { closeDelay: 600_000 });
    await web.stop();
    await until('it is known', async () => controller.report('lb-1')?.usable === false);
    const answers: number[] = [];
    // More than what it takes where nothing is said.
    await until('many have asked', async () => answers.push(await statusOf(VIP, PORT)) > 100);
    expect(new Set(answers)).toEqual(new Set([503]));
    await serve('close');
    await refuses();
    await web.restart();
    await until('it serves again', async () => (await statusOf(VIP, PORT)) === 200);
  });

  it('opens them when they are not to be closed any more', async () => {
    await web.stop();
    await refuses();
    await serve('serve');
    await until('haproxy answers that nobody is there', async () => (await statusOf(VIP, PORT)) === 503);
  });
});

function knock(): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(PORT, VIP);
    const end = (result: string) => {
      socket.destroy();
      resolve(result);
    };
    socket.once('connect', () => end('connected'));
    socket.once('error', (error: NodeJS.ErrnoException) => end(error.code ?? 'error'));
  });
}
