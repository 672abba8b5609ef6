import { type ExecFileSyncOptions, execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ENGINES_TOPIC } from '../../driver/bus/port';
import { createProgram } from '../../driver/cli/program';
import { readCapture } from '../../driver/domain/pcapng';
import { startTestApi, type TestApi } from '../support/api';
import { addEngine, addPlacement } from '../support/fleetRows';
import { type HealthSite, startHealthSite } from '../support/healthSite';
import { ANSWER, ARM, createOneArm, type OneArm, WANTED } from '../support/oneArm';
import { placeOn, waitUntilConfirmed, wantVnic } from '../support/placed';
import { openRelay } from '../support/relay';
import { waitUntil } from '../support/wait';
import { describeWithNamespaces } from '../support/withServers';

const WAIT = 60_000;
/** Of a program that says much. */
const LOUD: ExecFileSyncOptions = { stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 256 * 1024 * 1024 };
const UNHURRIED = { heartbeatInterval: 500, ackTimeout: 30_000, networkPatience: 60_000, compareInterval: 300 };

/** Two engines in namespaces with the real agent, a health-manager, the API and the command line. */
describeWithNamespaces('a capture of packets', () => {
  const directory = mkdtempSync(join(tmpdir(), 'ss-capt-'));
  const socket = join(directory, 'port');
  const environment = { ...process.env };
  const arms: OneArm[] = [];
  const engineIds: string[] = [];
  let site: HealthSite;
  let api: TestApi;
  let relay: { close(): void };
  let loadBalancerId: string;

  const addArm = async (prefix: string): Promise<OneArm> => {
    const { id, token } = await addEngine(site.db, site.groupId, { name: prefix });
    const arm = await createOneArm(prefix, { config: { engineId: id, token, controllers: [`ws+unix://${socket}:/`] } });
    arms.push(arm);
    engineIds.push(id);
    await arm.engine.start({ waits: false });
    await arm.network.plug(arm.machine, { macAddress: ARM.mac, up: false });
    return arm;
  };
  /** The same load balancer on one engine more. */
  const placeAlso = async (engineId: string): Promise<string> => {
    await wantVnic(site, { engineId, loadBalancerId }, WANTED);
    return addPlacement(site.db, { loadBalancerId, engineId });
  };
  const networksChanged = (id: string) =>
    site.bus.broadcast(ENGINES_TOPIC, { method: 'networks', args: { engine_id: id } });

  beforeAll(async () => {
    site = await startHealthSite();
    const { url } = await site.start(UNHURRIED);
    relay = await openRelay(socket, Number(new URL(url).port));
    api = await startTestApi({ db: site.db });
    await addArm('ss-cpa');
    await addArm('ss-cpb');
    const [a = '', b = ''] = engineIds;
    const placed = await placeOn(site, a, WANTED);
    ({ loadBalancerId } = placed);
    const placementId = await placeAlso(b);
    for (const id of [a, b]) await networksChanged(id);
    await waitUntilConfirmed(site, placed, WAIT);
    await waitUntilConfirmed(site, { loadBalancerId, placementId }, WAIT);
    Object.assign(process.env, { OS_AUTH_TYPE: 'none', OS_ENDPOINT: api.url });
  });
  afterAll(async () => {
    process.env = { ...environment };
    for (const arm of arms) await arm.dispose();
    relay?.close();
    await api?.close();
    await site?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  /** Runs `slipstream capture` and gives what it wrote; `meanwhile` runs once all engines capture. */
  const capture = async (words: readonly string[], meanwhile: () => Promise<unknown> = async () => undefined) => {
    const file = join(directory, `${randomUUID()}.pcapng`);
    let printed = '';
    const write = jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
      printed += String(text);
      return true;
    });
    const before = (await site.db('capture')).length;
    try {
      const program = createProgram(() => undefined);
      const ending = program.parseAsync(['capture', loadBalancerId, ...words, '-o', file, '-f', 'json'], {
        from: 'user',
      });
      const acting = (async () => {
        await waitUntil('it is asked for', WAIT, async () => (await site.db('capture')).length > before);
        await waitUntil('engines are told', WAIT, async () => (await parts('asked')) === 0);
        await meanwhile();
      })();
      await Promise.all([ending, acting]);
    } finally {
      write.mockRestore();
    }
    return { shown: JSON.parse(printed), read: readCapture(readFileSync(file)), file };
  };
  const parts = async (state: string): Promise<number> => (await site.db('capture_part').where({ state })).length;
  /** Requests through every engine, until its tcpdump has seen some. */
  const traffic = (seconds: number) => async (): Promise<void> => {
    const until = Date.now() + seconds * 1000;
    while (Date.now() < until) {
      for (const { client } of arms) expect(await client.fetch(ARM.vip, 80)).toBe(ANSWER);
    }
  };
  /** Processes of tcpdump in the engines' domains. */
  const tcpdumps = (): string[] =>
    readdirSync('/proc').filter((pid) => {
      const path = `/proc/${pid}/cmdline`;
      if (!/^\d+$/.test(pid) || !existsSync(path)) return false;
      try {
        const words = readFileSync(path, 'utf8');
        return words.includes('tcpdump') && words.includes(`host ${ARM.vip}`);
      } catch {
        return false;
      }
    });

  it('has both sides of every engine’s traffic, in the order of time, under the names of the engines', async () => {
    const { shown, read, file } = await capture(['--duration', '6'], traffic(4));

    expect(shown).toMatchObject({ state: 'done', engines: [{ problem: null }, { problem: null }] });
    for (const { packets } of shown.engines) expect(packets).toBeGreaterThan(10);
    expect(read.packets).toHaveLength(shown.engines[0].packets + shown.engines[1].packets);
    expect(new Set(read.interfaces.map(({ name }) => name.split(':')[0]))).toEqual(new Set(['ss-cpa', 'ss-cpb']));
    const times = read.packets.map(({ at }) => at);
    expect([...times].sort((x, y) => (x < y ? -1 : x > y ? 1 : 0))).toEqual(times);
    const text = String(execFileSync('tcpdump', ['-n', '-r', file], LOUD));
    expect(text).toContain(`> ${ARM.vip}.80: Flags [S]`);
    expect(text).toContain(`> ${ARM.member}.8000: Flags [S]`);
    expect(tcpdumps()).toEqual([]);
    expect(await site.events('CAPTURE_STARTED')).toHaveLength(1);
  });

  it('keeps to its filter, and is over when it has its packets', async () => {
    const words = ['--filter', 'dst port 80 or dst port 81', '--packets', '5', '--duration', '300'];
    const { shown, read } = await capture(words, traffic(3));

    expect(shown.engines).toMatchObject([{ packets: 5 }, { packets: 5 }]);
    // Destination port of TCP over IPv4 over Ethernet.
    for (const { data } of read.packets) expect(data.readUInt16BE(14 + 20 + 2)).toBe(80);
    expect(tcpdumps()).toEqual([]);
  });

  it.each([
    ['port 80 and', /the filter is refused: .*syntax error/],
    ['tcp) or (udp', /the filter is refused: .*syntax error/],
    ['-w /etc/passwd', /the filter is refused: /],
  ])('refuses the filter %j with the words of tcpdump', async (filter, expected) => {
    const { shown, read } = await capture([`--filter=${filter}`]);

    for (const { problem } of shown.engines) expect(problem).toMatch(expected);
    expect(read.packets).toEqual([]);
  });

  it('sees nothing but the load balancer’s packets', async () => {
    const { read } = await capture(['--duration', '3', '--filter', 'icmp or arp or ip'], async () => {
      for (const { client } of arms) await client.ask('10.0.0.5', 4444, 'stranger', 500);
      await traffic(1)();
    });

    expect(read.packets.length).toBeGreaterThan(0);
    for (const { data } of read.packets) expect(data.includes('stranger')).toBe(false);
  });

  it('ends with its bytes', async () => {
    const { shown } = await capture(['--size', '8192', '--duration', '300'], traffic(3));

    for (const { bytes } of shown.engines) expect(bytes).toBeLessThanOrEqual(4096);
  });

  it('stops when it is told to, and has what came until then', async () => {
    const { shown, read } = await capture(['--duration', '300'], async () => {
      await traffic(2)();
      const { id } = await site.db('capture').orderBy('created_at', 'desc').first();
      expect((await api.delete(`/v2/slipstream/captures/${id}`)).status).toBe(204);
    });

    expect(shown.state).toBe('done');
    expect(read.packets.length).toBeGreaterThan(0);
    expect(tcpdumps()).toEqual([]);
  });

  it('leaves no tcpdump behind when an agent is killed, and says that the engine is gone', async () => {
    const { shown } = await capture(['--duration', '20'], async () => {
      await waitUntil('tcpdump runs on both', WAIT, () => tcpdumps().length === 2);
      await arms[0]?.engine.end('SIGKILL');
      await waitUntil('one is left', WAIT, () => tcpdumps().length === 1);
    });

    expect(shown.engines.map(({ name, problem }: { name: string; problem: string | null }) => [name, problem])).toEqual(
      [
        ['ss-cpa', 'the connection of the engine ended meanwhile'],
        ['ss-cpb', null],
      ],
    );
    expect(tcpdumps()).toEqual([]);
  });
});
