import type { Names } from './config';
import { renderFirewall } from './firewall';
import { renderNat } from './routers';
import { addNamespace, ipBatch, listNamespaces, removeNamespace, run, runIn } from './shell';
import type { Bridge, Nic, Node, Plan } from './topology';
import type { CloudView } from './view';

/** The switches, cables and namespaces of the hosts: compared with the kernel's each time, so that leftovers are adopted. */
export interface Fabric {
  /** Brings the plan about; namespaces that it has no more are removed. */
  apply(plan: Plan, view: CloudView): Promise<void>;
  /** Takes out the interfaces of a node, wherever they have been moved to, until the next `apply`. */
  unplug(namespace: string): Promise<void>;
  /** Removes everything. */
  remove(): Promise<void>;
}

interface Link {
  readonly ifname: string;
  /** Set by us: the node at the other end. */
  readonly ifalias?: string;
  readonly master?: string;
  readonly flags: readonly string[];
}

/** Bridged packets are none of the IP layer's business; a bridge has its own addresses alone. */
const FABRIC_SETTINGS = {
  'bridge/bridge-nf-call-iptables': '0',
  'bridge/bridge-nf-call-ip6tables': '0',
  'bridge/bridge-nf-call-arptables': '0',
  'ipv4/conf/all/arp_ignore': '1',
  'ipv6/conf/all/disable_ipv6': '1',
  'ipv6/conf/default/disable_ipv6': '1',
};
const ROUTER_SETTINGS = {
  'ipv4/ip_forward': '1',
  'ipv6/conf/all/forwarding': '1',
  'ipv4/conf/all/rp_filter': '0',
  'ipv4/conf/default/rp_filter': '0',
};
/** Addresses come from Neutron alone. */
const NODE_SETTINGS = { 'ipv6/conf/all/accept_ra': '0', 'ipv6/conf/default/accept_ra': '0' };

export function openFabric(names: Names): Fabric {
  /** What was last brought about, by namespace: nothing is done twice. */
  const done = new Map<string, string>();
  const links = async (): Promise<Link[]> => JSON.parse(await run('ip', ['-n', names.fabric, '-json', 'link', 'show']));
  return {
    async apply(plan, view) {
      await ensureNamespaces(names, plan, done);
      await ensureFirewall(names, renderFirewall(plan, view), done);
      const have = await links();
      await ensureBridges(names, plan.bridges, have);
      await plugAll(names, plan.nodes, have);
      await drop(
        names,
        have.filter(({ ifname }) => /^b/.test(ifname) && !plan.bridges.some(({ name }) => name === ifname)),
      );
      for (const node of plan.nodes) await configure(node, done);
    },
    async unplug(namespace) {
      await drop(
        names,
        (await links()).filter(({ ifalias }) => ifalias === namespace),
      );
      done.delete(namespace);
    },
    async remove() {
      const ours = listNamespaces().filter((name) => name === names.fabric || names.parse(name));
      for (const name of ours) await removeNamespace(name);
      done.clear();
    },
  };
}

async function ensureNamespaces(names: Names, { nodes }: Plan, done: Map<string, string>): Promise<void> {
  const have = new Set(listNamespaces());
  if (!have.has(names.fabric)) {
    done.clear();
    await addNamespace(names.fabric, FABRIC_SETTINGS);
  }
  const wanted = new Set(nodes.map(({ namespace }) => namespace));
  for (const name of have) {
    if (!names.parse(name) || wanted.has(name)) continue;
    await removeNamespace(name);
    done.delete(name);
  }
  for (const { namespace, nat } of nodes) {
    if (have.has(namespace)) continue;
    done.delete(namespace);
    await addNamespace(namespace, nat === null ? NODE_SETTINGS : { ...NODE_SETTINGS, ...ROUTER_SETTINGS });
  }
}

async function ensureFirewall({ fabric }: Names, rules: string, done: Map<string, string>): Promise<void> {
  const before = done.get(fabric);
  if (before === rules) return;
  const chains = (text: string) => text.match(/^ {2}chain \S+/gm) ?? [];
  const stays = new Set(chains(rules));
  // A flush leaves chains without rules behind; a deletion forgets from whom answers by UDP are awaited.
  const isLess = before === undefined || chains(before).some((chain) => !stays.has(chain));
  const text = isLess ? rules.replace('flush table', 'delete table') : rules;
  await runIn(fabric, 'nft', ['-f', '-'], text);
  done.set(fabric, rules);
}

async function ensureBridges({ fabric }: Names, bridges: readonly Bridge[], have: readonly Link[]): Promise<void> {
  const missing = bridges.filter(({ name }) => !have.some(({ ifname }) => ifname === name));
  await ipBatch(
    fabric,
    missing.flatMap(({ name, mtu, addresses }) => [
      `link add ${name} mtu ${mtu} type bridge forward_delay 0 mcast_snooping 0`,
      ...addresses.map((address) => `address add ${address} dev ${name}`),
      `link set ${name} up`,
    ]),
  );
}

/** Cables that lead elsewhere than they should are taken out first: the same port may have moved to another server. */
async function plugAll(names: Names, nodes: readonly Node[], have: readonly Link[]): Promise<void> {
  const wanted = new Map(nodes.flatMap(({ namespace, nics }) => nics.map((nic) => [nic.link, { nic, namespace }])));
  const isRight = ({ ifname, ifalias, master }: Link) => {
    const found = wanted.get(ifname);
    return found !== undefined && found.namespace === ifalias && found.nic.bridge === master;
  };
  const cables = have.filter(({ ifname }) => ifname.startsWith('p'));
  const right = new Map(cables.filter(isRight).map((link) => [link.ifname, link]));
  await drop(
    names,
    cables.filter(({ ifname }) => !right.has(ifname)),
  );
  const switched = [...wanted.values()].filter(({ nic }) => {
    const flags = right.get(nic.link)?.flags;
    return flags !== undefined && flags.includes('UP') !== nic.port.isUp;
  });
  await ipBatch(
    names.fabric,
    switched.map(({ nic }) => `link set ${nic.link} ${nic.port.isUp ? 'up' : 'down'}`),
  );
  const missing = [...wanted.values()].filter(({ nic }) => !right.has(nic.link));
  for (const { nic, namespace } of missing) await plug(names.fabric, namespace, nic);
}

async function plug(fabric: string, namespace: string, nic: Nic): Promise<void> {
  const { link, device, bridge, mtu, port } = nic;
  await ipBatch(fabric, [
    `link add ${link} mtu ${mtu} type veth peer name ${device} address ${port.macAddress} mtu ${mtu} netns ${namespace}`,
    // The alias says that everything is done, so it comes last.
    `link set ${link} master ${bridge} ${port.isUp ? 'up' : 'down'}`,
    `link set ${link} alias ${namespace}`,
  ]);
}

/** Takes links out; one that has just gone by itself is no error. */
async function drop({ fabric }: Names, gone: readonly Link[]): Promise<void> {
  for (const { ifname } of gone) {
    await run('ip', ['-n', fabric, 'link', 'delete', ifname]).catch((error: unknown) => {
      if (!String(error).includes('Cannot find device')) throw error;
    });
  }
}

/** Addresses, routes and translation of a node whose addresses are set from outside. */
async function configure({ namespace, nics, routes, nat }: Node, done: Map<string, string>): Promise<void> {
  const own = nics.filter(({ addresses }) => addresses.length > 0);
  const lines = own.flatMap(({ device, addresses }) => [
    `link set ${device} up`,
    ...addresses.map((one) => `address replace ${one} dev ${device}${one.includes(':') ? ' nodad' : ''}`),
  ]);
  lines.push(
    ...routes.map(({ destination, via, device }) => {
      const next = via === null ? '' : ` via ${via} onlink`;
      return `route replace ${destination}${next} dev ${device}`;
    }),
  );
  // The ports are part of it: one that was plugged in anew has no addresses.
  const wanted = JSON.stringify([nics.map(({ link, port }) => [link, port.deviceId]), lines, nat]);
  if (done.get(namespace) === wanted) return;
  await ipBatch(namespace, [...(await staleAddresses(namespace, own)), ...lines]);
  if (nat) await runIn(namespace, 'nft', ['-f', '-'], renderNat(nat));
  done.set(namespace, wanted);
}

interface AddressedLink {
  readonly ifname: string;
  readonly addr_info: readonly { readonly local: string; readonly prefixlen: number; readonly scope: string }[];
}

async function staleAddresses(namespace: string, nics: readonly Nic[]): Promise<string[]> {
  const links: AddressedLink[] = JSON.parse(await run('ip', ['-n', namespace, '-json', 'address', 'show']));
  return nics.flatMap(({ device, addresses }) => {
    const have = links.find(({ ifname }) => ifname === device)?.addr_info ?? [];
    return have
      .filter(({ scope }) => scope === 'global')
      .map(({ local, prefixlen }) => `${local}/${prefixlen}`)
      .filter((address) => !addresses.includes(address))
      .map((address) => `address delete ${address} dev ${device}`);
  });
}
