import type { HostsConfig, Names } from './config';
import type { Nic, Node } from './topology';
import type { CloudView, Network, Port, Subnet } from './view';

export interface PlanInput {
  readonly view: CloudView;
  readonly names: Names;
  readonly management: HostsConfig['management'];
}

/** Look-ups that every part of a plan needs. */
export interface Site extends PlanInput {
  readonly network: (id: string) => Network | undefined;
  readonly subnet: (id: string) => Subnet | undefined;
  /** By network: what engines find there. Those that nobody has made yet are missing. */
  readonly managed: ReadonlyMap<string, HostsConfig['management'][number]>;
}

export function survey(input: PlanInput): Site {
  const { view, management } = input;
  const networks = new Map(view.networks.map((network) => [network.id, network]));
  const subnets = new Map(view.subnets.map((subnet) => [subnet.id, subnet]));
  return {
    ...input,
    network: (id) => networks.get(id),
    subnet: (id) => subnets.get(id),
    managed: new Map(
      management.flatMap((each) => {
        const found = view.networks.find(({ id, name }) => id === each.network || name === each.network);
        return found ? [[found.id, each]] : [];
      }),
    ),
  };
}

/** A node whose addresses and routes are set here, as Neutron has them. */
export function planConfigured(site: Site, namespace: string, ports: readonly Port[]): Node {
  const nics = ports.map((port) => planNic(site, port));
  const isTaken = new Set<string>();
  const routes = nics.flatMap(({ port, device }) =>
    port.fixedIps.flatMap(({ subnetId }) => {
      const subnet = site.subnet(subnetId);
      if (!subnet) return [];
      const own = subnet.hostRoutes.map(({ destination, nexthop }) => ({ destination, via: nexthop, device }));
      const everything = subnet.cidr.includes(':') ? '::/0' : '0.0.0.0/0';
      const isOwn = port.fixedIps.some(({ address }) => address === subnet.gateway);
      if (subnet.gateway === null || isOwn || isTaken.has(everything)) return own;
      isTaken.add(everything);
      return [...own, { destination: everything, via: subnet.gateway, device }];
    }),
  );
  return { namespace, nics, routes, nat: null };
}

/** Interface names have fifteen characters at most. */
export const short = (id: string) => id.replaceAll('-', '').slice(0, 13);

export function planNic(site: Site, port: Port): Nic {
  return {
    port,
    link: `p${short(port.id)}`,
    bridge: `b${short(port.networkId)}`,
    device: `e${short(port.id)}`,
    mtu: site.network(port.networkId)?.mtu ?? 1500,
    addresses: port.fixedIps.map(({ address, subnetId }) => `${address}/${prefixOf(site.subnet(subnetId), address)}`),
  };
}

export function prefixOf(subnet: Subnet | undefined, address: string): string {
  return subnet?.cidr.split('/')[1] ?? (address.includes(':') ? '128' : '32');
}
