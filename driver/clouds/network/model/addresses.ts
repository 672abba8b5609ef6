import { canonicalAddress } from './addressSpace';
import { invalidInput, NeutronError } from './errors';
import { type NetworkModel, spaceOf } from './model';
import type { FixedIpRecord, SubnetRecord } from './records';

/** An address to be had: of a subnet, a certain one, or both. */
export interface AddressWish {
  readonly subnetId?: string | undefined;
  readonly ipAddress?: string | undefined;
}

/** How many addresses the host may refuse before the allocation gives up. */
const MAX_UNUSABLE = 64;

/**
 * Takes an address for each wish; without wishes one of each IP version the network has. All or none.
 * @throws NeutronError 400 for a wish the network cannot fulfil, 409 when the address is taken or there are none left
 */
export async function allocate(
  model: NetworkModel,
  networkId: string,
  wishes: readonly AddressWish[] | undefined,
): Promise<FixedIpRecord[]> {
  const subnets = model.subnets.by('network_id', networkId);
  const taken: FixedIpRecord[] = [];
  try {
    for (const choice of wishes?.map((wish) => [wish]) ?? byVersion(subnets)) {
      taken.push(await takeFirstPossible(model, { networkId, subnets }, choice));
    }
    return taken;
  } catch (err) {
    release(model, taken);
    throw err;
  }
}

/** Gives addresses back. */
export function release(model: NetworkModel, addresses: readonly FixedIpRecord[]): void {
  for (const { subnet_id, ip_address } of addresses) model.spaces.get(subnet_id)?.release(ip_address);
}

interface Place {
  readonly networkId: string;
  readonly subnets: readonly SubnetRecord[];
}

/** One group of alternatives for each IP version the network has. */
function byVersion(subnets: readonly SubnetRecord[]): AddressWish[][] {
  return [4, 6]
    .map((version) => subnets.filter((subnet) => subnet.ip_version === version).map(({ id }) => ({ subnetId: id })))
    .filter((wishes) => wishes.length > 0);
}

async function takeFirstPossible(
  model: NetworkModel,
  { networkId, subnets }: Place,
  alternatives: readonly AddressWish[],
): Promise<FixedIpRecord> {
  for (const wish of alternatives) {
    const subnet = findSubnet(model, { networkId, subnets }, wish);
    if (wish.ipAddress !== undefined) return takeAsked(model, subnet, wish.ipAddress);
    const address = await takeNextUsable(model, subnet);
    if (address !== undefined) return { subnet_id: subnet.id, ip_address: address };
  }
  throw new NeutronError(409, 'IpAddressGenerationFailure', `No more IP addresses available on network ${networkId}.`);
}

function findSubnet(model: NetworkModel, { networkId, subnets }: Place, wish: AddressWish): SubnetRecord {
  const { subnetId, ipAddress } = wish;
  if (subnetId !== undefined) {
    const named = subnets.find(({ id }) => id === subnetId);
    if (named) return named;
    throw invalidInput(
      `Failed to create port on network ${networkId}, because fixed_ips included invalid subnet ${subnetId}`,
    );
  }
  const around = subnets.find((subnet) => ipAddress !== undefined && spaceOf(model, subnet).contains(ipAddress));
  if (around) return around;
  throw new NeutronError(
    400,
    'InvalidIpForNetwork',
    `IP address ${ipAddress} is not a valid IP for any of the subnets on the specified network.`,
  );
}

function takeAsked(model: NetworkModel, subnet: SubnetRecord, asked: string): FixedIpRecord {
  const space = spaceOf(model, subnet);
  if (!space.contains(asked)) {
    throw new NeutronError(
      400,
      'InvalidIpForSubnet',
      `IP address ${asked} is not a valid IP for the specified subnet.`,
    );
  }
  const address = canonicalAddress(asked);
  if (!space.take(address)) {
    throw new NeutronError(
      409,
      'IpAddressAlreadyAllocated',
      `IP address ${address} already allocated in subnet ${subnet.id}`,
    );
  }
  return { subnet_id: subnet.id, ip_address: address };
}

async function takeNextUsable(model: NetworkModel, subnet: SubnetRecord): Promise<string | undefined> {
  const space = spaceOf(model, subnet);
  const unusable: string[] = [];
  try {
    while (unusable.length < MAX_UNUSABLE) {
      const address = space.takeNext();
      if (address === undefined) return undefined;
      unusable.push(address);
      if (await model.isUsable(address)) return unusable.pop();
    }
    return undefined;
  } finally {
    for (const address of unusable) space.release(address);
  }
}
