import { z } from 'zod';
import type { DomainSpec } from '../../protocol/engineSpec';
import type { EngineFacts, InspectedInterface, InspectedNeighbour, InspectedRoute } from '../../protocol/inspection';
import { read } from '../network/commands';
import { type Family, type Link, readLinks } from '../network/ip';
import { namespaceIdentity } from '../network/namespace';
import { interfaceName, MAIN_TABLE, networkOf, type Wanted, type WantedRoute, wantedOf } from '../network/wanted';
import { enter } from '../process/enter';
import { errorMessage } from '../systemError';

/** What of an engine's networks is inspected. */
export type NetworkFacts = Pick<
  EngineFacts,
  'interfaces' | 'missingAddresses' | 'routes' | 'missingRoutes' | 'neighbours' | 'unread'
>;

const NOTHING: NetworkFacts = {
  ...{ interfaces: [], missingAddresses: [], routes: [], missingRoutes: [], neighbours: [], unread: [] },
};

/** Looks into a domain's namespace; what cannot be read is told. */
export async function inspectDomain(
  { spec, namespace }: { readonly spec: DomainSpec; readonly namespace: string },
  vips: readonly string[],
): Promise<NetworkFacts> {
  if (namespaceIdentity(namespace) === null) return { ...NOTHING, missingAddresses: [...vips] };
  const unread: string[] = [];
  const attempt = async <T>(what: string, work: () => Promise<T>, none: T): Promise<T> =>
    work().catch((error: unknown) => {
      unread.push(`${what}: ${errorMessage(error)}`);
      return none;
    });
  const wanted = wantedOf(
    spec,
    vips.map((address) => ({ address, answered: true })),
  );
  const [links, routes4, routes6, neighbours, filters] = await Promise.all([
    attempt('addresses', () => readLinks(namespace), []),
    attempt('routes', () => readRoutes(namespace, 4), []),
    attempt('IPv6 routes', () => readRoutes(namespace, 6), []),
    attempt('neighbours', () => readNeighbours(namespace), []),
    attempt('settings', () => readFilters(namespace), new Map<string, number>()),
  ]);
  const found = [...routes4, ...routes6];
  return {
    interfaces: links.filter(({ ifname }) => ifname !== 'lo').map((link) => toInterface(link, { spec, filters })),
    missingAddresses: vips.filter((vip) => !links.some(({ addr_info: all }) => all.some((it) => it?.local === vip))),
    routes: found.map((route) => toRoute(route, wanted, links)),
    missingRoutes: wanted.routes
      .filter(({ table }) => table === MAIN_TABLE)
      .filter((want) => !found.some((have) => isSame(want, have)))
      .map(({ destination, nextHop }) => ({ destination, nextHop })),
    neighbours,
    unread,
  };
}

/** Where the agent itself is: whether the VIPs are there. */
export async function inspectHost(vips: readonly string[]): Promise<NetworkFacts> {
  try {
    const links = await readLinks(null);
    const has = (link: Link): boolean => link.addr_info.some((it) => it !== null && vips.includes(it.local));
    // Loopback has all of 127.0.0.0/8.
    const isLocal = (vip: string): boolean => vip.startsWith('127.');
    return {
      ...NOTHING,
      interfaces: links.filter(has).map((link) => toInterface(link, { spec: null, filters: new Map() })),
      missingAddresses: vips.filter(
        (vip) => !isLocal(vip) && !links.some(({ addr_info: all }) => all.some((it) => it?.local === vip)),
      ),
    };
  } catch (error) {
    return { ...NOTHING, unread: [`addresses: ${errorMessage(error)}`] };
  }
}

const Route = z.looseObject({
  dst: z.string(),
  gateway: z.string().optional(),
  dev: z.string().optional(),
  metric: z.number().int().optional(),
  protocol: z.string().optional(),
});
type Route = z.infer<typeof Route> & { readonly family: Family };
const Neighbour = z.looseObject({
  dst: z.string(),
  dev: z.string(),
  lladdr: z.string().optional(),
  state: z.array(z.string()).optional(),
});

async function readRoutes(namespace: string, family: Family): Promise<Route[]> {
  const words = ['-n', namespace, '-json', `-${family}`, 'route', 'show', 'table', 'main'];
  const found = parse(z.array(Route), await read({ file: 'ip', words }));
  return found.map((route) => ({ ...route, family }));
}

async function readNeighbours(namespace: string): Promise<InspectedNeighbour[]> {
  const words = ['-n', namespace, '-json', 'neighbour', 'show'];
  const found = parse(z.array(Neighbour), await read({ file: 'ip', words }));
  return found.map(({ dst, dev, lladdr, state }) => ({
    ...{ address: dst, device: dev, macAddress: lladdr ?? null, state: state?.join(' ') ?? 'NONE' },
  }));
}

/** The larger of the interface's setting and that of all counts. */
async function readFilters(namespace: string): Promise<Map<string, number>> {
  const script = 'grep -H . /proc/sys/net/ipv4/conf/*/rp_filter';
  const text = await read(enter(namespace, 'sh', ['-c', script]));
  const lines = [...text.matchAll(/conf\/([^/]+)\/rp_filter:(\d)/g)];
  return new Map(lines.map(([, name = '', value]) => [name, Number(value)]));
}

function parse<T>(schema: z.ZodType<T[]>, text: string): T[] {
  const all: unknown = text.trim() === '' ? [] : JSON.parse(text);
  return schema.parse(Array.isArray(all) ? all.filter((one) => Object.keys(one ?? {}).length > 0) : all);
}

interface Surroundings {
  readonly spec: DomainSpec | null;
  readonly filters: ReadonlyMap<string, number>;
}

function toInterface(link: Link, { spec, filters }: Surroundings): InspectedInterface {
  const vnic = spec?.vnics.find((it) => interfaceName(it) === link.ifname);
  return {
    name: link.ifname,
    vnicId: vnic?.id ?? null,
    macAddress: link.address ?? null,
    mtu: link.mtu,
    wantedMtu: vnic?.mtu ?? null,
    up: link.flags.includes('UP') && !link.flags.includes('NO-CARRIER'),
    addresses: link.addr_info.flatMap((it) => (it === null ? [] : [`${it.local}/${it.prefixlen}`])),
    reversePathCheck: Math.max(filters.get('all') ?? 0, filters.get(link.ifname) ?? 0) === 1,
  };
}

function destinationOf({ dst, family }: Route): string {
  return networkOf(dst === 'default' ? (family === 4 ? '0.0.0.0/0' : '::/0') : dst);
}

function isSame(want: WantedRoute, have: Route): boolean {
  return (
    want.family === have.family &&
    want.destination === destinationOf(have) &&
    (want.nextHop === null || want.nextHop === have.gateway) &&
    want.device === have.dev
  );
}

/** The kernel makes routes of its own with addresses: those are as wanted as these. */
function toRoute(route: Route, wanted: Wanted, links: readonly Link[]): InspectedRoute {
  const isOwn = route.protocol === 'kernel' || links.some(({ ifname }) => ifname === 'lo' && route.dev === 'lo');
  return {
    destination: destinationOf(route),
    nextHop: route.gateway ?? null,
    device: route.dev ?? null,
    metric: route.metric ?? 0,
    wanted: isOwn || wanted.routes.some((want) => isSame(want, route)),
  };
}
