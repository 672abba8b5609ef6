import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import type { ListenerSpec, PoolSpec } from '../../driver/protocol/spec';
import { type FakeController, startController } from '../support/agentController';
import { createEngine, type EngineUnderTest } from '../support/agentEngine';
import { aListener, aMember, aMonitor, aPool, aSpec } from '../support/agentSpecs';
import { fetchOnce, headersOf, spread, statusOf } from '../support/agentTraffic';
import { type Backend, startBackend } from '../support/backend';

const VIP = '127.80.200.5';
const PORT = 20_080;

describe('what an engine can do for a pool', () => {
  let controller: FakeController;
  let engine: EngineUnderTest;
  let one: Backend;
  let two: Backend;
  let generation = 0;
  const bin = mkdtempSync(join(tmpdir(), 'slag-bin-'));
  const path = process.env['PATH'];

  beforeAll(async () => {
    process.env['PATH'] = `${bin}:${path}`;
    answerPings(0);
    [controller, one, two] = await Promise.all([startController(), startBackend('one'), startBackend('two')]);
    engine = createEngine([controller.url]);
    await engine.start();
    applications = await Promise.all(['one', 'two'].map(startApplication));
    await serveApplications(1000, 1);
  });
  afterAll(async () => {
    process.env['PATH'] = path;
    await engine.dispose();
    for (const { close } of applications) close();
    await Promise.all([controller.close(), one.stop(), two.stop()]);
    rmSync(bin, { recursive: true });
  });

  /** From now on a ping ends with this code: 0 is an answer. */
  const answerPings = (code: number) => writeFileSync(join(bin, 'ping'), `#!/bin/sh\nexit ${code}\n`, { mode: 0o755 });
  const APPLICATION = '127.80.200.6';
  let applications: Application[] = [];
  const serveApplications = (timeoutClientData: number, version: number) => {
    const persistence = { type: 'APP_COOKIE', cookieName: 'session', timeout: null, granularity: null } as const;
    const pool = { persistence, members: applications.map(({ name, port }) => aMember({ id: name, port })) };
    const listeners = [aListener({ port: PORT, timeoutClientData })];
    const id = 'lb-application';
    return controller.put(aSpec({ id, generation: version, vips: [APPLICATION], listeners, pools: [aPool(pool)] }));
  };
  const members = () => [
    aMember({ id: 'one', address: one.address, port: one.port }),
    aMember({ id: 'two', address: two.address, port: two.port }),
  ];
  const serve = (pool: Partial<PoolSpec>, listener: Partial<ListenerSpec> = {}) => {
    generation += 1;
    return controller.put(
      aSpec({
        generation,
        vips: [VIP, '::1'],
        listeners: [aListener({ port: PORT, ...listener })],
        pools: [aPool({ members: members(), ...pool })],
      }),
    );
  };
  const states = () =>
    controller.report('lb-1')?.generation === generation ? controller.report('lb-1')?.pools['pool-1']?.members : {};

  it('balances TCP, over IPv4 and IPv6', async () => {
    expect(await serve({ protocol: 'TCP' }, { protocol: 'TCP' })).toMatchObject({ refusals: [] });
    expect(await spread(VIP, PORT, 4)).toEqual({ one: 2, two: 2 });
    expect(await spread('::1', PORT, 4)).toEqual({ one: 2, two: 2 });
  });

  it('sends whom it can to the member with the fewest connections', async () => {
    await serve({ protocol: 'TCP', algorithm: 'LEAST_CONNECTIONS' }, { protocol: 'TCP' });
    const held: { name: string; socket: Socket }[] = [];
    for (let count = 0; count < 4; count += 1) held.push(await holdConnection());
    expect(held.filter(({ name }) => name === 'one')).toHaveLength(2);
    for (const { name, socket } of held) if (name === 'one') socket.destroy();
    await controller.waitFor('two are left', () => controller.counters('listener-1')?.activeConnections === 2);

    // One that has just ended may count for a moment yet: not for more than the two.
    expect(await spread(VIP, PORT, 10)).toEqual({ one: 10 });
    for (const { socket } of held) socket.destroy();
  });

  it.each<Partial<PoolSpec>>([
    { algorithm: 'SOURCE_IP' },
    { persistence: { type: 'SOURCE_IP', cookieName: null, timeout: null, granularity: null } },
  ])('keeps a client at one member by its address (%j)', async (pool) => {
    await serve(pool);
    expect(Object.values(await spread(VIP, PORT, 6))).toEqual([6]);
  });

  it('spreads one client by its ports', async () => {
    await serve({ algorithm: 'SOURCE_IP_PORT' });
    expect(Object.keys(await spread(VIP, PORT, 40)).sort()).toEqual(['one', 'two']);
  });

  it('keeps a client at one member by a cookie of its own, also over a reload', async () => {
    const persistence = { type: 'HTTP_COOKIE', cookieName: null, timeout: null, granularity: null } as const;
    await serve({ persistence });
    const cookie = String((await headersOf(VIP, PORT))['set-cookie']).split(';')[0] ?? '';
    expect(cookie).toMatch(/^SRV-\w{8}=/);
    const name = await fetchOnce(VIP, PORT, { cookie });
    await serve({ persistence }, { timeoutClientData: 1000 });

    for (let count = 0; count < 5; count += 1) expect(await fetchOnce(VIP, PORT, { cookie })).toBe(name);
  });

  it('uses backup members only when no other is left', async () => {
    await serve({ members: members().map((member) => ({ ...member, backup: member.id === 'two' })) });
    expect(await spread(VIP, PORT, 4)).toEqual({ one: 4 });

    await serve({ members: members().map((it) => ({ ...it, backup: it.id === 'two', enabled: it.id === 'two' })) });
    expect(await spread(VIP, PORT, 4)).toEqual({ two: 4 });
  });

  it('lets in only whom the allowed CIDRs name', async () => {
    await serve({}, { allowedCidrs: ['10.0.0.0/8'] });
    expect(await statusOf(VIP, PORT)).toBe(0);

    await serve({}, { allowedCidrs: ['10.0.0.0/8', '127.0.0.0/8'] });
    expect(await statusOf(VIP, PORT)).toBe(200);
  });

  it('answers 503 for a disabled pool, and refuses TCP connections for one', async () => {
    await serve({ enabled: false });
    expect(await statusOf(VIP, PORT)).toBe(503);
    await controller.waitFor('it is reported', () => controller.report('lb-1')?.generation === generation);
    expect(controller.report('lb-1')?.pools).toEqual({});

    await serve({ enabled: false, protocol: 'TCP' }, { protocol: 'TCP' });
    expect(await statusOf(VIP, PORT)).toBe(0);
  });

  it('checks by TLS handshake, which a server of another protocol fails', async () => {
    await serve({ protocol: 'HTTPS', monitor: aMonitor({ type: 'TLS-HELLO' }) }, { protocol: 'HTTPS' });
    await controller.waitFor('both are down', () => states()?.['one'] === 'DOWN' && states()?.['two'] === 'DOWN');
  });

  it('takes any TLS answer for a sign of life, as Octavia does', async () => {
    // Without a certificate it answers every hello with an alert.
    const server = createTlsServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const pool = { members: [aMember({ id: 'one', port })], monitor: aMonitor({ type: 'TLS-HELLO' }) };
    await serve({ protocol: 'HTTPS', ...pool }, { protocol: 'HTTPS' });
    await controller.waitFor('it is up', () => states()?.['one'] === 'UP');
    await new Promise((resolve) => server.close(resolve));
  });

  it('pings members itself', async () => {
    const monitor = aMonitor({ type: 'PING' });
    await serve({ monitor });
    await controller.waitFor('both are up', () => states()?.['one'] === 'UP' && states()?.['two'] === 'UP');

    answerPings(1);
    await controller.waitFor('both are down', () => states()?.['one'] === 'DOWN' && states()?.['two'] === 'DOWN');
    expect(await statusOf(VIP, PORT)).toBe(503);

    answerPings(0);
    await controller.waitFor('both are up again', () => states()?.['one'] === 'UP' && states()?.['two'] === 'UP');
    expect(await spread(VIP, PORT, 4)).toEqual({ one: 2, two: 2 });
  });

  it('reports a listener at its connection limit as full', async () => {
    const held = await startSilentServer();
    const { port } = held.address() as AddressInfo;
    await serve({ protocol: 'TCP', members: [aMember({ port })] }, { protocol: 'TCP', connectionLimit: 1 });
    const pending = statusOf(VIP, PORT);
    await controller.waitFor('it is full', () => controller.report('lb-1')?.listeners['listener-1'] === 'FULL');

    held.emit('release');
    await pending;
    await new Promise((resolve) => held.close(resolve));
  });

  it('leaves out what haproxy refuses, in its words, and serves the rest', async () => {
    const { outcome, refusals } = await serve({ monitor: aMonitor({ expectedCodes: '300-200' }) });

    expect({ outcome, refusals }).toEqual({
      outcome: 'applied',
      refusals: [
        { kind: 'healthmonitor', id: 'monitor-1', reason: expect.stringContaining("range of status codes '300-200'") },
      ],
    });
    expect(await spread(VIP, PORT, 4)).toEqual({ one: 2, two: 2 });
  });

  it('keeps a client at one member by the cookie of the application, over reloads from the very first on', async () => {
    const name = await fetchOnce(APPLICATION, PORT);
    const cookie = `session=${name}`;
    for (const version of [2, 3, 4]) {
      await serveApplications(1000 * version, version);
      for (let count = 0; count < 4; count += 1) expect(await fetchOnce(APPLICATION, PORT, { cookie })).toBe(name);
    }
  });

  it('keeps that client there over a restart of the engine', async () => {
    const [first, second] = [await fetchOnce(APPLICATION, PORT), await fetchOnce(APPLICATION, PORT)];
    const hellos = controller.hellos().length;
    await engine.stop({ keepServing: false });
    await engine.start();
    await controller.waitFor('it serves again', () => controller.hellos().length > hellos);
    for (const name of [first, second]) {
      const cookie = `session=${name}`;
      for (let count = 0; count < 4; count += 1) expect(await fetchOnce(APPLICATION, PORT, { cookie })).toBe(name);
    }
  });
});

/** A connection that stays, and who is at its other end. */
async function holdConnection(): Promise<{ name: string; socket: Socket }> {
  const socket = connect(PORT, VIP);
  socket.write('GET / HTTP/1.1\r\nHost: held\r\n\r\n');
  const [answer] = await once(socket, 'data');
  return { name: String(answer).includes('one\n') ? 'one' : 'two', socket };
}

interface Application {
  readonly name: string;
  readonly port: number;
  close(): void;
}

/** Answers its name and sets it as a cookie when the client brings none. */
async function startApplication(name: string): Promise<Application> {
  const server = createHttpServer((request, response) => {
    if (request.headers.cookie === undefined) response.setHeader('set-cookie', `session=${name}`);
    response.end(name);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { name, port: (server.address() as AddressInfo).port, close };
}

/** Accepts connections and holds them, saying nothing, until `release` is emitted. */
function startSilentServer(): Promise<Server> {
  return new Promise((resolve) => {
    const server = createTcpServer((socket) => {
      socket.on('error', () => undefined);
      server.once('release', () => socket.destroy());
    });
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
}
