import { addNamespace, ipBatch, run, runIn } from '../../../devstack/lab/hosts/shell';
import { ipBatchForgiving } from './namespaces';
import {
  GATEWAY,
  type Instance,
  isV6,
  leakInward,
  leakOutward,
  type Place,
  type Plan,
  type Tap,
  tunnelTo,
} from './plan';
import {
  devicesOf,
  FIRST_MARK,
  type KernelState,
  LOCAL_TABLE,
  NEXT_HOP4,
  NEXT_HOP6,
  ROUTER_MAC,
  renderInstance,
  renderRemoval,
} from './render';

/** The kernels of the vRouters: one namespace a network and place. */
export interface VRouters {
  /** Brings a plan about: nothing is done twice. */
  apply(plan: Plan): Promise<void>;
  /** Plugs a machine's end of a tap in, now or with the next plan. */
  plug(interfaceId: string, end: MachineEnd): void;
  /** Takes it out with the next plan. */
  unplug(interfaceId: string): void;
  isPlugged(interfaceId: string): boolean;
  /** The namespace of a routing instance; it must be in the last plan. */
  namespaceOf(place: Place, networkId: string): string;
  /** Whose mark that is in a routing instance. */
  deviceOf(place: Place, networkId: string, mark: number): string | undefined;
}

export interface MachineEnd {
  readonly namespace: string;
  /** Of the interface; default: the kernel's choice. */
  readonly device?: string;
  readonly mtu?: number;
}

const SETTINGS = {
  'ipv4/ip_forward': '1',
  'ipv6/conf/all/forwarding': '1',
  'ipv6/conf/default/forwarding': '1',
  // By addresses, protocol and ports. Policy 1 would do so, too, but takes the sender's hash of a packet where it has one,
  // as all have that come from a namespace: then every router on the way chooses alike.
  'ipv4/fib_multipath_hash_policy': '3',
  'ipv6/fib_multipath_hash_policy': '3',
  'ipv4/fib_multipath_hash_fields': '55',
  'ipv6/fib_multipath_hash_fields': '55',
  'ipv4/conf/all/rp_filter': '0',
  'ipv4/conf/default/rp_filter': '0',
  'ipv4/conf/all/send_redirects': '0',
  'ipv4/conf/default/send_redirects': '0',
  'ipv4/conf/default/proxy_arp': '1',
  'ipv4/conf/default/proxy_arp_pvlan': '1',
  'ipv4/neigh/default/proxy_delay': '0',
  'ipv6/neigh/default/proxy_delay': '0',
  'ipv6/conf/all/proxy_ndp': '1',
  'ipv6/conf/default/proxy_ndp': '1',
  'ipv6/conf/default/accept_dad': '0',
  'ipv6/conf/default/accept_ra': '0',
  // A session that was cut comes again from the same translated port.
  'netfilter/nf_conntrack_tcp_timeout_time_wait': '1',
  'netfilter/nf_conntrack_tcp_timeout_close': '1',
  'netfilter/nf_conntrack_tcp_timeout_close_wait': '2',
  'netfilter/nf_conntrack_tcp_timeout_fin_wait': '2',
  'netfilter/nf_conntrack_tcp_timeout_last_ack': '2',
  'netfilter/nf_conntrack_tcp_timeout_syn_sent': '3',
};

/** What is known to be in one namespace. */
interface Kernel {
  readonly namespace: string;
  readonly isGateway: boolean;
  readonly devices: Set<string>;
  readonly marks: Map<string, number>;
  readonly rules: Set<string>;
  /** By tap. */
  readonly ends: Map<string, MachineEnd>;
  /** By tap: of its machine. */
  readonly addresses: Map<string, readonly string[]>;
  state: KernelState;
}

export function openVRouters(prefix: string, hosts: readonly Place[]): VRouters {
  const kernels = new Map<string, Kernel>();
  const ends = new Map<string, MachineEnd>();
  const key = (place: Place, networkId: string) => `${place} ${networkId}`;
  const nameOf = (place: Place, networkId: string) => `${prefix}${place}-${networkId.replaceAll('-', '').slice(0, 12)}`;
  const kernelOf = (place: Place, networkId: string): Kernel => {
    const found = kernels.get(key(place, networkId));
    if (!found) throw new Error(`no routing instance of ${networkId} at ${place}`);
    return found;
  };
  return {
    async apply(plan) {
      for (const { place, networkId } of plan.instances) {
        if (kernels.has(key(place, networkId))) continue;
        kernels.set(
          key(place, networkId),
          await makeKernel(nameOf(place, networkId), place === GATEWAY, kernels.size + 1),
        );
      }
      for (const instance of plan.instances) {
        await dropDevices(kernelOf(instance.place, instance.networkId), instance, plan);
      }
      await cable(plan, kernelOf);
      // Each by itself, as the agents of hosts do: none waits for another one's.
      const done = await Promise.allSettled(
        plan.instances.map(async (instance) => {
          const kernel = kernelOf(instance.place, instance.networkId);
          for (const tap of instance.taps) await plugTap(kernel, tap, ends.get(tap.interface.id));
          const own = computeAddress(hosts, instance.place);
          await applyState(
            kernel,
            renderInstance(instance, plan, { markOf: (device) => markOf(kernel, device), computeAddress: own }),
          );
        }),
      );
      const failed = done.find((one) => one.status === 'rejected');
      if (failed) throw failed.reason;
    },
    plug: (interfaceId, end) => void ends.set(interfaceId, end),
    unplug: (interfaceId) => void ends.delete(interfaceId),
    isPlugged: (interfaceId) => ends.has(interfaceId),
    namespaceOf: (place, networkId) => kernelOf(place, networkId).namespace,
    deviceOf: (place, networkId, wanted) =>
      [...kernelOf(place, networkId).marks].find(([, mark]) => mark === wanted)?.[0],
  };
}

/** Of a compute host, in the underlay. */
export function computeAddress(hosts: readonly Place[], host: Place): string {
  return `198.19.0.${hosts.indexOf(host) + 1}`;
}

async function makeKernel(namespace: string, isGateway: boolean, seed: number): Promise<Kernel> {
  // Routers one behind the other must not hash alike, or the second one's flows all take one path.
  await addNamespace(namespace, { ...SETTINGS, 'ipv4/fib_multipath_hash_seed': String(seed * 7919) });
  // What comes out of a tunnel for somebody who has just gone is dropped, as are labels that nobody has.
  const nowhere = ['0.0.0.0/0', '::/0'].map((everything) => `route add blackhole ${everything} table ${LOCAL_TABLE}`);
  await ipBatch(namespace, nowhere);
  return {
    namespace,
    isGateway,
    devices: new Set(),
    marks: new Map(),
    rules: new Set(),
    ends: new Map(),
    addresses: new Map(),
    state: { routes: new Map(), neighbours: [], rules: '' },
  };
}

function markOf(kernel: Kernel, device: string): number {
  const known = kernel.marks.get(device);
  if (known !== undefined) return known;
  const mark = FIRST_MARK + kernel.marks.size;
  kernel.marks.set(device, mark);
  return mark;
}

async function dropDevices(kernel: Kernel, instance: Instance, plan: Plan): Promise<void> {
  const wanted = new Set(devicesOf(instance, plan));
  const gone = [...kernel.devices].filter((device) => !wanted.has(device));
  await ipBatchForgiving(
    kernel.namespace,
    gone.map((device) => `link delete ${device}`),
  );
  for (const device of gone) {
    kernel.devices.delete(device);
    await forgetFlows(kernel, device);
  }
}

/** The flows of an interface go with it: what it had translated to is free for the next one. */
async function forgetFlows({ namespace, addresses }: Kernel, device: string): Promise<void> {
  for (const address of (addresses.get(device) ?? []).filter((one) => !isV6(one))) {
    // That there is none is told as a failure.
    await runIn(namespace, 'conntrack', ['-D', '--orig-src', address]).catch(() => undefined);
  }
  addresses.delete(device);
}

/** Tunnels between the places of a network, and leaks between networks. */
async function cable(plan: Plan, kernelOf: (place: Place, networkId: string) => Kernel): Promise<void> {
  for (const { place, networkId } of plan.instances) {
    for (const other of plan.instances.filter((one) => one.networkId === networkId && one.place > place)) {
      await join(
        { kernel: kernelOf(place, networkId), device: tunnelTo(other.place) },
        { kernel: kernelOf(other.place, networkId), device: tunnelTo(place) },
      );
    }
  }
  for (const { place, inner, outer } of plan.leaks) {
    await join(
      { kernel: kernelOf(place, inner), device: leakOutward(outer) },
      { kernel: kernelOf(place, outer), device: leakInward(inner) },
    );
  }
}

interface End {
  readonly kernel: Kernel;
  readonly device: string;
}

async function join(one: End, other: End): Promise<void> {
  if (one.kernel.devices.has(one.device) && other.kernel.devices.has(other.device)) return;
  const peer = `peer name ${other.device} address ${ROUTER_MAC} netns ${other.kernel.namespace}`;
  await ipBatch(one.kernel.namespace, [`link add ${one.device} address ${ROUTER_MAC} type veth ${peer}`]);
  await setUp(one, ROUTER_MAC);
  await setUp(other, ROUTER_MAC);
}

async function plugTap(kernel: Kernel, tap: Tap, end?: MachineEnd) {
  const {
    device,
    addresses,
    interface: { macAddress, addresses: own },
  } = tap;
  if (!end || (kernel.devices.has(device) && kernel.ends.get(device) === end)) return;
  if (kernel.devices.has(device)) await forgetTap(kernel, device);
  kernel.ends.set(device, end);
  kernel.addresses.set(device, own);
  const name = end.device === undefined ? '' : `name ${end.device} `;
  const mtu = end.mtu === undefined ? '' : `mtu ${end.mtu} `;
  const peer = `peer ${name}address ${macAddress} ${mtu}netns ${end.namespace}`;
  await ipBatch(kernel.namespace, [`link add ${device} address ${ROUTER_MAC} ${mtu}type veth ${peer}`]);
  await setUp({ kernel, device }, macAddress, addresses);
}

/** Its machine is another one, or was switched off and on. */
async function forgetTap(kernel: Kernel, device: string): Promise<void> {
  await ipBatchForgiving(kernel.namespace, [`link delete ${device}`]);
  kernel.devices.delete(device);
  await forgetFlows(kernel, device);
  const isOther = (line: string) => !line.includes(`dev ${device}`);
  kernel.state = {
    ...kernel.state,
    routes: new Map([...kernel.state.routes].filter(([, line]) => isOther(line))),
    neighbours: kernel.state.neighbours.filter(isOther),
  };
}

async function setUp({ kernel, device }: End, peerMac: string, addresses: readonly string[] = []): Promise<void> {
  const mark = markOf(kernel, device);
  // The gateway has nothing local: what comes out of a tunnel goes to the outside.
  const local = !kernel.isGateway && (device.startsWith('o-') || device.startsWith('x'));
  const rules = [
    `rule add pref 10 fwmark ${mark} lookup ${mark}`,
    ...(local ? [`rule add pref 20 iif ${device} lookup ${LOCAL_TABLE}`] : []),
  ];
  const isNew = (rule: string) => !kernel.rules.has(rule);
  await ipBatch(kernel.namespace, [
    `link set ${device} up`,
    ...addresses.map((one) => `address add ${one}/${one.includes(':') ? '128 nodad' : '32'} dev ${device}`),
    `neigh replace ${NEXT_HOP4} lladdr ${peerMac} dev ${device} nud permanent`,
    `neigh replace ${NEXT_HOP6} lladdr ${peerMac} dev ${device} nud permanent`,
  ]);
  for (const family of ['-4', '-6']) {
    const lines = rules.filter(isNew).map((rule) => `${rule}\n`);
    if (lines.length > 0) await run('ip', [family, '-n', kernel.namespace, '-batch', '-'], lines.join(''));
  }
  for (const rule of rules) kernel.rules.add(rule);
  kernel.devices.add(device);
}

async function applyState(kernel: Kernel, next: KernelState): Promise<void> {
  const { state, namespace } = kernel;
  const added = [...next.routes].filter(([key, line]) => state.routes.get(key) !== line).map(([, line]) => line);
  const gone = [...state.routes.keys()].filter((key) => !next.routes.has(key));
  const neighbours = next.neighbours.filter((line) => !state.neighbours.includes(line));
  const strangers = state.neighbours.filter((line) => !next.neighbours.includes(line));
  // Rules first: what leads into a translation must find it.
  if (next.rules !== state.rules) await runIn(namespace, 'nft', ['-f', '-'], next.rules);
  await ipBatch(namespace, [...added, ...neighbours]);
  await ipBatchForgiving(namespace, [
    ...gone.map(renderRemoval),
    ...strangers.map((line) => line.replace('neigh add', 'neigh del')),
  ]);
  kernel.state = next;
}

/** Plugs a machine of the outside world into the gateway of a network. */
export async function plugOutside(routers: VRouters, networkId: string, outside: Outside): Promise<void> {
  const namespace = routers.namespaceOf(GATEWAY, networkId);
  const device = `c${outside.addresses[0]?.split('/')[0]?.replaceAll(/[.:]/g, '').slice(-10)}`;
  await ipBatch(namespace, [
    `link add ${device} address ${ROUTER_MAC} type veth peer name eth0 netns ${outside.namespace}`,
    `link set ${device} up`,
    ...outside.gateways.map((one) => `address add ${one} dev ${device}${one.includes(':') ? ' nodad' : ''}`),
  ]);
  await ipBatch(outside.namespace, [
    'link set eth0 up',
    ...outside.addresses.map((one) => `address add ${one} dev eth0${one.includes(':') ? ' nodad' : ''}`),
    ...outside.gateways.map((one) => `route add ${everythingOf(one)} via ${one.split('/')[0]}`),
  ]);
}

const everythingOf = (address: string): string => (address.includes(':') ? '::/0' : '0.0.0.0/0');

export interface Outside {
  readonly namespace: string;
  /** With prefix lengths. */
  readonly addresses: readonly string[];
  readonly gateways: readonly string[];
}
