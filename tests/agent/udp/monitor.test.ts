import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import { checkMember, isExpected } from '../../../driver/agent/udp/checks';
import { aMonitor } from '../../support/agentSpecs';
import { setUdpStage, type UdpStage } from '../../support/agentUdpStage';
import { startDatagram } from '../../support/backends/datagram';

/** A TCP server that keeps what it is sent and answers as it is told. */
async function startTeller(answer: string, address = '127.0.0.1') {
  const asked: string[] = [];
  const open = new Set<Socket>();
  const server: Server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      asked.push(String(data));
      socket.write(answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  const stop = () => {
    for (const socket of open) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  };
  return { asked, stop, address, port: (server.address() as AddressInfo).port };
}

describe('a check of a member of a UDP pool', () => {
  it('by UDP-CONNECT passes unless the datagram is refused', async () => {
    const backend = await startDatagram('one');
    const monitor = aMonitor({ type: 'UDP-CONNECT' });
    expect(await checkMember({ ...backend, monitor })).toBe(true);
    await backend.stop();
    expect(await checkMember({ ...backend, monitor })).toBe(false);
  });

  it('by UDP-CONNECT passes with a server that says nothing', async () => {
    const { createSocket } = await import('node:dgram');
    const silent = createSocket('udp6');
    await new Promise<void>((resolve) => silent.bind(0, '::1', resolve));
    const target = { address: '::1', port: silent.address().port, monitor: aMonitor({ type: 'UDP-CONNECT' }) };
    expect(await checkMember(target)).toBe(true);
    silent.close();
  });

  it('by TCP passes if a connection comes about', async () => {
    const teller = await startTeller('');
    const monitor = aMonitor({ type: 'TCP' });
    expect(await checkMember({ ...teller, monitor })).toBe(true);
    await teller.stop();
    expect(await checkMember({ ...teller, monitor })).toBe(false);
  });

  it('by HTTP asks as its monitor says, and takes the codes that it expects', async () => {
    const teller = await startTeller('HTTP/1.1 204 No Content\r\n\r\n');
    const plain = aMonitor({ httpMethod: 'HEAD', urlPath: '/up?x=1', expectedCodes: '200,202-204' });
    expect(await checkMember({ ...teller, monitor: plain })).toBe(true);
    const named = aMonitor({ httpVersion: 1.1, domainName: 'dns.example.org', expectedCodes: '200' });
    expect(await checkMember({ ...teller, monitor: named })).toBe(false);
    expect(teller.asked).toEqual([
      'HEAD /up?x=1 HTTP/1.0\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: dns.example.org\r\nConnection: close\r\n\r\n',
    ]);
    await teller.stop();
  });

  it('by HTTP fails when there is no answer in time, or none of HTTP', async () => {
    const mute = await startTeller('');
    expect(await checkMember({ ...mute, monitor: aMonitor() })).toBe(false);
    await mute.stop();
    const other = await startTeller('SSH-2.0-OpenSSH\r\n'.repeat(300));
    expect(await checkMember({ ...other, monitor: aMonitor() })).toBe(false);
    await other.stop();
  });

  it.each([
    [200, '200', true],
    [201, '200', false],
    [201, '200,201', true],
    [203, '201-204', true],
    [205, '100-199,201-204', false],
  ])('takes %i for one of %s: %s', (status, codes, expected) => {
    expect(isExpected(status, codes)).toBe(expected);
  });
});

describe('monitors of UDP pools', () => {
  let stage: UdpStage;
  beforeAll(async () => {
    stage = await setUdpStage('127.80.210.4');
  });
  afterAll(() => stage.dispose());

  it('check at the monitor address and port of a member', async () => {
    const teller = await startTeller('HTTP/1.0 200 OK\r\n\r\n', '::1');
    const place = { monitorAddress: '::1', monitorPort: teller.port };
    const monitor = aMonitor({ type: 'HTTP', urlPath: '/health' });
    await stage.serve({ monitor, members: [stage.member(stage.one, place), stage.member(stage.two)] });
    await stage.waitForMember(stage.one, 'UP');
    await stage.waitForMember(stage.two, 'DOWN');
    expect(teller.asked[0]).toBe('GET /health HTTP/1.0\r\n\r\n');
    expect(await stage.spread(3)).toEqual({ one: 3 });
    await teller.stop();
    await stage.waitForMember(stage.one, 'DOWN');
    expect(stage.controller.report('lb-1')?.pools['pool-1']?.state).toBe('DOWN');
  });

  it('ask for as many results in a row as their thresholds say', async () => {
    const monitor = aMonitor({ type: 'UDP-CONNECT', fallThreshold: 3, riseThreshold: 2 });
    await stage.serve({ monitor, members: [stage.member(stage.one), stage.member(stage.two)] });
    await stage.waitForMember(stage.one, 'UP');
    const before = Date.now();
    await stage.one.stop();
    await stage.waitForMember(stage.one, 'DOWN');
    // The first of three checks comes within a second, the last two seconds later.
    expect(Date.now() - before).toBeGreaterThan(1900);
    await stage.one.restart();
    const back = Date.now();
    await stage.waitForMember(stage.one, 'UP');
    expect(Date.now() - back).toBeGreaterThan(900);
  });

  it('are refused if their type is none of UDP', async () => {
    const monitor = aMonitor({ type: 'TLS-HELLO' });
    const ack = await stage.serve({ monitor, members: [stage.member(stage.one)] });
    expect(ack.refusals).toEqual([
      expect.objectContaining({ kind: 'healthmonitor', reason: expect.stringContaining('TLS-HELLO') }),
    ]);
    expect(await stage.spread(2)).toEqual({ one: 2 });
  });
});
