import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAlive, signal } from '../../../driver/agent/process/identity';
import { type DatagramClient, openDatagramClient } from '../../support/agentDatagrams';
import { aListener, aMember, aMonitor, aPool } from '../../support/agentSpecs';
import { fetchOnce } from '../../support/agentTraffic';
import { setUdpStage, UDP_PORT, type UdpStage } from '../../support/agentUdpStage';
import { startBackend } from '../../support/backend';
import { waitUntil } from '../../support/wait';

/** Asks again and again until it is told to stop. */
function keepAsking(client: DatagramClient) {
  const answers: (string | null)[] = [];
  let going = true;
  const done = (async () => {
    while (going) answers.push(await client.ask('x', 10_000));
  })();
  return async () => {
    going = false;
    await done;
    client.close();
    return answers;
  };
}

describe('UDP in trouble', () => {
  let stage: UdpStage;
  beforeAll(async () => {
    stage = await setUdpStage('127.80.210.5');
  });
  afterAll(() => stage.dispose());
  const counters = () => stage.controller.counters('listener-1');
  const client = () => openDatagramClient(stage.vip, UDP_PORT);

  it('loses no answer under way while members change, and keeps few processes', async () => {
    const slow = createSocket('udp4');
    slow.on('message', (message, { port, address }) => setTimeout(() => slow.send(message, port, address), 60));
    await new Promise<void>((resolve) => slow.bind(0, '127.0.0.1', resolve));
    const late = stage.member(stage.one, { port: slow.address().port });
    await stage.serve({ members: [late] });
    const loads = (await Promise.all(Array.from({ length: 5 }, client))).map(keepAsking);

    for (let change = 0; change < 30; change += 1) {
      await stage.serve({ members: [late, stage.member(stage.two, { enabled: change % 2 === 0 })] });
      expect(stage.engine.nginxes('lb-1').length).toBeLessThanOrEqual(8);
    }
    const answers = (await Promise.all(loads.map((stop) => stop()))).flat();
    slow.close();
    expect(answers.length).toBeGreaterThan(100);
    expect(answers.filter((answer) => answer === null)).toEqual([]);
  });

  it('refuses a listener whose port is taken, serves the rest, and heals when it is free', async () => {
    const squatter = createSocket('udp4');
    await new Promise<void>((resolve) => squatter.bind(UDP_PORT + 1, stage.vip, resolve));
    const listeners = [UDP_PORT, UDP_PORT + 1].map((port) => aListener({ id: `udp-${port}`, protocol: 'UDP', port }));
    const ack = await stage.serve({ members: [stage.member(stage.one)] }, {}, { listeners });
    expect(ack).toMatchObject({
      outcome: 'applied',
      refusals: [{ kind: 'listener', id: `udp-${UDP_PORT + 1}`, reason: expect.stringContaining('already taken') }],
    });
    expect(await stage.spread(1)).toEqual({ one: 1 });

    squatter.close();
    await stage.controller.waitFor('it is healed', () => stage.controller.ack('lb-1')?.refusals.length === 0);
    const second = await openDatagramClient(stage.vip, UDP_PORT + 1);
    const answer = await second.ask('x');
    second.close();
    expect(answer).toBe('one: x');
  });

  it('serves TCP and UDP on one port', async () => {
    const web = await startBackend('web');
    const listeners = [
      aListener({ id: 'udp', protocol: 'UDP', port: UDP_PORT }),
      aListener({ id: 'tcp', protocol: 'TCP', port: UDP_PORT, defaultPoolId: 'pool-2' }),
    ];
    const pools = [
      aPool({ protocol: 'UDP', members: [stage.member(stage.one)] }),
      aPool({ id: 'pool-2', protocol: 'TCP', members: [aMember({ port: web.port })] }),
    ];
    expect(await stage.serve({}, {}, { listeners, pools })).toMatchObject({ refusals: [] });
    expect(await stage.spread(1)).toEqual({ one: 1 });
    expect(await fetchOnce(stage.vip, UDP_PORT)).toBe('web\n');
    await stage.controller.waitFor('both are reported', () => {
      const listeners = stage.controller.report('lb-1')?.listeners;
      return listeners?.['udp'] === 'OPEN' && listeners['tcp'] === 'OPEN';
    });
    await web.stop();
  });

  it.each(['worker', 'master'] as const)(
    'comes back, and says so, when the %s of its nginx is killed',
    async (which) => {
      await stage.serve({ members: [stage.member(stage.one)] }, { timeoutClientData: 900 });
      const [before] = stage.engine.nginxes('lb-1').slice(-1);
      const victim = before?.[which];
      if (victim == null) throw new Error(`there is no ${which}`);
      const told = () =>
        stage.controller.received.filter((message) => message.type === 'event' && message.name === 'NGINX_CRASHED')
          .length;
      const crashes = told();
      signal(victim, 'SIGKILL');
      await stage.controller.waitFor('the crash is told', () => told() > crashes);
      await waitUntil('it serves again', 5000, async () => (await stage.spread(1))['one'] === 1);
      expect(isAlive(victim)).toBe(false);
    },
  );

  it('leaves its nginx serving for the next agent, which misses no session and knows who is down', async () => {
    const monitor = aMonitor({ type: 'UDP-CONNECT' });
    const members = [stage.member(stage.one), stage.member(stage.two)];
    await stage.serve({ monitor, members }, { id: 'listener-2', timeoutClientData: 500 });
    await stage.waitForMember(stage.two, 'UP');
    await stage.two.stop();
    await stage.waitForMember(stage.two, 'DOWN');
    const before = stage.engine.nginxes('lb-1').at(-1);
    await stage.engine.stop({ keepServing: true });
    expect(await stage.spread(20)).toEqual({ one: 20 });
    await stage.engine.start();
    expect(await stage.spread(10)).toEqual({ one: 10 });
    const found = () => stage.controller.counters('listener-2');
    await stage.controller.waitFor('all sessions are counted', () => Number(found()?.totalConnections) >= 30);
    expect(stage.engine.nginxes('lb-1').at(-1)).toEqual(before);
    expect(found()).toMatchObject({ totalConnections: '30', bytesIn: '30', bytesOut: '180' });
    await stage.two.restart();
    await stage.waitForMember(stage.two, 'UP');
  });

  it('ends its nginxes with the last UDP listener, with the load balancer, and with the agent', async () => {
    const members = [stage.member(stage.one)];
    await stage.serve({ members });
    await stage.serve({}, {}, { listeners: [], pools: [] });
    expect(stage.engine.nginxes('lb-1')).toEqual([]);
    const total = counters()?.totalConnections;
    await stage.serve({ members });
    const ofRemoved = stage.engine.nginxes('lb-1');
    expect(ofRemoved.length).toBe(1);
    expect(counters()?.totalConnections).toBe(total);
    await stage.controller.remove('lb-1', 10_000);
    expect(ofRemoved.filter(({ master }) => isAlive(master))).toEqual([]);

    await stage.serve({ members }, {}, { generation: 10_001 });
    const ofStopped = stage.engine.nginxes('lb-1');
    await stage.engine.stop({ keepServing: false });
    expect(ofStopped.filter(({ master }) => isAlive(master))).toEqual([]);
  });
});

describe('an engine without nginx', () => {
  const directory = mkdtempSync(join(tmpdir(), 'slag-nginx-'));
  const nginxPath = join(directory, 'nginx');
  let stage: UdpStage;
  beforeAll(async () => {
    stage = await setUdpStage('127.80.210.6', { nginxPath });
  });
  afterAll(async () => {
    await stage.dispose();
    rmSync(directory, { recursive: true });
  });

  it('refuses UDP listeners with the reason, and serves them once it has one', async () => {
    const ack = await stage.serve({ members: [stage.member(stage.one)] });
    expect(ack.refusals).toEqual([{ kind: 'listener', id: 'listener-1', reason: 'this engine has no nginx' }]);

    symlinkSync('/usr/sbin/nginx', nginxPath);
    await stage.controller.waitFor('it is healed', () => stage.controller.ack('lb-1')?.refusals.length === 0);
    expect(await stage.spread(1)).toEqual({ one: 1 });
  });
});
