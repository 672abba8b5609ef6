import { type Pages, type Struct, struct } from '../introspect';
import { hostRoute, type Instance, type Place, type Tap } from '../plan';
import { chooseDevice, type FiveTuple, markOfFlow, readLink, readRoute, readTranslations } from './kernel';
import { labelOf, localTaps, ofFamily, tapsBehind, type World } from './world';

const MAIN_TABLE = 254;
const NO_FLOW = struct('FlowErrorResp', { resp: 'No Flow Record for specified key ' });

/** The introspect pages of a host's vRouter agent: from its kernels. */
export function vRouterPages(world: World, place: Place): Pages {
  return {
    async ItfReq(query) {
      const [id, address] = [query.get('uuid'), query.get('ipv4_address')];
      const found = world
        .taps(place)
        .filter(({ tap }) => !id || tap.interface.id === id)
        .filter(({ tap }) => !address || tap.interface.addresses.includes(address));
      const itf_list = await Promise.all(found.map((one) => describeInterface(world, place, one)));
      return struct('ItfResp', { itf_list: itf_list.flat() });
    },
    VrfListReq(query) {
      const name = query.get('name') ?? '';
      const vrf_list = world.instances(place).flatMap(({ networkId }) => {
        const instance = world.instanceOf(networkId);
        const index = world.numberOf('vrf', place, networkId);
        return instance.includes(name)
          ? [struct('VrfSandeshData', { name: instance, ucindex: index, uc6index: index })]
          : [];
      });
      return struct('VrfListResp', { vrf_list });
    },
    Inet4UcRouteReq: async (query) =>
      struct('Inet4UcRouteResp', { route_list: await describeRoute(world, place, query) }),
    Inet6UcRouteReq: async (query) =>
      struct('Inet6UcRouteResp', { route_list: await describeRoute(world, place, query) }),
    FetchFlowRecord: (query) => describeFlow(world, place, query),
  };
}

interface Plugged {
  readonly tap: Tap;
  readonly instance: Instance;
}

async function describeInterface(world: World, place: Place, { tap, instance }: Plugged): Promise<Struct[]> {
  const { fabric, instanceOf, numberOf, nameOf } = world;
  const { id, addresses, macAddress, prefixes, checks } = tap.interface;
  const namespace = fabric.namespaceOf(place, instance.networkId);
  const link = await readLink(namespace, tap.device);
  const vrf_name = instanceOf(instance.networkId);
  const isHealthy = fabric.inside.isHealthy(tap.interface);
  return [
    struct('ItfSandeshData', {
      ...{ index: numberOf('flow key', place, id), name: tap.device, uuid: id, vrf_name, type: 'vport' },
      active: link?.up ? 'Active' : 'Inactive < oper-state-down >',
      health_check_active: checks.length === 0 ? undefined : isHealthy ? 'Active' : 'Inactive',
      label: labelOf(world, place, [tap.device]),
      ...{ vn_name: nameOf('virtual-network', instance.networkId), ip_addr: ofFamily(addresses, '0.0.0.0') },
      ip6_addr: ofFamily(addresses, '::') || undefined,
      ...{ mac_addr: macAddress, policy: 'Enable', os_ifindex: link?.index ?? 0 },
      fip_list: await describeFloatingIps(world, place, { tap, instance }),
      flow_key_idx: numberOf('flow key', place, id),
      allowed_address_pair_list: prefixes.map(({ prefix }) => {
        const [ip_addr = '', length] = prefix.split('/');
        return struct('StaticRouteSandesh', { vrf_name, ip_addr, prefix: Number(length) });
      }),
    }),
  ];
}

async function describeFloatingIps(world: World, place: Place, { tap, instance }: Plugged): Promise<Struct[]> {
  const { fabric } = world;
  const namespace = fabric.namespaceOf(place, instance.networkId);
  const wanted = instance.translations.filter(({ targets }) => targets.some(({ device }) => device === tap.device));
  return Promise.all(
    wanted.map(async ({ outer }) => {
      const found = (await readTranslations(namespace, outer)).find(
        ({ mark }) => fabric.inside.deviceOf(place, instance.networkId, mark) === tap.device,
      );
      const fixed_ip = found?.inner ?? '';
      return struct('FloatingIpSandeshList', { ip_addr: outer, installed: found ? 'Y' : 'N', fixed_ip });
    }),
  );
}

interface Member {
  /** Of the kernel's route. */
  readonly device: string;
  readonly data: Struct;
}

/** Those of this host first, each alone; other hosts by a tunnel each. */
async function membersOf(world: World, place: Place, networkId: string, prefix: string): Promise<Member[]> {
  const devices = await readRoute(world.fabric.namespaceOf(place, networkId), prefix, MAIN_TABLE);
  const found = devices.map(async (device): Promise<Member[]> => {
    if (device.startsWith('o-')) {
      const other = device.slice(2);
      const label = labelOf(world, other, await localTaps(world, other, networkId, prefix));
      const ends = { sip: world.addressOf(place), dip: world.addressOf(other) };
      return [{ device, data: struct('McastData', { type: 'Tunnel', ...ends, label }) }];
    }
    const taps = await tapsBehind(world, { place, device, prefix });
    return taps.map((tap) => {
      const label = labelOf(world, place, [tap]);
      return { device, data: struct('McastData', { type: 'Interface', itf: tap, label }) };
    });
  });
  return (await Promise.all(found)).flat();
}

function instanceAt({ instances, numberOf }: World, place: Place, index: string | null): Instance | undefined {
  return instances(place).find(({ networkId }) => String(numberOf('vrf', place, networkId)) === index);
}

async function describeRoute(world: World, place: Place, query: URLSearchParams): Promise<Struct[]> {
  const [src_ip, src_plen] = [query.get('src_ip') ?? '', query.get('prefix_len') ?? ''];
  const instance = instanceAt(world, place, query.get('vrf_index'));
  if (!instance) return [];
  const members = await membersOf(world, place, instance.networkId, `${src_ip}/${src_plen}`);
  const [first] = members;
  if (!first) return [];
  const key = JSON.stringify(members.map(({ data }) => data));
  const nh_index = world.numberOf('next hop', place, key);
  const { label, ...leaf } = first.data.fields;
  const nh =
    members.length > 1
      ? { type: 'Composite', nh_index, mc_list: members.map(({ data }) => data) }
      : { ...leaf, nh_index };
  const path = { nh: struct('NhSandeshData', nh), ...(members.length === 1 && { label }) };
  const src_vrf = world.instanceOf(instance.networkId);
  return [
    struct('RouteUcSandeshData', {
      src_ip,
      src_plen: Number(src_plen),
      src_vrf,
      path_list: [struct('PathSandeshData', path)],
    }),
  ];
}

/**
 * A flow that came in by an interface, named by its flow key. An agent has a record once the first packet has been seen;
 * this one knows before, as its kernel does.
 */
async function describeFlow(world: World, place: Place, query: URLSearchParams): Promise<Struct> {
  const text = (name: string) => query.get(name) ?? '';
  const entry = world.taps(place).find(({ tap }) => {
    return String(world.numberOf('flow key', place, tap.interface.id)) === text('nh');
  });
  if (!entry) return NO_FLOW;
  const { networkId } = entry.instance;
  const namespace = world.fabric.namespaceOf(place, networkId);
  const flow: FiveTuple = {
    ...{ source: text('sip'), destination: text('dip'), protocol: text('protocol') === '17' ? 'udp' : 'tcp' },
    ...{ sourcePort: text('src_port'), destinationPort: text('dst_port') },
  };
  const mark = await markOfFlow(namespace, flow);
  const known = mark === undefined ? undefined : world.fabric.inside.deviceOf(place, networkId, mark);
  const device = known ?? (await chooseDevice(namespace, entry.tap.device, flow));
  const members = await membersOf(world, place, networkId, hostRoute(flow.destination));
  const ecmp_index = members.findIndex((member) => member.device === device);
  if (ecmp_index < 0) return NO_FLOW;
  const { source: sip, destination: dip } = flow;
  const record = struct('SandeshFlowData', {
    ...{ nh: Number(text('nh')), sip, dip, src_port: Number(flow.sourcePort), dst_port: Number(flow.destinationPort) },
    ...{ protocol: Number(text('protocol')), direction: 'ingress', nat: 'disabled', short_flow: 'no' },
    ...(members.length > 1 && { ecmp_index }),
  });
  return struct('FlowRecordResp', { record });
}
