import { type DatagramClient, openDatagramClient, spreadDatagrams } from '../support/agentDatagrams';
import { type ApiClient, logIn } from '../support/apiClient';
import { type DatagramBackend, startDatagram } from '../support/backends/datagram';
import { type Site, startSite } from '../support/site';
import { waitUntil } from '../support/wait';

const PORT = 5353;
/** Milliseconds without a datagram that end a session. */
const IDLE = 1000;

interface StatusTree {
  readonly loadbalancer: {
    readonly operating_status: string;
    readonly listeners: readonly {
      readonly operating_status: string;
      readonly pools: readonly {
        readonly operating_status: string;
        readonly members: readonly { readonly id: string; readonly operating_status: string }[];
      }[];
    }[];
  };
}

/** A service of datagrams, from the API to its packets and back to its statistics; the steps build on each other. */
describe('a user balances UDP', () => {
  const clients: DatagramClient[] = [];
  let site: Site;
  let api: ApiClient;
  let one: DatagramBackend;
  let two: DatagramBackend;
  let vip = '';
  let loadBalancer = '';
  let pool = '';
  const members = new Map<string, string>();
  const sent = { datagrams: 0, bytesIn: 0, bytesOut: 0 };

  beforeAll(async () => {
    [site, one, two] = await Promise.all([
      startSite({ vipCidr: '127.81.8.0/24', options: { health_manager: { counters_interval: '1' } } }),
      startDatagram('one'),
      startDatagram('two'),
    ]);
    api = await logIn(site);
  }, 90_000);
  afterAll(async () => {
    for (const client of clients) client.close();
    await Promise.all([one.stop(), two.stop()]);
    await site.dispose();
  }, 60_000);

  const settled = async () => expect(await api.settled(loadBalancer)).toBe('ACTIVE');
  const tree = async () =>
    (await api.show<StatusTree>(`/loadbalancers/${loadBalancer}/status`, 'statuses')).loadbalancer;
  const stateOf = async (backend: DatagramBackend) => {
    const found = (await tree()).listeners[0]?.pools[0]?.members.find(({ id }) => id === members.get(backend.name));
    return found?.operating_status;
  };
  const spread = async (count: number, from?: string) => {
    const seen = await spreadDatagrams(vip, PORT, { count, ...(from === undefined ? {} : { from }) });
    for (const [name, times] of Object.entries(seen)) {
      sent.datagrams += times;
      sent.bytesIn += times;
      sent.bytesOut += times * `${name}: x`.length;
    }
    return seen;
  };

  it('has a listener, a pool, members and a monitor of UDP in force', async () => {
    const made = await api.create('/loadbalancers', 'loadbalancer', { name: 'dns', vip_subnet_id: api.subnetId });
    [loadBalancer, vip] = [made['id'] ?? '', made['vip_address'] ?? ''];
    await settled();
    const listener = await api.create('/listeners', 'listener', {
      loadbalancer_id: loadBalancer,
      protocol: 'UDP',
      protocol_port: PORT,
      timeout_client_data: IDLE,
    });
    await settled();
    const created = await api.create('/pools', 'pool', {
      listener_id: listener['id'],
      protocol: 'UDP',
      lb_algorithm: 'ROUND_ROBIN',
    });
    pool = created['id'] ?? '';
    await settled();
    for (const { name, address, port } of [one, two]) {
      const member = await api.create(`/pools/${pool}/members`, 'member', { name, address, protocol_port: port });
      members.set(name, member['id'] ?? '');
      await settled();
    }
    await api.create('/healthmonitors', 'healthmonitor', {
      pool_id: pool,
      type: 'UDP-CONNECT',
      delay: 3,
      timeout: 1,
      max_retries: 1,
      max_retries_down: 1,
    });
    await settled();
    await waitUntil('both members are online', 15_000, async () => (await stateOf(two)) === 'ONLINE');
    expect(await tree()).toMatchObject({
      operating_status: 'ONLINE',
      listeners: [{ operating_status: 'ONLINE', pools: [{ operating_status: 'ONLINE' }] }],
    });
  }, 60_000);

  it('is answered by both members in turn', async () => {
    expect(await spread(10)).toEqual({ one: 5, two: 5 });
  });

  it('loses nothing and keeps its answers while members change', async () => {
    const client = await openDatagramClient(vip, PORT);
    clients.push(client);
    const patch = (weight: number) =>
      api.request('PUT', `/pools/${pool}/members/${members.get('one')}`, { member: { weight } });
    let changing = true;
    const changes = (async () => {
      for (const weight of [2, 3, 1]) {
        expect((await patch(weight)).status).toBe(200);
        await settled();
      }
      changing = false;
    })();
    const answers: (string | null)[] = [];
    while (changing) answers.push(await client.ask('y'));
    await changes;

    expect(answers).not.toContain(null);
    sent.bytesIn += client.sent;
    sent.bytesOut += client.received;
  }, 60_000);

  it('leaves a member out that refuses datagrams, and says so', async () => {
    await one.stop();
    await waitUntil('the first member is in error', 20_000, async () => (await stateOf(one)) === 'ERROR');
    expect((await tree()).listeners[0]?.pools[0]?.operating_status).toBe('DEGRADED');
    expect(await spread(4)).toEqual({ two: 4 });
    await one.restart();
    await waitUntil('the first member is back', 20_000, async () => (await stateOf(one)) === 'ONLINE');
    expect(await spread(4)).toEqual({ one: 2, two: 2 });
  }, 60_000);

  it('has counted what its clients have', async () => {
    const stats = () => api.show(`/loadbalancers/${loadBalancer}/stats`, 'stats');
    await waitUntil('all sessions have ended', 20_000, async () => Number((await stats())['bytes_in']) >= sent.bytesIn);
    expect(await stats()).toMatchObject({ bytes_in: sent.bytesIn, bytes_out: sent.bytesOut, active_connections: 0 });
    expect(Number((await stats())['total_connections'])).toBeGreaterThan(sent.datagrams);
  }, 30_000);
});
