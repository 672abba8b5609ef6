import { NeutronError, networkNotFound } from './errors';
import type { NetworkModel } from './model';
import { type Naming, type NetworkRecord, revise, standardAttributes } from './records';

export interface NewNetwork extends Naming {
  readonly id?: string | undefined;
  readonly shared?: boolean | undefined;
  readonly external?: boolean | undefined;
  readonly adminStateUp?: boolean | undefined;
  readonly mtu?: number | undefined;
  readonly portSecurity?: boolean | undefined;
  readonly qosPolicyId?: string | null | undefined;
}

/** @throws NeutronError 404 */
export function getNetwork({ networks }: NetworkModel, id: string): NetworkRecord {
  const network = networks.get(id);
  if (!network) throw networkNotFound(id);
  return network;
}

export async function createNetwork(model: NetworkModel, request: NewNetwork): Promise<NetworkRecord> {
  const network: NetworkRecord = {
    ...standardAttributes(request, request.id ?? model.newId(), model.now()),
    admin_state_up: request.adminStateUp ?? true,
    status: 'ACTIVE',
    shared: request.shared ?? false,
    'router:external': request.external ?? false,
    mtu: request.mtu ?? 1500,
    port_security_enabled: request.portSecurity ?? true,
    qos_policy_id: request.qosPolicyId ?? null,
  };
  await model.networks.put(network);
  return network;
}

/** @throws NeutronError 404 */
export async function updateNetwork(
  model: NetworkModel,
  id: string,
  change: Partial<NetworkRecord>,
): Promise<NetworkRecord> {
  const network = revise(getNetwork(model, id), change, model.now());
  await model.networks.put(network);
  return network;
}

/** Takes its subnets along. @throws NeutronError 404, or 409 while ports or floating IPs use it */
export async function deleteNetwork(model: NetworkModel, id: string): Promise<void> {
  getNetwork(model, id);
  if (model.ports.by('network_id', id).length + model.floatingIps.by('floating_network_id', id).length > 0) {
    throw new NeutronError(
      409,
      'NetworkInUse',
      `Unable to complete operation on network ${id}. There are one or more ports still in use on the network.`,
    );
  }
  for (const subnet of model.subnets.by('network_id', id)) {
    await model.subnets.remove(subnet.id);
    model.spaces.delete(subnet.id);
  }
  await model.networks.remove(id);
}
