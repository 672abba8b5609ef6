import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { run } from './run';

/** One address of the management NIC, and the routes that go with it. */
export interface NicAddress {
  readonly family: 4 | 6;
  /** With its prefix length. */
  readonly address: string;
  readonly routes: readonly { readonly destination: string; readonly via: string }[];
}

/** What `network_data.json` says of the first NIC of this server: the one in the management network. */
export interface ManagementNic {
  readonly macAddress: string;
  readonly mtu: number | null;
  /** Empty where DHCP or router advertisements bring them. */
  readonly addresses: readonly NicAddress[];
}

const Route = z.object({ network: z.string(), netmask: z.string(), gateway: z.string() });
const NetworkData = z.object({
  links: z.array(z.object({ id: z.string(), ethernet_mac_address: z.string(), mtu: z.number().nullish() })).default([]),
  networks: z
    .array(
      z.object({
        type: z.string(),
        link: z.string(),
        ip_address: z.string().nullish(),
        netmask: z.string().nullish(),
        routes: z.array(Route).default([]),
      }),
    )
    .default([]),
});

/** Undefined when it names no NIC. @throws Error when it is something else than Nova writes */
export function readManagementNic(content: string): ManagementNic | undefined {
  const { links, networks } = NetworkData.parse(JSON.parse(content));
  const [link] = links;
  if (!link) return undefined;
  const addresses = networks
    .filter((network) => network.link === link.id && (network.type === 'ipv4' || network.type === 'ipv6'))
    .flatMap(({ type, ip_address: ip, netmask, routes }): NicAddress[] => {
      if (!ip) return [];
      const family = type === 'ipv4' ? 4 : 6;
      const [bare = ip, length] = ip.split('/');
      return [
        {
          family,
          address: `${bare}/${length ?? prefixLength(netmask ?? '')}`,
          routes: routes.map(({ network, netmask: mask, gateway }) => ({
            destination: `${network}/${prefixLength(mask)}`,
            via: gateway,
          })),
        },
      ];
    });
  return { macAddress: link.ethernet_mac_address.toLowerCase(), mtu: link.mtu ?? null, addresses };
}

/** Nova writes masks as addresses, also those of IPv6; a number is taken as it is. @throws Error for what is no mask */
function prefixLength(mask: string): number {
  if (/^\d{1,3}$/.test(mask)) return Number(mask);
  const length = ipaddr.parse(mask).prefixLengthFromSubnetMask();
  if (length === null) throw new Error(`${mask} is no mask of a network`);
  return length;
}

const Links = z.array(
  z.object({
    ifname: z.string(),
    address: z.string().default(''),
    addr_info: z.array(z.object({ family: z.string(), scope: z.string() })).default([]),
  }),
);

/**
 * Gives the management NIC its addresses and routes, found by its MAC address. A family of which it has a global address
 * already is left alone: somebody else sees to it. Says what was done.
 * @throws Error when there is no such NIC, or the system refuses
 */
export async function configureManagementNic(nic: ManagementNic): Promise<readonly string[]> {
  const links = Links.parse(JSON.parse(await run('ip', ['-json', 'address', 'show'])));
  const link = links.find(({ address }) => address.toLowerCase() === nic.macAddress);
  if (!link) throw new Error(`there is no network interface with the MAC address ${nic.macAddress}`);
  const missing = nic.addresses.filter(({ family }) => {
    const name = family === 4 ? 'inet' : 'inet6';
    return !link.addr_info.some((info) => info.family === name && info.scope === 'global');
  });
  if (missing.length === 0) return [];
  const mtu = nic.mtu === null ? [] : ['mtu', String(nic.mtu)];
  await run('ip', ['link', 'set', 'dev', link.ifname, ...mtu, 'up']);
  for (const { family, address, routes } of missing) {
    const flags = family === 6 ? ['nodad'] : [];
    await run('ip', [`-${family}`, 'address', 'replace', address, 'dev', link.ifname, ...flags]);
    for (const { destination, via } of routes) {
      await run('ip', [`-${family}`, 'route', 'replace', destination, 'via', via, 'dev', link.ifname]);
    }
  }
  return missing.map(({ address }) => `${address} on ${link.ifname}`);
}
