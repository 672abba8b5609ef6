import {
  canonicalAddress,
  canonicalCidr,
  createAddressSpace,
  defaultPools,
  firstAddress,
  isAddress,
  overlap,
} from './addressSpace';
import { invalidInput, NeutronError, subnetNotFound } from './errors';
import type { NetworkModel } from './model';
import { getNetwork } from './networks';
import { type AllocationPool, type Naming, revise, type SubnetRecord, standardAttributes } from './records';

export interface NewSubnet extends Naming {
  readonly id?: string | undefined;
  readonly networkId: string;
  readonly cidr: string;
  /** Null for none; absent for the lowest address. */
  readonly gatewayIp?: string | null | undefined;
  /** Absent for all addresses but the gateway. */
  readonly allocationPools?: readonly AllocationPool[] | undefined;
  readonly enableDhcp?: boolean | undefined;
  readonly dnsNameservers?: readonly string[] | undefined;
  readonly hostRoutes?: SubnetRecord['host_routes'] | undefined;
  readonly ipv6RaMode?: string | null | undefined;
  readonly ipv6AddressMode?: string | null | undefined;
  readonly serviceTypes?: readonly string[] | undefined;
}

/** @throws NeutronError 404 */
export function getSubnet({ subnets }: NetworkModel, id: string): SubnetRecord {
  const subnet = subnets.get(id);
  if (!subnet) throw subnetNotFound(id);
  return subnet;
}

/** @throws NeutronError 404 for the network, 400 for a CIDR, gateway or pool that makes no sense */
export async function createSubnet(model: NetworkModel, request: NewSubnet): Promise<SubnetRecord> {
  getNetwork(model, request.networkId);
  const cidr = canonicalCidr(request.cidr);
  if (cidr === undefined) throw invalidInput(`'${request.cidr}' is not a valid IP subnet`);
  refuseOverlap(model, request.networkId, cidr);
  const gateway = request.gatewayIp === undefined ? firstAddress(cidr) : request.gatewayIp;
  if (gateway !== null && !isAddress(gateway)) throw invalidInput(`'${gateway}' is not a valid IP address`);
  const subnet: SubnetRecord = {
    ...standardAttributes(request, request.id ?? model.newId(), model.now()),
    network_id: request.networkId,
    ip_version: cidr.includes(':') ? 6 : 4,
    cidr,
    gateway_ip: gateway === null ? null : canonicalAddress(gateway),
    enable_dhcp: request.enableDhcp ?? true,
    allocation_pools: request.allocationPools ?? defaultPools(cidr, gateway),
    dns_nameservers: request.dnsNameservers ?? [],
    host_routes: request.hostRoutes ?? [],
    ipv6_ra_mode: request.ipv6RaMode ?? null,
    ipv6_address_mode: request.ipv6AddressMode ?? null,
    subnetpool_id: null,
    service_types: request.serviceTypes ?? [],
  };
  checkPools(subnet);
  await model.subnets.put(subnet);
  return subnet;
}

/** What may change later on: not the CIDR, nor the pools that addresses were given from. */
export type SubnetChange = Partial<
  Omit<SubnetRecord, 'id' | 'cidr' | 'ip_version' | 'network_id' | 'allocation_pools'>
>;

/** @throws NeutronError 404 */
export async function updateSubnet(model: NetworkModel, id: string, change: SubnetChange): Promise<SubnetRecord> {
  const subnet = revise(getSubnet(model, id), change, model.now());
  await model.subnets.put(subnet);
  return subnet;
}

/** @throws NeutronError 404, or 409 while a port or a floating IP has an address of it */
export async function deleteSubnet(model: NetworkModel, id: string): Promise<void> {
  const subnet = getSubnet(model, id);
  const floating = model.floatingIps.by('floating_network_id', subnet.network_id);
  if (model.ports.by('subnet', id).length > 0 || floating.some((ip) => ip.floating_subnet_id === id)) {
    throw new NeutronError(
      409,
      'SubnetInUse',
      `Unable to complete operation on subnet ${id}: One or more ports have an IP allocation from this subnet.`,
    );
  }
  await model.subnets.remove(id);
  model.spaces.delete(id);
}

function refuseOverlap(model: NetworkModel, networkId: string, cidr: string): void {
  if (!model.subnets.by('network_id', networkId).some((subnet) => overlap(subnet.cidr, cidr))) return;
  throw invalidInput(`Requested subnet with cidr: ${cidr} for network: ${networkId} overlaps with another subnet`);
}

function checkPools({ cidr, allocation_pools }: SubnetRecord): void {
  const space = createAddressSpace(cidr, []);
  for (const { start, end } of allocation_pools) {
    if (space.contains(start) && space.contains(end)) continue;
    throw new NeutronError(
      400,
      'OutOfBoundsAllocationPool',
      `The allocation pool ${start}-${end} spans beyond the subnet cidr ${cidr}.`,
    );
  }
}
