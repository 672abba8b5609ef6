import { createHash } from 'node:crypto';
import type { NetworkModel } from './model/model';
import { createNetwork } from './model/networks';
import { createSubnet } from './model/subnets';

/** Name of the network and of the subnet that the embedded site's VIPs come from. */
export const LOCAL_NETWORK = 'local';
/** Loopback addresses: Linux serves all of them without any set-up. */
export const LOCAL_CIDR = '127.80.0.0/16';
/** Name of the network that floating IPs come from. They are only book-keeping: no packet is ever sent to one. */
export const PUBLIC_NETWORK = 'public';
const PUBLIC_CIDR = '203.0.113.0/24';

export interface SeedOptions {
  /** The project that owns what is made. */
  readonly projectId: string;
  /** Where VIPs come from; a network that is there already keeps what it has. Default: LOCAL_CIDR. */
  readonly localCidr?: string;
  /** A prefix whose addresses this host can bind; without it the local network has no IPv6 (`::1` is all that a host has by itself). */
  readonly localIpv6Cidr?: string;
}

/** Ids of the seeds; they follow from the names, so that they are the same in every site. */
export const SEED_IDS = {
  localNetwork: stableUuid('network local'),
  localSubnet: stableUuid('subnet local'),
  localIpv6Subnet: stableUuid('subnet local-ipv6'),
  publicNetwork: stableUuid('network public'),
  publicSubnet: stableUuid('subnet public'),
} as const;

/** Makes the networks of the embedded site, as far as they are not there yet. */
export async function seedNetworks(
  model: NetworkModel,
  { projectId, localCidr = LOCAL_CIDR, localIpv6Cidr }: SeedOptions,
): Promise<void> {
  const { localNetwork, localSubnet, localIpv6Subnet, publicNetwork, publicSubnet } = SEED_IDS;
  await seedNetwork(model, { id: localNetwork, name: LOCAL_NETWORK, projectId, shared: true });
  await seedSubnet(model, {
    id: localSubnet,
    name: LOCAL_NETWORK,
    projectId,
    networkId: localNetwork,
    cidr: localCidr,
    gatewayIp: null,
  });
  if (localIpv6Cidr !== undefined) {
    const name = `${LOCAL_NETWORK}-ipv6`;
    const where = { networkId: localNetwork, cidr: localIpv6Cidr, gatewayIp: null };
    await seedSubnet(model, { id: localIpv6Subnet, name, projectId, ...where });
  }
  await seedNetwork(model, { id: publicNetwork, name: PUBLIC_NETWORK, projectId, external: true });
  await seedSubnet(model, {
    id: publicSubnet,
    name: PUBLIC_NETWORK,
    projectId,
    networkId: publicNetwork,
    cidr: PUBLIC_CIDR,
    enableDhcp: false,
  });
}

async function seedNetwork(model: NetworkModel, network: Parameters<typeof createNetwork>[1] & { id: string }) {
  if (!model.networks.get(network.id)) await createNetwork(model, network);
}

async function seedSubnet(model: NetworkModel, subnet: Parameters<typeof createSubnet>[1] & { id: string }) {
  if (!model.subnets.get(subnet.id)) await createSubnet(model, subnet);
}

/** A UUID that depends on the name alone (RFC 9562, version 8: what the bits mean is ours). */
export function stableUuid(name: string): string {
  const hex = createHash('sha256').update(`slipstream ${name}`).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `a${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}
