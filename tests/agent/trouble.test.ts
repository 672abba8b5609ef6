import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { end, signal } from '../../driver/agent/process/identity';
import { type FakeController, startController } from '../support/agentController';
import { createEngine, type EngineUnderTest } from '../support/agentEngine';
import { aListener, aMember, aPool, aSpec } from '../support/agentSpecs';
import { fetchOnce, startLoad, statusOf } from '../support/agentTraffic';
import { type Backend, startBackend } from '../support/backend';

const VIP = '127.80.200.2';
const NEIGHBOUR = '127.80.200.3';
const PORT = 20_080;

describe('an engine in trouble', () => {
  let controller: FakeController;
  let engine: EngineUnderTest;
  let backend: Backend;
  let generation = 0;

  beforeAll(async () => {
    [controller, backend] = await Promise.all([startController(), startBackend('one')]);
    engine = createEngine([controller.url]);
    await engine.start();
  });
  afterAll(async () => {
    await engine.dispose();
    await Promise.all([controller.close(), backend.stop()]);
  });

  const pool = () => aPool({ members: [aMember({ address: backend.address, port: backend.port })] });
  const serve = (over: Parameters<typeof aSpec>[0] = {}) => {
    generation += 1;
    return controller.put(
      aSpec({ generation, vips: [VIP], listeners: [aListener({ port: PORT })], pools: [pool()], ...over }),
    );
  };

  it('refuses a listener whose port is taken, serves the rest, and heals when it is free', async () => {
    const squatter = await listen(VIP, PORT + 1);
    const listeners = [aListener({ port: PORT }), aListener({ id: 'listener-2', port: PORT + 1 })];

    const ack = await serve({ listeners });
    expect(ack).toMatchObject({
      outcome: 'applied',
      refusals: [{ kind: 'listener', id: 'listener-2', reason: expect.stringContaining('already taken') }],
    });
    expect(await fetchOnce(VIP, PORT)).toBe('one\n');
    await controller.waitFor('the rest is reported', () => controller.report('lb-1')?.generation === generation);
    expect(controller.report('lb-1')?.listeners).toEqual({ 'listener-1': 'OPEN' });

    await close(squatter);
    await controller.waitFor('the refusal is withdrawn', () => controller.ack('lb-1')?.refusals.length === 0);
    expect(controller.ack('lb-1')).toMatchObject({ generation, outcome: 'applied' });
    expect(await fetchOnce(VIP, PORT + 1)).toBe('one\n');
  });

  it('refuses what this version does not carry and says so', async () => {
    const listeners = [aListener({ port: PORT }), aListener({ id: 'listener-sctp', protocol: 'SCTP', port: PORT + 2 })];

    expect((await serve({ listeners })).refusals).toEqual([
      { kind: 'listener', id: 'listener-sctp', reason: 'this engine does not carry listeners of protocol SCTP' },
    ]);
    expect(await fetchOnce(VIP, PORT)).toBe('one\n');
  });

  it('serves on what it served when the disk takes no new configuration, and heals', async () => {
    await serve();
    const obstacle = join(engine.config.stateDir, 'lb', 'lb-1', 'candidate.cfg.new');
    mkdirSync(obstacle);
    writeFileSync(join(obstacle, 'file'), '');

    const added = aMember({ id: 'member-2', address: backend.address, port: backend.port });
    const ack = await serve({ pools: [{ ...pool(), members: [...pool().members, added] }] });
    expect(ack).toMatchObject({ outcome: 'refused', refusals: [{ kind: 'member', id: 'member-2' }] });
    expect(await fetchOnce(VIP, PORT)).toBe('one\n');

    rmSync(obstacle, { recursive: true });
    await controller.waitFor('the change is made', () => controller.ack('lb-1')?.outcome === 'applied');
    expect(engine.configuration('lb-1')).toContain("server 'member-2'");
  });

  it('brings a killed haproxy back within a second and leaves its neighbour alone', async () => {
    await serve();
    // Counters go by the listener's id.
    const neighbour = aListener({ id: 'listener-of-neighbour', port: PORT });
    await controller.put(aSpec({ id: 'lb-2', vips: [NEIGHBOUR], listeners: [neighbour], pools: [pool()] }));
    const untouched = engine.haproxy('lb-2');
    const load = startLoad(NEIGHBOUR, PORT, 2);

    for (const victim of ['master', 'worker'] as const) {
      const before = engine.haproxy('lb-1');
      if (before === null) throw new Error('there is no haproxy to kill');
      signal(before[victim], 'SIGKILL');
      const killed = Date.now();
      await end([before.master, before.worker]);
      await controller.waitFor('it serves again', () => engine.haproxy('lb-1') !== null);
      while ((await statusOf(VIP, PORT)) !== 200) expect(Date.now() - killed).toBeLessThan(1000);
      expect(Date.now() - killed).toBeLessThan(1000);
    }

    expect((await load.stop()).failures).toEqual([]);
    expect(engine.haproxy('lb-2')).toEqual(untouched);
    expect(controller.received).toContainEqual(
      expect.objectContaining({ type: 'event', name: 'HAPROXY_CRASHED', loadBalancerId: 'lb-1' }),
    );
  });

  it('serves on and counts on while the controller is away and while the agent itself is', async () => {
    const before = engine.haproxy('lb-1');
    const counted = () => BigInt(controller.counters('listener-1')?.totalConnections ?? 0);
    // Before the load: a report that came meanwhile would hold some of it.
    const earlier = counted();
    const load = startLoad(VIP, PORT, 4);
    await controller.close();
    await engine.stop({ keepServing: true });
    const port = Number(new URL(controller.url).port);
    controller = await startController(port);
    await engine.start();
    await controller.waitFor('the agent is back', () => controller.hellos().length > 0);

    expect(controller.hellos()[0]?.held).toEqual(
      expect.arrayContaining([expect.objectContaining({ id: 'lb-1', generation, refusals: [] })]),
    );
    const { alone, failures } = await load.stop();
    expect(failures).toEqual([]);
    expect(engine.haproxy('lb-1')).toEqual(before);
    await controller.waitFor('all is counted', () => counted() >= earlier + BigInt(alone));
    await serve({ listeners: [aListener({ port: PORT, timeoutClientData: 1234 })] });
    expect(engine.haproxy('lb-1')?.master).toEqual(before?.master);
  });

  it('starts again what has died while no agent was there', async () => {
    const before = engine.haproxy('lb-1');
    await engine.stop({ keepServing: true });
    await end(before === null ? [] : [before.master]);
    await engine.start();

    await controller.waitFor('its haproxy is back', () => engine.haproxy('lb-1') !== null);
    expect(await fetchOnce(VIP, PORT)).toBe('one\n');
  });

  it('closes the connection on a message it does not understand, and comes back', async () => {
    const before = controller.connections();
    controller.sendText('{"type":"put","spec":{"id":"lb-1"}}');

    await controller.waitFor('it dials again', () => controller.connections() > before);
    expect(await fetchOnce(VIP, PORT)).toBe('one\n');
  });

  it('ends all its haproxies when it is told to serve no more, and serves them again at the next start', async () => {
    await engine.stop({ keepServing: false });
    expect(engine.haproxy('lb-1')).toBeNull();
    expect(engine.haproxy('lb-2')).toBeNull();

    await engine.start();
    await controller.waitFor('both are back', () => engine.haproxy('lb-1') !== null && engine.haproxy('lb-2') !== null);
    expect(await fetchOnce(VIP, PORT)).toBe('one\n');
    expect(await fetchOnce(NEIGHBOUR, PORT)).toBe('one\n');
  });
});

function listen(host: string, port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(port, host, () => resolve(server.unref()));
  });
}

function close(server: Server): Promise<unknown> {
  return new Promise((resolve) => server.close(resolve));
}
