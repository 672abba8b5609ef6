import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ListenerSpec, PoolSpec } from '../../driver/protocol/spec';
import { type FakeController, startController } from '../support/agentController';
import { openDatagramClient } from '../support/agentDatagrams';
import { createEngine, type EngineUnderTest } from '../support/agentEngine';
import { aListener, aMember, aPool, aSpec } from '../support/agentSpecs';
import { fetchOnce } from '../support/agentTraffic';
import { type Backend, startBackend } from '../support/backend';

const VIP = '127.80.200.14';
const PORT = 20_080;

describe('what is logged of connections', () => {
  let controller: FakeController;
  let engine: EngineUnderTest;
  let one: Backend;
  let syslog: Socket;
  let generation = 0;
  const received: string[] = [];
  const directory = mkdtempSync(join(tmpdir(), 'slag-log-'));
  const file = join(directory, 'connections.log');

  beforeAll(async () => {
    syslog = createSocket('udp4', (message) => received.push(String(message)));
    syslog.bind(0, '127.0.0.1');
    await once(syslog, 'listening');
    [controller, one] = await Promise.all([startController(), startBackend('one')]);
    engine = createEngine([controller.url]);
    await engine.start();
  });
  afterAll(async () => {
    await engine.dispose();
    syslog.close();
    await Promise.all([controller.close(), one.stop()]);
    rmSync(directory, { recursive: true });
  });

  const serve = (target: string, listener: Partial<ListenerSpec> = {}, pool: Partial<PoolSpec> = {}) => {
    generation += 1;
    const listeners = [aListener({ port: PORT, log: { target }, ...listener })];
    const pools = [aPool({ members: [aMember({ id: 'one', port: one.port })], ...pool })];
    return controller.put(aSpec({ generation, vips: [VIP], listeners, pools }));
  };
  const toSyslog = () => `127.0.0.1:${syslog.address().port}`;
  const inFile = () => (existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : []);
  const nextIn = async (lines: () => readonly string[], from: number) => {
    await controller.waitFor('a line comes', () => lines().length > from);
    return lines()[from] ?? '';
  };

  it('is one line of JSON for each request, sent to a syslog server', async () => {
    expect(await serve(toSyslog())).toMatchObject({ outcome: 'applied', refusals: [] });
    await fetchOnce(VIP, PORT, { 'user-agent': 'tester/1.0' });
    const line = await nextIn(() => received, 0);

    expect(line).toMatch(/^<134>1 \S+ .* \{/);
    expect(JSON.parse(line.slice(line.indexOf('{')))).toEqual({
      time: expect.any(Number),
      load_balancer: 'lb-1',
      listener: 'listener-1',
      client: '127.0.0.1',
      client_port: expect.any(Number),
      vip: VIP,
      vip_port: PORT,
      pool: 'pool-1',
      member: 'one',
      termination: '--',
      duration_ms: expect.any(Number),
      bytes_in: expect.any(Number),
      bytes_out: expect.any(Number),
      method: 'GET',
      uri: '/',
      host: `${VIP}:${PORT}`,
      user_agent: 'tester/1.0',
      status: 200,
    });
  });

  it.each([
    ['quotes', '"},{"status":"500'],
    ['backslashes', '\\"\\u0000\\'],
    ['bytes that are no text', '\u00ff\u00fe"\u0080'],
    ['all that a header may hold', `\t${'"\\'.repeat(4000)}`],
  ])('holds what a hostile client says as a value and no more: %s', async (_name, agent) => {
    const before = received.length;
    const socket = connect(PORT, VIP);
    socket.write(
      Buffer.from(`GET /?${'%22'.repeat(900)} HTTP/1.0\r\nHost: "\\\r\nUser-Agent: x${agent}\r\n\r\n`, 'latin1'),
    );
    await once(socket.resume(), 'close');
    const line = await nextIn(() => received, before);
    const parsed = JSON.parse(line.slice(line.indexOf('{')));
    expect(parsed).toMatchObject({ status: 200, host: '"\\' });
    expect(`x${agent}`.replace(/[\u0080-\u00ff]/g, '')).toContain(
      parsed.user_agent.replace(/[\u0080-\u00ff\ufffd]/g, ''),
    );
  });

  it('is appended to a file, also when that is moved away, and what happened while the agent was away comes after', async () => {
    expect(await serve(file)).toMatchObject({ outcome: 'applied', refusals: [] });
    await fetchOnce(VIP, PORT);
    expect(JSON.parse(await nextIn(inFile, 0))).toMatchObject({ listener: 'listener-1', member: 'one', status: 200 });

    await engine.stop({ keepServing: true });
    await fetchOnce(VIP, PORT, { 'user-agent': 'meanwhile' });
    rmSync(file);
    await engine.start();
    expect(JSON.parse(await nextIn(inFile, 0))).toMatchObject({ user_agent: 'meanwhile' });
  });

  it('is one line for each connection of a TCP listener', async () => {
    const before = received.length;
    await serve(toSyslog(), { protocol: 'TCP' }, { protocol: 'TCP' });
    await fetchOnce(VIP, PORT);
    const line = await nextIn(() => received, before);
    const parsed = JSON.parse(line.slice(line.indexOf('{')));
    expect(parsed).toMatchObject({ listener: 'listener-1', pool: 'pool-1', member: 'one', termination: '--' });
    expect(parsed).not.toHaveProperty('uri');
  });

  it.each(['a file', 'a syslog server'])('is one line for each session of a UDP listener, to %s', async (where) => {
    rmSync(file, { force: true });
    const lines = where === 'a file' ? inFile : () => received;
    const before = lines().length;
    const echo = createSocket('udp4', (message, { port, address }) => echo.send(message, port, address));
    echo.bind(0, '127.0.0.1');
    await once(echo, 'listening');
    const members = [aMember({ id: 'one', port: echo.address().port })];
    await serve(
      where === 'a file' ? file : toSyslog(),
      { protocol: 'UDP', timeoutClientData: 200 },
      { protocol: 'UDP', members },
    );
    const client = await openDatagramClient(VIP, PORT);
    expect(await client.ask('hello')).toBe('hello');
    client.close();
    const line = await nextIn(lines, before);
    echo.close();

    expect(JSON.parse(line.slice(line.indexOf('{')))).toMatchObject({
      load_balancer: 'lb-1',
      listener: 'listener-1',
      pool: 'pool-1',
      member: 'one',
      client: '127.0.0.1',
      vip: VIP,
      vip_port: PORT,
      bytes_in: 5,
      bytes_out: 5,
      termination: '--',
    });
  });

  it('is nothing when its target cannot be used, and the listener serves on', async () => {
    const { refusals } = await serve("nowhere' user root");
    expect(refusals).toEqual([{ kind: 'listener', id: 'listener-1', reason: expect.stringContaining('log target') }]);
    expect(await fetchOnce(VIP, PORT)).toBe('one\n');
  });
});
