import { planRouters } from './routers';
import { type PlanInput, planConfigured, planNic, prefixOf, type Site, short, survey } from './site';
import {
  type Bridge,
  ENDPOINT_OWNER,
  type Machine,
  METADATA_ADDRESS,
  type Node,
  type Plan,
  type Power,
} from './topology';
import type { Port, Server } from './view';

export function makePlan(input: PlanInput): Plan {
  const site = survey(input);
  const machines = input.view.servers.map((server) => planMachine(site, server));
  const nodes = [
    ...machines.filter(({ power }) => power !== 'off').map((machine) => planServerNode(site, machine)),
    ...planRouters(site),
    ...input.view.ports
      .filter(({ deviceOwner }) => deviceOwner.startsWith(ENDPOINT_OWNER))
      .map((port) => planConfigured(site, input.names.node('ep', port.id), [port])),
  ];
  return { machines, nodes, bridges: planBridges(site, nodes) };
}

const POWER: Readonly<Record<string, Power>> = {
  BUILD: 'off',
  SHUTOFF: 'off',
  SUSPENDED: 'off',
  DELETED: 'off',
  SOFT_DELETED: 'off',
  SHELVED: 'off',
  SHELVED_OFFLOADED: 'off',
  PAUSED: 'frozen',
  ERROR: 'as it is',
};

function planMachine({ view, names, managed }: Site, server: Server): Machine {
  const rank = (port: Port) => `${managed.has(port.networkId) ? 0 : 1} ${port.createdAt} ${port.id}`;
  return {
    server,
    namespace: names.node('vm', server.id),
    power: POWER[server.status] ?? 'on',
    isEngine: server.metadata['AVICNTRL'] !== undefined,
    ports: view.ports
      .filter(({ deviceId, deviceOwner }) => deviceId === server.id && deviceOwner.startsWith('compute:'))
      .sort((one, other) => (rank(one) < rank(other) ? -1 : 1)),
  };
}

/**
 * An engine sets the addresses of its data interfaces itself, and with a config drive those of its first one, too.
 * Otherwise the first one is set here, as DHCP would.
 */
function planServerNode(site: Site, { namespace, ports, isEngine, server }: Machine): Node {
  if (!isEngine) return planConfigured(site, namespace, ports);
  const [first, ...rest] = ports;
  const bare = (port: Port) => ({ ...planNic(site, port), addresses: [] });
  if (first === undefined || server.hasConfigDrive) return { namespace, nics: ports.map(bare), routes: [], nat: null };
  const configured = planConfigured(site, namespace, [first]);
  const nics = [...configured.nics, ...rest.map(bare)];
  const metadata = { destination: `${METADATA_ADDRESS}/32`, via: null, device: planNic(site, first).device };
  return { ...configured, nics, routes: [...configured.routes, metadata] };
}

function planBridges(site: Site, nodes: readonly Node[]): Bridge[] {
  const used = new Set(nodes.flatMap(({ nics }) => nics.map(({ port }) => port.networkId)));
  for (const id of site.managed.keys()) used.add(id);
  return [...used].sort().flatMap((id) => {
    const network = site.network(id);
    if (!network) return [];
    const forwards = site.managed.get(id)?.forwards ?? [];
    return [{ name: `b${short(id)}`, networkId: id, mtu: network.mtu, addresses: hostAddresses(site, id), forwards }];
  });
}

/** The controllers' address and the metadata service's, where engines look for them. */
function hostAddresses({ view, managed }: Site, networkId: string): string[] {
  const management = managed.get(networkId);
  const subnet = view.subnets.find((one) => one.networkId === networkId && !one.cidr.includes(':'));
  const address = management && (management.address ?? subnet?.gateway);
  return subnet && address ? [`${address}/${prefixOf(subnet, address)}`, `${METADATA_ADDRESS}/32`] : [];
}
