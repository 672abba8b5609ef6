import { parseCIDR, parse as parseIp } from 'ipaddr.js';
import type { Network, NetworkDriver, Port, Subnet } from '../../../driver/clouds/network/port';
import { InvalidOptionError, InvalidReferenceError, ValidationError } from '../../../driver/domain/errors';
import type { AdditionalVip, LoadBalancerCreate } from '../../changes/bodies';
import { type Beholder, seeNetwork, seePort, seeSubnet } from '../../changes/network';
import type { ChangeSettings } from '../../changes/settings';

/** Where a VIP is to be; without an address the network service chooses one. */
export interface VipPlace {
  readonly subnetId: string;
  readonly address: string | null;
}

/** What the VIP of a new load balancer is to be. */
export interface VipPlan {
  readonly networkId: string;
  readonly main: VipPlace;
  readonly additional: readonly VipPlace[];
  /** The user's own port, if one was given. */
  readonly port: Port | undefined;
}

/** What the place of a VIP is worked out with. */
export interface VipSearch {
  readonly driver: NetworkDriver;
  readonly beholder: Beholder;
  readonly settings: ChangeSettings;
  /** Addresses the load balancer will need in a subnet the service chooses. */
  readonly addressesNeeded: number;
  /** The networks VIPs may be in; null: every network. */
  readonly allowedNetworks: readonly string[] | null;
}

/**
 * Works out where the VIP goes: a port wins over a network, a network over a subnet.
 * @throws ServiceError with the texts of Octavia
 */
export async function planVip(given: VipSearch, body: LoadBalancerCreate): Promise<VipPlan> {
  const { settings } = given;
  const search = { ...given, beholder: { ...given.beholder, seesAll: settings.allowInvisibleResources } };
  checkKinds(body, settings);
  const plan = await findMainVip(search, body);
  checkNetworkAllowed(plan.networkId, search);
  const additional = await planAdditional(search, plan, body.additional_vips ?? []);
  return { ...plan, additional };
}

type MainVip = Omit<VipPlan, 'additional'>;

function checkKinds(body: LoadBalancerCreate, settings: ChangeSettings): void {
  const kinds = [
    { field: 'vip_port_id', given: body.vip_port_id, allowed: settings.allowVipPortId },
    { field: 'vip_network_id', given: body.vip_network_id, allowed: settings.allowVipNetworkId },
    { field: 'vip_subnet_id', given: body.vip_subnet_id, allowed: settings.allowVipSubnetId },
  ];
  const forbidden = kinds.find(({ given, allowed }) => given && !allowed);
  if (forbidden) {
    throw new ValidationError(`use of ${forbidden.field} is disallowed by this deployment's configuration.`);
  }
  if (kinds.some(({ given }) => given)) return;
  const usable = kinds.filter(({ allowed }) => allowed).map(({ field }) => field);
  throw new ValidationError(`VIP must contain one of: ${usable.join(', ')}.`);
}

async function findMainVip(search: VipSearch, body: LoadBalancerCreate): Promise<MainVip> {
  if (body.vip_port_id) return placeOnPort(search, body, body.vip_port_id);
  if (body.vip_network_id) return placeInNetwork(search, body, body.vip_network_id);
  const subnetId = body.vip_subnet_id ?? '';
  const subnet = await seeSubnet(search.driver, search.beholder, subnetId);
  if (!subnet) throw new InvalidReferenceError('Subnet', subnetId);
  return { networkId: subnet.networkId, main: { subnetId, address: body.vip_address ?? null }, port: undefined };
}

async function placeOnPort({ driver, beholder }: VipSearch, body: LoadBalancerCreate, id: string): Promise<MainVip> {
  const port = await seePort(driver, beholder, id);
  if (!port) throw new InvalidReferenceError('Port', id);
  if (port.deviceId) throw new ValidationError(`Port ${id} is already used by device ${port.deviceId} `);
  const place = driver.acceptsAnything ? takeAsGiven(body, port) : findOnPort(body, port);
  const networkId = (driver.acceptsAnything && body.vip_network_id) || port.networkId;
  return { networkId, main: place, port };
}

/** For the driver that knows nothing. */
function takeAsGiven(body: LoadBalancerCreate, port: Port): VipPlace {
  const [invented] = port.fixedIps;
  return {
    subnetId: body.vip_subnet_id ?? invented?.subnetId ?? '',
    address: body.vip_address ?? invented?.ipAddress ?? null,
  };
}

function findOnPort({ vip_subnet_id: subnetId, vip_address: address }: LoadBalancerCreate, port: Port): VipPlace {
  const places = port.fixedIps.map((ip): VipPlace => ({ subnetId: ip.subnetId, address: ip.ipAddress }));
  if (subnetId) {
    const inSubnet = places.find((place) => place.subnetId === subnetId);
    if (inSubnet) return inSubnet;
    throw new ValidationError('No VIP address found on the specified VIP port within the specified subnet.');
  }
  if (address) {
    const same = places.find((place) => place.address && sameAddress(place.address, address));
    if (same) return same;
    throw new ValidationError('Specified VIP address not found on the specified VIP port.');
  }
  const [only, ...others] = places;
  if (only && others.length === 0) return only;
  throw new ValidationError(
    "VIP port's subnet could not be determined. Please specify either a VIP subnet or address.",
  );
}

function sameAddress(one: string, other: string): boolean {
  return parseIp(one).toNormalizedString() === parseIp(other).toNormalizedString();
}

async function placeInNetwork(search: VipSearch, body: LoadBalancerCreate, networkId: string): Promise<MainVip> {
  const { driver, beholder } = search;
  const network = await seeNetwork(driver, beholder, networkId);
  if (!network) throw new InvalidReferenceError('Network', networkId);
  const address = body.vip_address ?? null;
  const subnetId = body.vip_subnet_id ?? null;
  if (subnetId) {
    if (!driver.acceptsAnything && !network.subnetIds.includes(subnetId)) {
      throw new InvalidReferenceError('Subnet', subnetId);
    }
    return { networkId, main: { subnetId, address }, port: undefined };
  }
  const subnet = await chooseSubnet(search, network, address);
  return { networkId, main: { subnetId: subnet.id, address }, port: undefined };
}

async function chooseSubnet(search: VipSearch, network: Network, address: string | null): Promise<Subnet> {
  const { driver, addressesNeeded } = search;
  const subnets = (await Promise.all(network.subnetIds.map((id) => driver.findSubnet(id)))).filter(
    (subnet) => subnet !== undefined,
  );
  const [first] = subnets;
  if (address) {
    const around = driver.acceptsAnything ? first : subnets.find((subnet) => contains(subnet.cidr, address));
    if (around) return around;
    throw new ValidationError('Supplied network does not contain a subnet for VIP address specified.');
  }
  if (!first) throw new ValidationError('Supplied network does not contain a subnet.');
  const free = await Promise.all(subnets.map(({ id }) => driver.countFreeAddresses(id)));
  const roomy = subnets.filter((_, index) => (free[index] ?? 0) >= addressesNeeded);
  const chosen = roomy.find(({ ipVersion }) => ipVersion === 4) ?? roomy[0];
  if (chosen) return chosen;
  throw new ValidationError('Subnet(s) in the supplied network do not contain enough available IPs.');
}

function contains(cidr: string, address: string): boolean {
  const range = parseCIDR(cidr);
  const ip = parseIp(address);
  return ip.kind() === range[0].kind() && ip.match(range);
}

function checkNetworkAllowed(networkId: string, { settings, allowedNetworks }: VipSearch): void {
  if (allowedNetworks && !allowedNetworks.includes(networkId)) throw notAllowed();
  if (settings.deniedVipNetworks.includes(networkId)) throw notAllowed();
}

function notAllowed(): ValidationError {
  return new ValidationError('Supplied VIP network_id is not allowed by the configuration of this deployment.');
}

async function planAdditional(search: VipSearch, main: MainVip, vips: readonly AdditionalVip[]): Promise<VipPlace[]> {
  const places = vips.map(({ subnet_id: subnetId, ip_address: address }): VipPlace => {
    if (!subnetId) throw new InvalidOptionError('None', 'subnet_id');
    return { subnetId, address: address ?? null };
  });
  const ids = [main.main.subnetId, ...places.map(({ subnetId }) => subnetId)];
  if (new Set(ids).size < ids.length) {
    throw new ValidationError('Duplicate VIP subnet(s) specified. Only one IP can be bound per subnet.');
  }
  for (const { subnetId } of places) {
    const subnet = await seeSubnet(search.driver, search.beholder, subnetId);
    if (!subnet) throw new InvalidReferenceError('Subnet', subnetId);
    if (!search.driver.acceptsAnything && subnet.networkId !== main.networkId) {
      throw new ValidationError('All VIP subnets must belong to the same network.');
    }
  }
  const { port } = main;
  if (!port || search.driver.acceptsAnything) return places;
  return places.map(({ subnetId, address }) => {
    const onPort = findOnPort({ vip_subnet_id: subnetId }, port);
    if (address && onPort.address && !sameAddress(address, onPort.address)) {
      throw new ValidationError('Specified VIP address not found on the specified VIP port.');
    }
    return onPort;
  });
}
