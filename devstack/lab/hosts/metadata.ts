import { createServer, type Server as HttpServer, type RequestListener } from 'node:http';
import { isIPv6 } from 'node:net';
import type { Machine } from './topology';
import type { CloudView, Port, Subnet } from './view';

/** What a server is told of itself, as Nova has it: by name below `openstack/latest/`. */
export type Documents = Readonly<Record<string, string | Buffer>>;

export function describeMachine({ server, ports }: Machine, view: Pick<CloudView, 'networks' | 'subnets'>): Documents {
  const { id, name, metadata, projectId, availabilityZone, userData } = server;
  return {
    'meta_data.json': JSON.stringify({
      uuid: id,
      name,
      hostname: `${name}.novalocal`,
      launch_index: 0,
      availability_zone: availabilityZone,
      project_id: projectId,
      meta: metadata,
      devices: [],
    }),
    'network_data.json': JSON.stringify(describeNetworks(ports, view)),
    ...(userData === null ? {} : { user_data: Buffer.from(userData, 'base64') }),
  };
}

function describeNetworks(ports: readonly Port[], { networks, subnets }: Pick<CloudView, 'networks' | 'subnets'>) {
  const linkOf = (port: Port) => `tap${port.id.slice(0, 11)}`;
  return {
    links: ports.map((port) => ({
      id: linkOf(port),
      vif_id: port.id,
      type: 'ovs',
      mtu: networks.find(({ id }) => id === port.networkId)?.mtu ?? 1500,
      ethernet_mac_address: port.macAddress,
    })),
    networks: ports
      .flatMap((port) => port.fixedIps.map((ip) => ({ port, ...ip })))
      .map(({ port, address, subnetId }, index) => {
        const subnet = subnets.find(({ id }) => id === subnetId);
        return {
          id: `network${index}`,
          network_id: port.networkId,
          link: linkOf(port),
          type: isIPv6(address) ? 'ipv6' : 'ipv4',
          ip_address: address,
          netmask: maskOf(Number(subnet?.cidr.split('/')[1] ?? 0), isIPv6(address)),
          routes: routesOf(subnet),
          services: [],
        };
      }),
    services: [],
  };
}

function routesOf(subnet: Subnet | undefined) {
  if (!subnet) return [];
  const isV6 = subnet.cidr.includes(':');
  const own = subnet.hostRoutes.map(({ destination, nexthop }) => {
    const [network = '', prefix] = destination.split('/');
    return { network, netmask: maskOf(Number(prefix), isV6), gateway: nexthop };
  });
  if (subnet.gateway === null) return own;
  const zero = isV6 ? '::' : '0.0.0.0';
  return [{ network: zero, netmask: zero, gateway: subnet.gateway }, ...own];
}

function maskOf(prefix: number, isV6: boolean): string {
  const width = isV6 ? 128 : 32;
  const bits = '1'.repeat(prefix).padEnd(width, '0');
  if (!isV6) return (bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)).join('.');
  return (bits.match(/.{16}/g) ?? []).map((word) => Number.parseInt(word, 2).toString(16)).join(':');
}

/** Answers each server, known by the address it calls from, with its own documents. */
export function createMetadataServer(documentsOf: (address: string) => Documents | undefined): HttpServer {
  const answer: RequestListener = (req, res) => {
    const documents = documentsOf(req.socket.remoteAddress ?? '');
    const [, version, name] = /^\/openstack\/([^/?]+)\/([^/?]+)$/.exec(req.url ?? '') ?? [];
    const document = version === undefined || name === undefined ? undefined : documents?.[name];
    if (/^\/openstack\/?$/.test(req.url ?? '') && documents) res.end('2018-08-27\nlatest\n');
    else if (document === undefined) res.writeHead(404).end();
    else res.end(document);
  };
  return createServer(answer);
}
