import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { memoryLimit } from '../../driver/agent/process/daemon';
import { type FakeController, startController } from '../support/agentController';
import { createEngine, type EngineUnderTest } from '../support/agentEngine';
import { aListener, aMember, aMonitor, aPool, aSpec } from '../support/agentSpecs';
import { fetchOnce, type Load, startLoad } from '../support/agentTraffic';
import { type Backend, startBackend } from '../support/backend';

const VIP = '127.80.200.16';
const BROKEN_VIP = '127.80.200.17';
const PORT = 20_080;

describe('beside a broken load balancer, its neighbour on the same engine', () => {
  let controller: FakeController;
  let engine: EngineUnderTest;
  let one: Backend;
  let load: Load;
  let before: ReturnType<EngineUnderTest['haproxy']>;

  beforeAll(async () => {
    [controller, one] = await Promise.all([startController(), startBackend('one')]);
    engine = createEngine([controller.url]);
    await engine.start();
    await controller.put(
      aSpec({ id: 'lb-good', vips: [VIP], listeners: [aListener({ port: PORT })], pools: [pool()] }),
    );
  });
  afterAll(async () => {
    await engine.dispose();
    await Promise.all([controller.close(), one.stop()]);
  });
  beforeEach(() => {
    before = engine.haproxy('lb-good');
    load = startLoad(VIP, PORT, 4);
  });
  afterEach(async () => {
    const { answered, failures } = await load.stop();
    expect(failures).toEqual([]);
    expect(answered).toBeGreaterThan(0);
    expect(before).not.toBeNull();
    expect(engine.haproxy('lb-good')).toEqual(before);
  });

  const pool = () => aPool({ members: [aMember({ port: one.port })] });
  const broken = (generation: number, over: Parameters<typeof aSpec>[0] = {}) =>
    aSpec({
      id: 'lb-broken',
      generation,
      vips: [BROKEN_VIP],
      listeners: [aListener({ id: 'listener-broken', port: PORT })],
      pools: [pool()],
      ...over,
    });

  it('serves on when the configuration of the other is refused', async () => {
    const monitor = aMonitor({ id: 'monitor-broken', expectedCodes: '300-200' });
    const pools = [aPool({ members: [aMember({ port: one.port })], monitor })];
    expect((await controller.put(broken(1, { pools }))).refusals).not.toEqual([]);
    // Nobody has this address.
    expect((await controller.put(broken(2, { vips: ['192.0.2.77'] }))).refusals).not.toEqual([]);
  });

  it('serves on when the other crashes again and again', async () => {
    await controller.put(broken(3));
    for (let crash = 1; crash <= 4; crash += 1) {
      const now = engine.haproxy('lb-broken');
      process.kill(now?.worker.pid ?? 0, 'SIGKILL');
      await controller.waitFor('the broken one is back', () => {
        const next = engine.haproxy('lb-broken');
        return next !== null && next.worker.pid !== now?.worker.pid;
      });
    }
    expect(await fetchOnce(BROKEN_VIP, PORT)).toBe('one\n');
  });

  it('serves on when the other is held by a thousand clients, and none may take all memory', async () => {
    const clients = await Promise.all(Array.from({ length: 1000 }, () => holdConnection()));
    const worker = engine.haproxy('lb-broken')?.worker.pid;
    const limits = readFileSync(`/proc/${worker}/limits`, 'utf8');
    expect(limits).toMatch(new RegExp(`^Max address space\\s+${memoryLimit() * 1_048_576}\\s`, 'm'));
    expect(await fetchOnce(VIP, PORT)).toBe('one\n');
    for (const client of clients) client.destroy();
  });

  const holdConnection = (): Promise<Socket> =>
    new Promise((resolve, reject) => {
      const socket = connect(PORT, BROKEN_VIP);
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.write(`GET / HTTP/1.1\r\nX-Slow: ${'x'.repeat(4000)}`);
        resolve(socket);
      });
    });
});
