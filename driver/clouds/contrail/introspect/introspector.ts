import { type Dispatcher, request } from 'undici';
import type {
  ControlPath,
  ControlPeer,
  FlowKey,
  Introspector,
  VRouterInterface,
  VRouterNextHop,
  VRouterRoute,
} from '../../../domain/introspect';
import { readBody } from '../../answerBody';
import { type Content, type Element, findAll, numberIn, parseSandesh, textIn, textsIn } from './sandesh';

export interface IntrospectOptions {
  /** Milliseconds for an answer. */
  readonly timeout: number;
  readonly controlPort: number;
  readonly agentPort: number;
  readonly ssl: boolean;
  readonly dispatcher?: Dispatcher;
}

/** Bytes of an answer. */
const LARGEST = 4 * 1024 * 1024;

/** Over the introspect pages of control-nodes and vRouter agents, which ask nobody who he is. */
export function createIntrospector(options: IntrospectOptions): Introspector {
  const control = (address: string, page: string, query: Query) =>
    ask(options, at(address, options.controlPort), { page, query });
  const agent = (address: string, page: string, query: Query) =>
    ask(options, at(address, options.agentPort), { page, query });
  return {
    async controlRoute(address, { instance, prefix }) {
      const table = `${instance}.${isV6(prefix) ? 'inet6.0' : 'inet.0'}`;
      const found = await control(address, 'ShowRouteReq', { routing_table: table, prefix, count: '10' });
      const route = findAll(found, 'ShowRoute').find((it) => textIn(it, 'prefix') === prefix);
      return { table, prefix, paths: findAll(route?.['paths'], 'ShowRoutePath').map(toPath) };
    },
    async controlPeers(address, name) {
      const found = await control(address, 'BgpNeighborReq', { search_string: name });
      return findAll(found, 'BgpNeighborResp').map(toPeer);
    },
    async vRouterInterface(address, portId) {
      const found = findAll(await agent(address, 'ItfReq', { uuid: portId }), 'ItfSandeshData');
      const own = found.find((it) => textIn(it, 'uuid') === portId);
      return own && toInterface(own, portId);
    },
    async vRouterRoute(address, { instance, prefix }) {
      const vrfs = findAll(await agent(address, 'VrfListReq', { name: instance }), 'VrfSandeshData');
      const vrf = vrfs.find((it) => textIn(it, 'name') === instance);
      if (!vrf) return undefined;
      const [ip = '', length = ''] = prefix.split('/');
      const [page, index] = isV6(prefix) ? ['Inet6UcRouteReq', 'uc6index'] : ['Inet4UcRouteReq', 'ucindex'];
      const query = { vrf_index: textIn(vrf, index), src_ip: ip, prefix_len: length };
      const routes = findAll(await agent(address, page, query), 'RouteUcSandeshData');
      const route = routes.find((it) => textIn(it, 'src_ip') === ip && textIn(it, 'src_plen') === length);
      return route && toRoute(route, instance, prefix);
    },
    async vRouterFlow(address, portId, key) {
      const own = findAll(await agent(address, 'ItfReq', { uuid: portId }), 'ItfSandeshData').find(
        (it) => textIn(it, 'uuid') === portId,
      );
      const nh = textIn(own, 'flow_key_idx');
      if (nh === '') return undefined;
      const [record] = findAll(await agent(address, 'FetchFlowRecord', { nh, ...queryOf(key) }), 'SandeshFlowData');
      return record && { index: numberIn(record, 'ecmp_index') };
    },
  };
}

type Query = Readonly<Record<string, string>>;

const PROTOCOLS = { tcp: '6', udp: '17' } as const;

function queryOf({ source, sourcePort, destination, destinationPort, protocol }: FlowKey): Query {
  const ports = { src_port: String(sourcePort), dst_port: String(destinationPort) };
  return { sip: source, dip: destination, ...ports, protocol: PROTOCOLS[protocol] };
}

/** Paths with one of these lead nobody: `ResolveNexthop` ones are led by what they are resolved to. */
const UNUSABLE: readonly string[] = [
  ...['AsPathLooped', 'NoNeighborAs', 'NoTunnelEncap', 'OriginatorIdLooped', 'ResolveNexthop', 'RoutingPolicyReject'],
  ...['ClusterListLooped', 'CheckGlobalErmVpnRoute'],
];

function isV6(prefix: string): boolean {
  return prefix.includes(':');
}

function at(address: string, port: number): string {
  if (/^[^:]+:\d+$/.test(address)) return address;
  return isV6(address) ? `[${address}]:${port}` : `${address}:${port}`;
}

async function ask(
  { timeout, ssl, dispatcher }: IntrospectOptions,
  host: string,
  { page, query }: { readonly page: string; readonly query: Query },
): Promise<Element> {
  const url = `${ssl ? 'https' : 'http'}://${host}/Snh_${page}?${new URLSearchParams(query)}`;
  const answer = await request(url, {
    signal: AbortSignal.timeout(timeout),
    headersTimeout: timeout,
    ...(dispatcher && { dispatcher }),
  });
  const body = await readBody(answer.body, LARGEST);
  if (answer.statusCode !== 200) throw new Error(`HTTP ${answer.statusCode}`);
  return parseSandesh(body.toString('utf8'));
}

function toPath(path: Element): ControlPath {
  return {
    protocol: textIn(path, 'protocol'),
    source: textIn(path, 'source'),
    nextHop: textIn(path, 'next_hop'),
    label: numberIn(path, 'label'),
    localPreference: numberIn(path, 'local_preference'),
    asPath: textIn(path, 'as_path'),
    sequence: textIn(path, 'sequence_no'),
    usable: !textsIn(path, 'flags').some((flag) => UNUSABLE.includes(flag)),
  };
}

function toPeer(peer: Element): ControlPeer {
  return {
    name: textIn(peer, 'peer'),
    state: textIn(peer, 'state'),
    peerAs: numberIn(peer, 'peer_asn'),
    address: textIn(peer, 'peer_address'),
    lastError: textIn(peer, 'last_error') || null,
  };
}

function toInterface(found: Element, portId: string): VRouterInterface {
  const check = textIn(found, 'health_check_active');
  return {
    portId,
    device: textIn(found, 'name'),
    active: textIn(found, 'active').startsWith('Active'),
    healthCheckActive: check === '' || check === '-' ? null : check.startsWith('Active'),
    address: textIn(found, 'ip_addr'),
    label: numberIn(found, 'label'),
    pairs: findAll(found['allowed_address_pair_list'], 'StaticRouteSandesh').map(
      (it) => `${textIn(it, 'ip_addr')}/${textIn(it, 'prefix')}`,
    ),
    floatingIps: findAll(found['fip_list'], 'FloatingIpSandeshList').map((it) => ({
      address: textIn(it, 'ip_addr'),
      fixed: textIn(it, 'fixed_ip'),
      installed: textIn(it, 'installed') === 'Y',
    })),
  };
}

/** The first path is the one in use. */
function toRoute(route: Element, vrf: string, prefix: string): VRouterRoute {
  const [path] = findAll(route['path_list'], 'PathSandeshData');
  const [nextHop] = findAll(path?.['nh'], 'NhSandeshData');
  return { vrf, prefix, nextHop: toNextHop(nextHop, path) };
}

function toNextHop(nextHop: Element | undefined, path: Element | undefined): VRouterNextHop {
  const members = findAll(nextHop?.['mc_list'], 'McastData');
  return {
    kind: textIn(nextHop, 'type') || 'none',
    index: numberIn(nextHop, 'nh_index'),
    label: numberIn(path, 'label'),
    target: targetOf(nextHop),
    members: members.map((member) => ({
      ...{ kind: textIn(member, 'type'), index: null, members: [] },
      label: numberIn(member, 'label'),
      target: targetOf(member),
    })),
  };
}

function targetOf(element: Element | undefined): string {
  return textIn(element, 'itf') || textIn(element, 'dip');
}

export type { Content };
