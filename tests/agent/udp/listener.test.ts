import { createSocket } from 'node:dgram';
import { openDatagramClient, spreadDatagrams } from '../../support/agentDatagrams';
import { aListener, aPool } from '../../support/agentSpecs';
import { setUdpStage, UDP_PORT, type UdpStage } from '../../support/agentUdpStage';
import { startDatagram } from '../../support/backends/datagram';
import { waitUntil } from '../../support/wait';

describe('a UDP listener', () => {
  let stage: UdpStage;
  beforeAll(async () => {
    stage = await setUdpStage('127.80.210.3');
  });
  afterAll(() => stage.dispose());

  const counters = (id = 'listener-1') => stage.controller.counters(id);
  const ask = async (text: string, from?: string) => {
    const client = await openDatagramClient(stage.vip, UDP_PORT, from);
    const answer = await client.ask(text, 300);
    client.close();
    return answer;
  };

  it('serves only the networks that are allowed, and counts nobody else', async () => {
    const members = [stage.member(stage.one)];
    await stage.serve({ members }, { allowedCidrs: ['127.3.0.0/16', '127.4.0.1/32'] });
    expect(await ask('x', '127.3.9.9')).toBe('one: x');
    expect(await ask('x', '127.4.0.1')).toBe('one: x');
    expect(await ask('x', '127.4.0.2')).toBeNull();
    await stage.serve({ members });
    expect(await ask('x', '127.4.0.2')).toBe('one: x');
    await stage.controller.waitFor('three sessions have ended', () => counters()?.totalConnections === '3');
    expect(counters()).toMatchObject({ bytesIn: '3', bytesOut: '18' });
  });

  it('takes no more sessions than its limit, says that it is full, and goes on when some have ended', async () => {
    await stage.serve({ members: [stage.member(stage.one)] }, { connectionLimit: 2, timeoutClientData: 2000 });
    expect([await ask('a'), await ask('b'), await ask('c')]).toEqual(['one: a', 'one: b', null]);
    const state = () => stage.controller.report('lb-1')?.listeners['listener-1'];
    await stage.controller.waitFor('it is full', () => state() === 'FULL');
    await stage.controller.waitFor('both are told of', () => counters()?.activeConnections === 2);
    await stage.controller.waitFor('it is open again', () => state() === 'OPEN');
    expect(await ask('d')).toBe('one: d');
  });

  it('ends a session when it has been idle for its client time-out, and not before', async () => {
    await stage.serve({ members: [stage.member(stage.one)] }, { timeoutClientData: 700 });
    const from = stage.one.arrivals.length;
    const client = await openDatagramClient(stage.vip, UDP_PORT);
    const ports = () => new Set(stage.one.arrivals.slice(from).map(({ remotePort }) => remotePort)).size;
    const until = Date.now() + 2000;
    await waitUntil('the time-out has passed thrice', 5000, async () => {
      await client.ask('x');
      return Date.now() > until;
    });
    expect(ports()).toBe(1);
    await stage.controller.waitFor('the session has ended', () => counters()?.activeConnections === 0);
    await client.ask('x');
    client.close();
    expect(ports()).toBe(2);
  });

  it('carries the longest datagrams, both ways', async () => {
    await stage.serve({ members: [stage.member(stage.one)] });
    const text = 'z'.repeat(60_000);
    const client = await openDatagramClient(stage.vip, UDP_PORT);
    const answer = await client.ask(text);
    client.close();
    expect(answer).toBe(`one: ${text}`);
  });

  it('carries flows without answers, and many answers to one datagram', async () => {
    const chatty = createSocket('udp4');
    chatty.on('message', (message, { port, address }) => {
      if (String(message) === 'silence') return;
      for (let index = 0; index < 5; index += 1) chatty.send(`part ${index}`, port, address);
    });
    await new Promise<void>((resolve) => chatty.bind(0, '127.0.0.1', resolve));
    const member = stage.member({ ...stage.one, port: chatty.address().port });
    await stage.serve({ members: [member] });

    const client = await openDatagramClient(stage.vip, UDP_PORT);
    for (let index = 0; index < 3; index += 1) expect(await client.ask('silence', 50)).toBeNull();
    await client.ask('talk');
    await stage.controller.waitFor('all parts have come', () => client.received === 5 * 'part 0'.length);
    client.close();
    chatty.close();
  });

  it('is served on IPv6 and on additional addresses, with members of either family', async () => {
    const six = await startDatagram('six', { address: '::1' });
    const members = [stage.member(stage.one), stage.member(six)];
    await stage.serve({ members }, {}, { vips: [stage.vip, '::1', '127.80.210.103'] });
    for (const vip of [stage.vip, '::1', '127.80.210.103']) {
      expect(Object.keys(await spreadDatagrams(vip, UDP_PORT, { count: 4 })).sort()).toEqual(['one', 'six']);
    }
    await six.stop();
  });

  it('keeps IPv6 clients of a network together', async () => {
    const persistence = { type: 'SOURCE_IP' as const, cookieName: null, timeout: null, granularity: 'ffff:ffff::' };
    const members = [stage.member(stage.one), stage.member(stage.two), stage.member(stage.three)];
    await stage.serve({ persistence, members }, {}, { vips: ['::1', stage.vip] });
    expect(Object.values(await spreadDatagrams('::1', UDP_PORT, { count: 6 }))).toEqual([6]);
    // An IPv4 client counts with its whole address then.
    const seen = new Set<string>();
    for (let index = 0; index < 12; index += 1) seen.add((await ask('x', `127.8.${index}.1`)) ?? '');
    expect(seen.size).toBeGreaterThan(1);
  });

  it('is told apart from its neighbours in counters', async () => {
    const second = aListener({ id: 'listener-2', protocol: 'UDP', port: UDP_PORT + 1, timeoutClientData: 1000 });
    const pools = [
      aPool({ protocol: 'UDP', members: [stage.member(stage.one)] }),
      aPool({ id: 'pool-2', protocol: 'UDP', members: [stage.member(stage.two)] }),
    ];
    const first = aListener({ id: 'listener-3', protocol: 'UDP', port: UDP_PORT, timeoutClientData: 1000 });
    await stage.serve({}, {}, { listeners: [first, { ...second, defaultPoolId: 'pool-2' }], pools });
    await stage.controller.waitFor('earlier sessions have ended', () => stage.engine.nginxes('lb-1').length === 1);
    await spreadDatagrams(stage.vip, UDP_PORT, { count: 3 });
    expect(await spreadDatagrams(stage.vip, UDP_PORT + 1, { count: 2 })).toEqual({ two: 2 });
    await stage.controller.waitFor('sessions are seen', () => counters('listener-2')?.activeConnections === 2);
    expect(counters('listener-3')?.activeConnections).toBe(3);
    await stage.controller.waitFor('all have ended', () => counters('listener-3')?.totalConnections === '3');
    await stage.controller.waitFor('all have ended', () => counters('listener-2')?.totalConnections === '2');
    expect(counters('listener-2')).toMatchObject({ bytesIn: '2', bytesOut: '12', activeConnections: 0 });
  });
});
