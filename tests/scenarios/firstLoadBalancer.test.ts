import { Agent, request } from 'undici';
import { type Backend, startBackend } from '../support/backend';
import { openstack, openstackJson } from '../support/openstack';
import { type Site, startSite } from '../support/site';
import { waitUntil } from '../support/wait';

interface StatusTree {
  readonly loadbalancer: {
    readonly operating_status: string;
    readonly listeners: readonly {
      readonly pools: readonly { readonly members: readonly { operating_status: string }[] }[];
    }[];
  };
}

/** The README's story, told with the real command line and real traffic. The steps build on each other. */
describe('a newcomer balances real traffic with the openstack command', () => {
  let site: Site;
  let one: Backend;
  let two: Backend;
  let vip: string;
  // A new connection for every request, so that each one is balanced.
  const agent = new Agent({ pipelining: 0, keepAliveTimeout: 1 });

  beforeAll(async () => {
    [site, one, two] = await Promise.all([
      startSite({ vipCidr: '127.81.0.0/24' }),
      startBackend('one'),
      startBackend('two'),
    ]);
  }, 90_000);

  afterAll(async () => {
    await agent.close();
    await Promise.all([one.stop(), two.stop()]);
    await site.dispose();
  }, 60_000);

  const get = async (): Promise<{ status: number; text: string }> => {
    const answer = await request(`http://${vip}:8080/`, { dispatcher: agent, reset: true });
    return { status: answer.statusCode, text: (await answer.body.text()).trim() };
  };
  const memberStatus = async (name: string): Promise<unknown> =>
    (await openstackJson(site, 'loadbalancer', 'member', 'show', 'pool', name))['operating_status'];

  it('prints where it listens, the cloud to use and commands to try', () => {
    expect(site.output()).toContain(site.apiUrl);
    expect(site.output()).toContain('OS_CLIENT_CONFIG_FILE');
    expect(site.output().match(/openstack --os-cloud slipstream loadbalancer/g)?.length).toBeGreaterThanOrEqual(3);
  });

  it('creates load balancer, listener, pool, members and monitor', async () => {
    const created = await openstackJson(
      site,
      'loadbalancer',
      'create',
      '--name',
      'web',
      '--vip-subnet-id',
      'local',
      '--wait',
    );
    expect(created).toMatchObject({ name: 'web', provisioning_status: 'ACTIVE', provider: 'slipstream' });
    vip = String(created['vip_address']);
    expect(vip).toMatch(/^127\.81\.0\./);

    const lb = 'loadbalancer';
    await openstackJson(
      site,
      lb,
      'listener',
      'create',
      '--name',
      'http',
      '--protocol',
      'HTTP',
      '--protocol-port',
      '8080',
      '--wait',
      'web',
    );
    await openstackJson(
      site,
      lb,
      'pool',
      'create',
      '--name',
      'pool',
      '--listener',
      'http',
      '--protocol',
      'HTTP',
      '--lb-algorithm',
      'ROUND_ROBIN',
      '--wait',
    );
    for (const backend of [one, two]) {
      const where = ['--address', backend.address, '--protocol-port', String(backend.port)];
      await openstackJson(site, lb, 'member', 'create', '--name', backend.name, ...where, '--wait', 'pool');
    }
    const checks = [
      '--delay',
      '1',
      '--timeout',
      '1',
      '--max-retries',
      '1',
      '--max-retries-down',
      '1',
      '--type',
      'HTTP',
      '--url-path',
      '/health',
    ];
    const monitor = await openstackJson(
      site,
      lb,
      'healthmonitor',
      'create',
      '--name',
      'check',
      ...checks,
      '--wait',
      'pool',
    );
    expect(monitor).toMatchObject({ provisioning_status: 'ACTIVE', type: 'HTTP' });
  }, 90_000);

  it('balances requests over both backends', async () => {
    await waitUntil('both members serve', 10_000, async () => {
      const seen = new Set<string>();
      for (let i = 0; i < 4; i += 1) seen.add((await get()).text);
      return seen.has('one') && seen.has('two');
    });
    const texts: string[] = [];
    for (let i = 0; i < 20; i += 1) texts.push((await get()).text);
    expect(texts.filter((text) => text === 'one')).toHaveLength(10);
    expect(texts.filter((text) => text === 'two')).toHaveLength(10);
  }, 30_000);

  it('shows the tree, online, and what it has counted', async () => {
    // This command prints JSON as it is and takes no format.
    const { stdout } = await openstack(site, 'loadbalancer', 'status', 'show', 'web');
    const tree = JSON.parse(stdout) as StatusTree;
    expect(tree.loadbalancer.operating_status).toBe('ONLINE');
    expect(tree.loadbalancer.listeners[0]?.pools[0]?.members.map((member) => member.operating_status)).toEqual([
      'ONLINE',
      'ONLINE',
    ]);

    await waitUntil('the counters have arrived', 25_000, async () => {
      const stats = await openstackJson<{ total_connections: number; bytes_out: number }>(
        site,
        'loadbalancer',
        'stats',
        'show',
        'web',
      );
      return stats.total_connections >= 20 && stats.bytes_out > 0;
    });
  }, 60_000);

  it('follows a change of weight', async () => {
    const set = await openstack(site, 'loadbalancer', 'member', 'set', '--weight', '9', '--wait', 'pool', 'one');
    expect(set).toMatchObject({ code: 0 });
    const texts: string[] = [];
    for (let i = 0; i < 20; i += 1) texts.push((await get()).text);
    expect(texts.filter((text) => text === 'one')).toHaveLength(18);
  }, 30_000);

  it('loses no request once a stopped backend is seen as ERROR', async () => {
    await two.stop();
    await waitUntil('the member is in ERROR', 10_000, async () => (await memberStatus('two')) === 'ERROR');
    for (let i = 0; i < 50; i += 1) expect(await get()).toEqual({ status: 200, text: 'one' });
    const lb = await openstackJson(site, 'loadbalancer', 'show', 'web');
    expect(lb['operating_status']).toBe('DEGRADED');
  }, 40_000);

  it('answers 503 and says so when every backend is down', async () => {
    await one.stop();
    await waitUntil('the VIP answers 503', 10_000, async () => (await get()).status === 503);
    await waitUntil('the load balancer is in ERROR', 10_000, async () => {
      return (await openstackJson(site, 'loadbalancer', 'show', 'web'))['operating_status'] === 'ERROR';
    });
  }, 40_000);

  it('serves again when a backend is back', async () => {
    await two.restart();
    await waitUntil('the VIP answers 200', 10_000, async () => (await get()).status === 200);
    expect((await get()).text).toBe('two');
  }, 20_000);

  it('brings the same load balancer back after Ctrl-C and a new start', async () => {
    expect(await site.stop()).toBe(0);
    await expect(get()).rejects.toThrow(/ECONNREFUSED/);
    await site.start();
    await waitUntil('the VIP answers 200', 10_000, async () => {
      return (await get().catch(() => ({ status: 0 }))).status === 200;
    });
    const lb = await openstackJson(site, 'loadbalancer', 'show', 'web');
    expect(lb).toMatchObject({ vip_address: vip, provisioning_status: 'ACTIVE' });
  }, 60_000);

  it('deletes the whole tree', async () => {
    expect(await openstack(site, 'loadbalancer', 'delete', '--cascade', '--wait', 'web')).toMatchObject({ code: 0 });
    await expect(get()).rejects.toThrow(/ECONNREFUSED/);
    expect(await openstackJson(site, 'loadbalancer', 'list')).toEqual([]);
    const ports = await openstackJson<Record<string, string>[]>(site, 'port', 'list');
    expect(ports.filter((port) => String(port['Name']).startsWith('octavia-lb-'))).toEqual([]);
  }, 40_000);
});
