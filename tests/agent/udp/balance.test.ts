import { openDatagramClient } from '../../support/agentDatagrams';
import { aMonitor } from '../../support/agentSpecs';
import { setUdpStage, UDP_PORT, type UdpStage } from '../../support/agentUdpStage';

/** Addresses of clients: of 127.0.0.0/8 each is this host. */
const CLIENTS = Array.from({ length: 12 }, (_, index) => `127.7.${index}.${20 + index}`);

describe('a UDP pool', () => {
  let stage: UdpStage;
  beforeAll(async () => {
    stage = await setUdpStage('127.80.210.2');
  });
  afterAll(() => stage.dispose());

  /** Who answers each of the clients, by address. */
  const answers = async (clients = CLIENTS) => {
    const found: string[] = [];
    for (const from of clients) found.push(Object.keys(await stage.spread(1, from))[0] ?? '');
    return found;
  };

  it('gives members clients by their weights, and none to one of weight 0 or a disabled one', async () => {
    const { one, two, three, member } = stage;
    await stage.serve({
      members: [member(one, { weight: 75 }), member(two, { weight: 25 }), member(three, { weight: 0 })],
    });
    expect(await stage.spread(8)).toEqual({ one: 6, two: 2 });

    await stage.serve({ members: [member(one, { enabled: false }), member(two)] });
    expect(await stage.spread(4)).toEqual({ two: 4 });
    await stage.waitForMember(one, 'MAINT');
  });

  it('keeps all datagrams of a client with one member', async () => {
    const { one, two, three, member } = stage;
    await stage.serve({ members: [member(one), member(two), member(three)] });
    const client = await openDatagramClient(stage.vip, UDP_PORT);
    const found = new Set<string | undefined>();
    for (let index = 0; index < 6; index += 1) found.add((await client.ask('x'))?.split(':')[0]);
    client.close();
    expect(found.size).toBe(1);
  });

  it('gives a client to who has the fewest, with LEAST_CONNECTIONS', async () => {
    const { one, two, member } = stage;
    await stage.serve({ algorithm: 'LEAST_CONNECTIONS', members: [member(one, { weight: 3 }), member(two)] });
    expect(await stage.spread(8)).toEqual({ one: 6, two: 2 });
  });

  it('always finds the same member for an address with SOURCE_IP, and moves few when one goes', async () => {
    const { one, two, three, member } = stage;
    const everybody = [member(one), member(two), member(three)];
    await stage.serve({ algorithm: 'SOURCE_IP', members: everybody });
    const before = await answers();
    expect(new Set(before).size).toBeGreaterThan(1);
    expect(await answers()).toEqual(before);

    await stage.serve({ algorithm: 'SOURCE_IP', members: everybody.slice(0, 2) });
    const after = await answers();
    expect(after.filter((_, index) => before[index] !== 'three')).toEqual(before.filter((name) => name !== 'three'));
    await stage.serve({ algorithm: 'SOURCE_IP', members: everybody });
    expect(await answers()).toEqual(before);
  });

  it('tells clients of one address apart by port with SOURCE_IP_PORT', async () => {
    const { one, two, three, member } = stage;
    await stage.serve({ algorithm: 'SOURCE_IP_PORT', members: [member(one), member(two), member(three)] });
    expect(Object.keys(await stage.spread(40, '127.7.0.1')).length).toBeGreaterThan(1);
  });

  it.each([
    ['255.255.0.0', true],
    ['255.255.255.255', false],
    [null, false],
  ])('keeps clients of a network together with persistence by source address (%s)', async (granularity, together) => {
    const { one, two, three, member } = stage;
    const persistence = { type: 'SOURCE_IP' as const, cookieName: null, timeout: 300, granularity };
    await stage.serve({ persistence, members: [member(one), member(two), member(three)] });
    const found = await answers();
    expect(new Set(found).size === 1).toBe(together);
    expect(await answers()).toEqual(found);
  });

  it('keeps to the bits of a granularity that ends within a byte', async () => {
    const { one, two, three, member } = stage;
    const persistence = { type: 'SOURCE_IP' as const, cookieName: null, timeout: null, granularity: '255.255.255.192' };
    await stage.serve({ persistence, members: [member(one), member(two), member(three)] });
    const networks = Array.from({ length: 8 }, (_, index) => `127.9.${Math.floor(index / 4)}`);
    const first = await answers(networks.map((network, index) => `${network}.${(index % 4) * 64 + 1}`));
    const last = await answers(networks.map((network, index) => `${network}.${(index % 4) * 64 + 62}`));
    expect(last).toEqual(first);
    expect(new Set(first).size).toBeGreaterThan(1);
  });

  it('gives backups clients only when all others are down', async () => {
    const { one, two, three, member } = stage;
    const monitor = aMonitor({ type: 'UDP-CONNECT' });
    await stage.serve({ monitor, members: [member(one), member(two), member(three, { backup: true })] });
    await stage.waitForMember(three, 'UP');
    expect(await stage.spread(4)).toEqual({ one: 2, two: 2 });

    await Promise.all([one.stop(), two.stop()]);
    await Promise.all([stage.waitForMember(one, 'DOWN'), stage.waitForMember(two, 'DOWN')]);
    expect(await stage.spread(4)).toEqual({ three: 4 });
    await one.restart();
    await stage.waitForMember(one, 'UP');
    expect(await stage.spread(4)).toEqual({ one: 4 });
    await two.restart();
  });

  it('lets a member that joins others wait for its first check, unless told not to', async () => {
    const { one, two, three, member } = stage;
    const monitor = aMonitor({ type: 'UDP-CONNECT', delay: 60 });
    await stage.serve({ monitor, members: [member(one)] });
    await stage.waitForMember(one, 'UP');
    await two.stop();
    await stage.serve({ monitor, members: [member(one), member(two)] });
    expect(await stage.spread(4)).toEqual({ one: 4 });
    await stage.waitForMember(two, 'DOWN');
    await two.restart();

    await stage.serve({ monitor, membersStartDown: false, members: [member(one), member(three)] });
    expect(await stage.spread(4)).toEqual({ one: 2, three: 2 });
  });

  it('is not served while it is disabled', async () => {
    await stage.serve({ enabled: false, members: [stage.member(stage.one)] });
    expect(await stage.spread(1)).toEqual({ nobody: 1 });
  });
});
