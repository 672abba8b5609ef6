import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { ListenerSpec, PoolSpec } from '../../driver/protocol/spec';
import { type FakeController, startController } from '../support/agentController';
import { type Counted, startCounting } from '../support/agentCounting';
import { createEngine, type EngineUnderTest } from '../support/agentEngine';
import { aListener, aMember, aPool, aSpec } from '../support/agentSpecs';
import { aListenerTls, bundleOf, createTexts } from '../support/agentTls';
import { type Backend, startBackend } from '../support/backend';
import { issue } from '../support/certificates/issue';

const ROOT = join(__dirname, '../..');
const VIP = '127.80.200.11';
const PORT = 20_080;

describe('what an engine counts', () => {
  let controller: FakeController;
  let engine: EngineUnderTest;
  let one: Backend;
  let two: Backend;
  let agent: ChildProcess | null = null;
  let generation = 0;
  let certificate: ReturnType<typeof texts.material>;
  const texts = createTexts();

  beforeAll(async () => {
    [controller, one, two] = await Promise.all([startController(), startBackend('one'), startBackend('two')]);
    engine = createEngine([controller.url]);
    certificate = texts.material('certificate', bundleOf(await issue({ cn: 'counted.example' })));
    await startAgent();
  });
  afterAll(async () => {
    agent?.kill('SIGKILL');
    await engine.dispose();
    await Promise.all([controller.close(), one.stop(), two.stop()]);
  });

  const startAgent = async () => {
    const hellos = controller.hellos().length;
    const files = [join(ROOT, 'devstack/run-ts.cjs'), join(ROOT, 'tests/support/agentProcess.ts')];
    agent = spawn(process.execPath, [...files, JSON.stringify(engine.config)], { stdio: 'inherit' });
    await controller.waitFor('the agent says hello', () => controller.hellos().length > hellos);
  };
  const killAgent = async () => {
    agent?.kill('SIGKILL');
    if (agent !== null) await once(agent, 'exit');
  };
  const memberOf = (backend: Backend, over = {}) =>
    aMember({ id: `member-${backend.name}`, address: backend.address, port: backend.port, ...over });
  const serve = (
    listener: Partial<ListenerSpec>,
    pool: Partial<PoolSpec>,
    members = [memberOf(one), memberOf(two)],
  ) => {
    generation += 1;
    return controller.put(
      aSpec({
        generation,
        vips: [VIP],
        listeners: [aListener({ port: PORT, ...listener })],
        pools: [aPool({ members, ...pool })],
      }),
      texts.byDigest,
    );
  };
  const count = async (id: string) => {
    const load = startCounting({ host: VIP, port: PORT, pause: 2 });
    await controller.waitFor(`${id} has clients`, () => BigInt(controller.counters(id)?.totalConnections ?? 0) > 10n);
    return load.stop();
  };
  const isCounted = (listener: string, counted: Counted) =>
    controller.waitFor(`${listener} has counted ${JSON.stringify(counted)}`, () => {
      const { totalConnections, bytesIn, bytesOut } = controller.counters(listener) ?? {};
      return (
        totalConnections === String(counted.connections) &&
        bytesIn === String(counted.bytesIn) &&
        bytesOut === String(counted.bytesOut)
      );
    });

  it.each<[string, Partial<ListenerSpec>, Partial<PoolSpec>]>([
    ['HTTP', { protocol: 'HTTP' }, { protocol: 'HTTP' }],
    ['TCP', { protocol: 'TCP' }, { protocol: 'TCP' }],
    ['TCP with an HTTP pool', { protocol: 'TCP' }, { protocol: 'HTTP' }],
  ])('is what clients count over %s, through reloads and member changes', async (name, listener, pool) => {
    const id = `listener-${name.replaceAll(' ', '-')}`;
    await serve({ id, ...listener }, pool);
    const load = startCounting({ host: VIP, port: PORT, pause: 2 });
    for (let round = 1; round <= 4; round += 1) {
      await serve({ id, ...listener, timeoutClientData: 40_000 + round }, pool);
      await serve({ id, ...listener, timeoutClientData: 40_000 + round }, pool, [memberOf(one)]);
      await serve({ id, ...listener, timeoutClientData: 40_000 + round }, pool);
    }
    const counted = await load.stop();

    expect(counted.failures).toEqual([]);
    expect(counted.connections).toBeGreaterThan(20);
    await isCounted(id, counted);
  });

  it('is what clients count inside TLS', async () => {
    const listener = { id: 'listener-tls', protocol: 'TERMINATED_HTTPS', tls: aListenerTls({ certificate }) } as const;
    await serve(listener, {});
    const load = startCounting({ host: VIP, port: PORT, tls: true, pause: 2 });
    for (let round = 1; round <= 3; round += 1) await serve({ ...listener, timeoutClientData: 40_000 + round }, {});
    const counted = await load.stop();

    expect(counted.failures).toEqual([]);
    await isCounted(listener.id, counted);
  });

  it('holds what old workers carried that had to end because there were too many', async () => {
    const id = 'listener-many';
    const sockets: Socket[] = [];
    const total = { connections: 0, bytesIn: 0, bytesOut: 0, failures: [] };
    for (let round = 1; round <= 10; round += 1) {
      await serve({ id, protocol: 'TCP', timeoutClientData: 40_000 + round }, { protocol: 'TCP' });
      const socket = connect(PORT, VIP);
      sockets.push(socket);
      const request = `GET /${round} HTTP/1.1\r\nHost: held\r\n\r\n`;
      socket.write(request);
      const [answer] = await once(socket, 'data');
      socket.on('data', (more) => (total.bytesOut += more.length)).on('error', () => undefined);
      total.connections += 1;
      total.bytesIn += request.length;
      total.bytesOut += answer.length;
    }
    const retired = readFileSync(join(engine.config.stateDir, 'lb/lb-1/retired.json'), 'utf8');
    expect(JSON.parse(retired)).toHaveLength(7);
    await controller.waitFor('the oldest has been cut', () => sockets[0]?.destroyed === true);
    await isCounted(id, total);
    for (const socket of sockets) socket.destroy();
  });

  it('stays what it was when haproxy crashes, and goes on from there', async () => {
    const id = 'listener-crash';
    await serve({ id }, {});
    const first = await count(id);
    await isCounted(id, first);

    const before = engine.haproxy('lb-1');
    process.kill(before?.worker.pid ?? 0, 'SIGKILL');
    await controller.waitFor('haproxy is back', () => {
      const now = engine.haproxy('lb-1');
      return now !== null && now.worker.pid !== before?.worker.pid;
    });
    const second = await count(id);
    await isCounted(id, {
      connections: first.connections + second.connections,
      bytesIn: first.bytesIn + second.bytesIn,
      bytesOut: first.bytesOut + second.bytesOut,
      failures: [],
    });
  });

  it.each<[string, Partial<ListenerSpec>]>([
    ['HTTP', { protocol: 'HTTP' }],
    ['TCP', { protocol: 'TCP' }],
  ])('is what clients count over %s, through deaths of the agent with workers retiring', async (name, listener) => {
    const id = `listener-killed-${name}`;
    const pool = { protocol: name as 'HTTP' | 'TCP' };
    await serve({ id, ...listener }, pool);
    // The slow ones are on an old worker when the agent dies, and end while it is away.
    const slow = startCounting({ host: VIP, port: PORT, pause: 150, requests: 8, clients: 3 });
    const load = startCounting({ host: VIP, port: PORT, pause: 5 });
    for (let round = 1; round <= 3; round += 1) {
      await serve({ id, ...listener, timeoutClientData: 40_000 + round }, pool);
      await killAgent();
      await new Promise((resolve) => setTimeout(resolve, round * 400));
      await startAgent();
    }
    const [first, second] = [await slow.stop(), await load.stop()];

    expect([...first.failures, ...second.failures]).toEqual([]);
    await isCounted(id, {
      connections: first.connections + second.connections,
      bytesIn: first.bytesIn + second.bytesIn,
      bytesOut: first.bytesOut + second.bytesOut,
      failures: [],
    });
  });
});
