import { allocate, release } from './addresses';
import { floatingIpNotFound, NeutronError, portNotFound } from './errors';
import type { NetworkModel } from './model';
import { getNetwork } from './networks';
import { type FloatingIpRecord, type Naming, revise, standardAttributes } from './records';

export interface NewFloatingIp extends Omit<Naming, 'name'> {
  readonly floatingNetworkId: string;
  readonly subnetId?: string | undefined;
  readonly address?: string | undefined;
  readonly portId?: string | null | undefined;
  readonly fixedAddress?: string | null | undefined;
  readonly qosPolicyId?: string | null | undefined;
}

/** @throws NeutronError 404 */
export function getFloatingIp({ floatingIps }: NetworkModel, id: string): FloatingIpRecord {
  const floatingIp = floatingIps.get(id);
  if (!floatingIp) throw floatingIpNotFound(id);
  return floatingIp;
}

/**
 * There are no routers here: a floating IP may go to any port.
 * @throws NeutronError 404 for the network or port, 400 if the network is not external, 409 as `allocate`
 */
export async function createFloatingIp(model: NetworkModel, request: NewFloatingIp): Promise<FloatingIpRecord> {
  const network = getNetwork(model, request.floatingNetworkId);
  if (!network['router:external']) {
    throw badRequest(`Network ${network.id} is not a valid external network`);
  }
  const id = model.newId();
  const association = associate(model, { id, networkId: network.id }, request);
  const wish = { subnetId: request.subnetId, ipAddress: request.address };
  const isFree = request.subnetId === undefined && request.address === undefined;
  const taken = await allocate(model, network.id, isFree ? undefined : [wish]);
  const [address] = taken;
  if (!address)
    throw new NeutronError(
      409,
      'IpAddressGenerationFailure',
      `No more IP addresses available on network ${network.id}.`,
    );
  release(model, taken.slice(1));
  const record: FloatingIpRecord = {
    ...standardAttributes({ ...request, name: address.ip_address }, id, model.now()),
    floating_network_id: network.id,
    floating_subnet_id: address.subnet_id,
    floating_ip_address: address.ip_address,
    router_id: null,
    qos_policy_id: request.qosPolicyId ?? null,
    ...association,
  };
  try {
    await model.floatingIps.put(record);
    return record;
  } catch (err) {
    release(model, [address]);
    throw err;
  }
}

/** What may change; `port_id` null takes it off its port. */
export interface FloatingIpChange {
  readonly port_id?: string | null | undefined;
  readonly fixed_ip_address?: string | null | undefined;
  readonly description?: string | undefined;
  readonly qos_policy_id?: string | null | undefined;
  readonly tags?: readonly string[] | undefined;
}

/** @throws NeutronError 404, 400 or 409 in Neutron's words */
export async function updateFloatingIp(
  model: NetworkModel,
  id: string,
  { port_id: portId, fixed_ip_address: fixedAddress, ...plain }: FloatingIpChange,
): Promise<FloatingIpRecord> {
  const current = getFloatingIp(model, id);
  const association =
    portId === undefined
      ? {}
      : associate(model, { id, networkId: current.floating_network_id }, { portId, fixedAddress });
  const given = Object.fromEntries(Object.entries(plain).filter(([, value]) => value !== undefined));
  const updated = revise(current, { ...given, ...association }, model.now());
  await model.floatingIps.put(updated);
  return updated;
}

/** @throws NeutronError 404 */
export async function deleteFloatingIp(model: NetworkModel, id: string): Promise<void> {
  const { floating_subnet_id, floating_ip_address } = getFloatingIp(model, id);
  await model.floatingIps.remove(id);
  release(model, [{ subnet_id: floating_subnet_id, ip_address: floating_ip_address }]);
}

/** Takes every floating IP off the port. */
export async function disassociateFrom(model: NetworkModel, portId: string): Promise<void> {
  for (const { id } of model.floatingIps.by('port_id', portId)) await updateFloatingIp(model, id, { port_id: null });
}

type Association = Pick<FloatingIpRecord, 'port_id' | 'fixed_ip_address' | 'status'>;

function associate(
  model: NetworkModel,
  { id, networkId }: { readonly id: string; readonly networkId: string },
  { portId, fixedAddress }: Pick<NewFloatingIp, 'portId' | 'fixedAddress'>,
): Association {
  if (!portId) return { port_id: null, fixed_ip_address: null, status: 'DOWN' };
  const port = model.ports.get(portId);
  if (!port) throw portNotFound(portId);
  const addresses = port.fixed_ips.map(({ ip_address }) => ip_address).filter((address) => !address.includes(':'));
  const [first] = addresses;
  const address = fixedAddress ?? first;
  if (address === undefined)
    throw badRequest(`Cannot add floating IP to port ${portId} that has no fixed IPv4 addresses`);
  if (!addresses.includes(address)) throw badRequest(`Port ${portId} does not have fixed ip ${address}`);

  const rival = model.floatingIps
    .by('port_id', portId)
    .find((other) => other.id !== id && other.fixed_ip_address === address && other.floating_network_id === networkId);
  if (rival) {
    throw new NeutronError(
      409,
      'FloatingIPPortAlreadyAssociated',
      `Cannot associate floating IP ${id} with port ${portId} using fixed IP ${address}, as that fixed IP already has a floating IP on external network ${networkId}.`,
    );
  }
  return { port_id: portId, fixed_ip_address: address, status: 'ACTIVE' };
}

function badRequest(detail: string): NeutronError {
  return new NeutronError(400, 'BadRequest', `Bad floatingip request: ${detail}.`);
}
