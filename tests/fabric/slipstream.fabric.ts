import { isDeepStrictEqual } from 'node:util';
import { waitUntil } from '../support/wait';
import type { FabricNetwork } from './support/cloud';
import { type Slipstream, startSlipstream, type TenantMachine } from './support/slipstream';
import { type Answers, ask, keepAsking, startAnswering } from './support/traffic';

const PATIENCE = 90_000;
/** Load balancers made and deleted in each mode. */
const MANY = process.env['SLIPSTREAM_FULL'] === 'yes' ? 200 : 3;
/** That ask at a time. */
const CLIENTS = 3;
const OUTSIDER = '203.0.113.5';

let site: Slipstream;
let front: FabricNetwork;
let back: FabricNetwork;
let outside: FabricNetwork;
let client: TenantMachine;
let outsider: string;
/** In the VIP's network, and in another one. */
let near: readonly TenantMachine[];
let far: readonly TenantMachine[];

beforeAll(async () => {
  site = await startSlipstream();
  const { cloud, fabric } = site;
  front = await cloud.addNetwork('front', ['10.10.0.0/24', '2001:db8:10::/64']);
  back = await cloud.addNetwork('back', ['10.20.0.0/24']);
  outside = await cloud.addNetwork('outside', ['198.51.100.0/24'], true);
  client = await site.machine('client', front, 'compute-1');
  near = await startMembers('near', front);
  far = await startMembers('far', back);
  outsider = await fabric.machine('outsider');
}, 120_000);

afterAll(async () => {
  await site?.close();
});

async function startMembers(label: string, network: FabricNetwork): Promise<TenantMachine[]> {
  const members: TenantMachine[] = [];
  for (const [index, host] of ['compute-2', 'compute-3'].entries()) {
    const member = await site.machine(`${label}-${index}`, network, host);
    await startAnswering(member.machine, `${label}-${index}`, 8080, ['::']);
    members.push(member);
  }
  return members;
}

interface Mode {
  readonly vip_mode: 'aap' | 'bgp';
  readonly isFloating: boolean;
}

interface Balanced {
  readonly id: string;
  readonly vip: string;
  /** IPv4 and IPv6. */
  readonly urls: readonly string[];
  readonly floating: string | null;
}

async function create(mode: Mode, members = near, network = front): Promise<Balanced> {
  const { vip_mode, isFloating } = mode;
  const subnet_id = network.subnetIds[0];
  const [subnet, subnet6] = front.subnetIds;
  const floating_network = isFloating ? { floating_network: outside.id } : {};
  const flavor = await site.flavor({ vip_mode, ...floating_network });
  const { loadbalancer } = await site.api('POST', '/v2/lbaas/loadbalancers', {
    loadbalancer: {
      ...{ name: 'lb', vip_subnet_id: subnet, additional_vips: [{ subnet_id: subnet6 }], flavor_id: flavor },
      listeners: [
        {
          ...{ name: 'http', protocol: 'HTTP', protocol_port: 80 },
          default_pool: {
            ...{ name: 'pool', protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN' },
            members: members.map(({ addresses }) => ({ address: addresses[0], protocol_port: 8080, subnet_id })),
          },
        },
      ],
    },
  });
  await site.reaches(loadbalancer.id);
  const urls = [`http://${loadbalancer.vip_address}/`, `http://[${loadbalancer.additional_vips[0].ip_address}]/`];
  const { id, vip_address: vip } = loadbalancer;
  return { id, vip, urls, floating: isFloating ? `http://${await floatingOf(loadbalancer)}/` : null };
}

async function floatingOf({ vip_address }: { vip_address: string }): Promise<string> {
  const { store } = site.cloud.contrail.contrail;
  const find = () =>
    store.list('floating-ip').find((one) => one.properties['floating_ip_fixed_ip_address'] === vip_address);
  await waitUntil('there is a floating IP', PATIENCE, () => find() !== undefined);
  return String(find()?.properties['floating_ip_address']);
}

async function remove(id: string): Promise<void> {
  await site.api('DELETE', `/v2/lbaas/loadbalancers/${id}?cascade=true`);
  await waitUntil('the load balancer is gone', PATIENCE, () =>
    site.api('GET', `/v2/lbaas/loadbalancers/${id}`).then(
      () => false,
      (error: unknown) => String(error).includes('404'),
    ),
  );
}

/** Asks until so many engines have answered, none of the requests having failed. */
async function answersBy(engines: number, machine: string, url: string): Promise<Answers> {
  let latest: Answers | undefined;
  await waitUntil(`${engines} engines answer ${url}`, PATIENCE, async () => {
    latest = await ask(machine, { url, requests: 60, parallel: 3, timeout: 1000 });
    return latest.failures.length === 0 && Object.keys(latest.from).length === engines;
  }).catch((error: unknown) => {
    throw new Error(`${error}: ${JSON.stringify({ ...latest, failures: latest?.failures.slice(0, 5) })}`);
  });
  // The first that has all of them may have begun before the last one came.
  return ask(machine, { url, requests: 120, parallel: 3, timeout: 3000 });
}

/** BGP as a Service follows the engines by itself: its ports, their routers, and what the control-nodes have of them. */
async function announcedBy(engines: number, { vip }: Balanced): Promise<void> {
  const { store } = site.cloud.contrail.contrail;
  const { controlNodes } = site.fabric;
  const wanted = { services: 1, ports: engines, routers: engines, sessions: 2 * engines, paths: engines };
  let found: typeof wanted | undefined;
  await waitUntil(`${engines} engines announce it`, PATIENCE, async () => {
    const services = store.list('bgp-as-a-service');
    const ports = services.flatMap(({ refs }) => (refs['virtual-machine-interface'] ?? []).map(({ uuid }) => uuid));
    const routers = ports.flatMap((port) => store.get('virtual-machine-interface', port)?.refs['bgp-router'] ?? []);
    const sessions = (await Promise.all(ports.map((port) => controlNodes.sessionsOf(port)))).flat();
    found = {
      ...{ services: services.length, ports: ports.length, routers: routers.length },
      sessions: sessions.filter((state) => state === 'ESTABLISHED').length,
      paths: ports.filter((port) => controlNodes.announcedBy(port).includes(`${vip}/32`)).length,
    };
    return isDeepStrictEqual(found, wanted);
  }).catch(() => expect(found).toEqual(wanted));
}

const least = ({ from }: Answers): number => Math.min(...Object.values(from));

describe.each<[string, Mode]>([
  ['address pairs', { vip_mode: 'aap', isFloating: false }],
  ['address pairs and a floating IP', { vip_mode: 'aap', isFloating: true }],
  ['BGP', { vip_mode: 'bgp', isFloating: false }],
  ['BGP and a floating IP', { vip_mode: 'bgp', isFloating: true }],
])('a VIP by %s', (name, mode) => {
  it('balances over two engines and then three, and loses nothing when one comes or leaves', async () => {
    const one = await create(mode);
    const url = one.floating ?? one.urls[0] ?? '';
    const asker = one.floating === null ? client.machine : await ensureOutsider();
    for (const each of one.urls) expect(least(await answersBy(2, client.machine, each))).toBeGreaterThan(8);
    if (mode.vip_mode === 'bgp') await announcedBy(2, one);
    if (one.floating !== null) expect(least(await answersBy(2, outsider, one.floating))).toBeGreaterThan(8);

    const asking = keepAsking(asker, { url, parallel: CLIENTS, timeout: 15_000 });
    await asking.begun;
    await site.api('POST', `/v2/slipstream/loadbalancers/${one.id}/scaleout`, { scaleout: { count: 1 } });
    await site.reaches(one.id);
    expect(least(await answersBy(3, asker, url))).toBeGreaterThan(5);
    if (mode.vip_mode === 'bgp') await announcedBy(3, one);
    const grown = await asking.stop();
    // Whoever comes while the engine forgets has no word from it, and finds another one with his second or third packet.
    const leaving = keepAsking(asker, { url, parallel: CLIENTS, timeout: 15_000 });
    await leaving.begun;
    await site.api('POST', `/v2/slipstream/loadbalancers/${one.id}/scalein`, { scalein: { count: 1 } });
    await site.reaches(one.id);
    await answersBy(2, asker, url);
    const shrunk = await leaving.stop();

    expect(grown.failures).toEqual([]);
    expect(shrunk.failures).toEqual([]);
    if (mode.vip_mode === 'bgp') await announcedBy(2, one);
    await remove(one.id);
  }, 500_000);

  it(`leaves nothing behind of ${MANY} load balancers, and tells its calls`, async () => {
    const { contrail } = site.cloud.contrail;
    const stays = await create(mode);
    const before = contrail.store.count();
    const from = contrail.requests.length;
    const made: Balanced[] = [];
    for (let count = 0; count < MANY; count += 1) made.push(await create(mode));
    const calls = contrail.requests.slice(from).filter(({ path }) => !path.startsWith('/neutron'));
    console.info(`${name}: ${(calls.length / MANY).toFixed(1)} calls to Contrail for each load balancer made`);
    for (const { id } of made) await remove(id);

    await waitUntil('everything is as before', PATIENCE, () => isDeepStrictEqual(contrail.store.count(), before)).catch(
      () => expect(contrail.store.count()).toEqual(before),
    );
    await remove(stays.id);
  }, 3_000_000);
});

async function ensureOutsider(): Promise<string> {
  await site.fabric.settled();
  const plugged = await site.fabric.run(outsider, 'ip', '-o', 'link', 'show');
  if (!plugged.includes('eth0')) {
    const ends = { addresses: [`${OUTSIDER}/24`], gateways: ['203.0.113.1/24'] };
    await site.fabric.plugOutside(outside.id, { namespace: outsider, ...ends });
  }
  return outsider;
}

it('reaches members of another network over interfaces of its own, in either mode', async () => {
  for (const vip_mode of ['aap', 'bgp'] as const) {
    const { id, urls } = await create({ vip_mode, isFloating: false }, far, back);
    for (const url of urls) {
      const { answers } = await answersBy(2, client.machine, url);
      expect(Object.keys(answers).sort()).toEqual(['far-0', 'far-1']);
    }
    await remove(id);
  }
}, 200_000);
