import { type AddressWish, allocate, release } from './addresses';
import { NeutronError, portNotFound, revisionMismatch } from './errors';
import { disassociateFrom } from './floatingIps';
import type { NetworkModel } from './model';
import { getNetwork } from './networks';
import { getQosPolicy } from './qosPolicies';
import { type FixedIpRecord, type Naming, type PortRecord, revise, standardAttributes } from './records';
import { ensureDefaultGroup, getSecurityGroup } from './securityGroups';

export interface NewPort extends Naming {
  readonly networkId: string;
  /** Absent: one address of each IP version the network has. */
  readonly fixedIps?: readonly AddressWish[] | undefined;
  readonly deviceId?: string | undefined;
  readonly deviceOwner?: string | undefined;
  readonly adminStateUp?: boolean | undefined;
  readonly macAddress?: string | undefined;
  /** Absent: the project's default group. */
  readonly securityGroups?: readonly string[] | undefined;
  readonly allowedAddressPairs?: readonly PairWish[] | undefined;
  readonly qosPolicyId?: string | null | undefined;
  readonly portSecurity?: boolean | undefined;
  readonly vnicType?: string | undefined;
}

/** Without a MAC address of its own a pair gets the port's. */
export interface PairWish {
  readonly ip_address: string;
  readonly mac_address?: string | undefined;
}

/** @throws NeutronError 404 */
export function getPort({ ports }: NetworkModel, id: string): PortRecord {
  const port = ports.get(id);
  if (!port) throw portNotFound(id);
  return port;
}

/** @throws NeutronError 404, 400 or 409 in Neutron's words; then nothing is taken */
export async function createPort(model: NetworkModel, request: NewPort): Promise<PortRecord> {
  const network = getNetwork(model, request.networkId);
  const groups = await chooseGroups(model, request, request.portSecurity ?? network.port_security_enabled);
  if (request.qosPolicyId) getQosPolicy(model, request.qosPolicyId);
  const mac = chooseMac(model, request);
  const fixedIps = await allocate(model, network.id, request.fixedIps);
  const port: PortRecord = {
    ...standardAttributes(request, model.newId(), model.now()),
    network_id: network.id,
    mac_address: mac,
    admin_state_up: request.adminStateUp ?? true,
    status: (request.deviceOwner ?? '') === '' ? 'DOWN' : 'ACTIVE',
    device_id: request.deviceId ?? '',
    device_owner: request.deviceOwner ?? '',
    fixed_ips: fixedIps,
    allowed_address_pairs: completePairs(request.allowedAddressPairs ?? [], mac),
    security_groups: groups,
    qos_policy_id: request.qosPolicyId ?? null,
    port_security_enabled: request.portSecurity ?? network.port_security_enabled,
    'binding:vnic_type': request.vnicType ?? 'normal',
  };
  return putOrRelease(model, port, fixedIps);
}

/** What may change on a port; what is absent stays. */
export type PortRecordChange = Partial<Omit<PortRecord, 'fixed_ips' | 'allowed_address_pairs'>> & {
  readonly fixed_ips?: readonly AddressWish[] | undefined;
  readonly allowed_address_pairs?: readonly PairWish[] | undefined;
};

/**
 * @param ifRevision changes the port only if it is still this one
 * @throws NeutronError as `createPort`, and 412 for another revision; then the port is as before
 */
export async function updatePort(
  model: NetworkModel,
  id: string,
  change: PortRecordChange,
  ifRevision: number | null = null,
): Promise<PortRecord> {
  const port = getPort(model, id);
  const { fixed_ips: wishes, allowed_address_pairs: pairs, ...plain } = change;
  for (const group of plain.security_groups ?? []) getSecurityGroup(model, group);
  if (plain.qos_policy_id) getQosPolicy(model, plain.qos_policy_id);

  const kept = port.fixed_ips.filter((have) => wishes?.some((wish) => isHeld(wish, have)));
  const added = wishes
    ? await allocate(
        model,
        port.network_id,
        wishes.filter((wish) => !kept.some((have) => isHeld(wish, have))),
      )
    : [];
  const latest = model.ports.get(id);
  const moved = latest && ifRevision !== null && latest.revision_number !== ifRevision;
  if (!latest || moved) {
    release(model, added);
    throw moved ? revisionMismatch(ifRevision, latest.revision_number) : portNotFound(id);
  }
  const next = revise(
    latest,
    {
      ...plain,
      ...(wishes ? { fixed_ips: [...kept, ...added] } : {}),
      ...(pairs ? { allowed_address_pairs: completePairs(pairs, latest.mac_address) } : {}),
    },
    model.now(),
  );
  await putOrRelease(model, next, added);
  if (wishes)
    release(
      model,
      port.fixed_ips.filter((have) => !kept.includes(have)),
    );
  return next;
}

/** Frees its addresses and its floating IP. @throws NeutronError 404, or 409 for a port that Neutron itself made */
export async function deletePort(model: NetworkModel, id: string): Promise<void> {
  const port = getPort(model, id);
  if (port.device_owner.startsWith('network:')) {
    throw new NeutronError(
      409,
      'ServicePortInUse',
      `Port ${id} cannot be deleted directly via the port API: has device owner ${port.device_owner}.`,
    );
  }
  await disassociateFrom(model, id);
  // Somebody else may have deleted it meanwhile; its addresses may be others' by now.
  if (!model.ports.get(id)) return;
  await model.ports.remove(id);
  release(model, port.fixed_ips);
}

async function putOrRelease(
  model: NetworkModel,
  port: PortRecord,
  allocated: readonly FixedIpRecord[],
): Promise<PortRecord> {
  try {
    await model.ports.put(port);
    return port;
  } catch (err) {
    release(model, allocated);
    throw err;
  }
}

async function chooseGroups(
  model: NetworkModel,
  { securityGroups, projectId, deviceOwner }: NewPort,
  portSecurity: boolean,
): Promise<readonly string[]> {
  if (securityGroups) return securityGroups.map((id) => getSecurityGroup(model, id).id);
  if (!portSecurity || deviceOwner?.startsWith('network:')) return [];
  return [(await ensureDefaultGroup(model, projectId)).id];
}

function chooseMac(model: NetworkModel, { macAddress, networkId }: NewPort): string {
  const isTaken = (mac: string) => model.ports.by('mac_address', mac).some((port) => port.network_id === networkId);
  if (macAddress === undefined) {
    let mac = model.newMac();
    while (isTaken(mac)) mac = model.newMac();
    return mac;
  }
  const mac = macAddress.toLowerCase();
  if (!isTaken(mac)) return mac;
  throw new NeutronError(
    409,
    'MacAddressInUse',
    `Unable to complete operation for network ${networkId}. The mac address ${mac} is in use.`,
  );
}

function completePairs(pairs: readonly PairWish[], ownMac: string): PortRecord['allowed_address_pairs'] {
  return pairs.map(({ ip_address, mac_address = ownMac }) => ({ ip_address, mac_address }));
}

/** True if the address the port has already fulfils the wish. */
function isHeld({ subnetId, ipAddress }: AddressWish, have: FixedIpRecord): boolean {
  return ipAddress === undefined ? subnetId === have.subnet_id : ipAddress === have.ip_address;
}
