import { NotFoundError } from '../../domain/errors';
import type { SecurityGroupRule } from '../../domain/securityGroup';
import { NeutronError } from './model/errors';
import { type NetworkModel, type NetworkModelDeps, openNetworkModel, spaceOf } from './model/model';
import { createPort, deletePort, updatePort } from './model/ports';
import type { NetworkRecord, PortRecord, SecurityGroupRecord, SubnetRecord } from './model/records';
import { addRule, createSecurityGroup, deleteSecurityGroup, updateSecurityGroup } from './model/securityGroups';
import type { Network, NetworkDriver, Port, PortChange, PortFilter, PortRequest, SecurityGroup, Subnet } from './port';

export interface EmbeddedNetwork {
  /** For the load-balancing service. */
  readonly driver: NetworkDriver;
  /** For the seeds and for the HTTP face. */
  readonly model: NetworkModel;
}

/** The embedded Neutron, with what its store holds. @throws whatever the store throws */
export async function openEmbeddedNetwork(deps: NetworkModelDeps): Promise<EmbeddedNetwork> {
  const model = await openNetworkModel(deps);
  return { model, driver: createDriver(model) };
}

function createDriver(model: NetworkModel): NetworkDriver {
  return {
    acceptsAnything: false,
    findNetwork: async (id) => mapKnown(model.networks.get(id), (record) => toNetwork(model, record)),
    findSubnet: async (id) => mapKnown(model.subnets.get(id), toSubnet),
    findPort: async (id) => mapKnown(model.ports.get(id), toPort),
    supportsQos: async () => true,
    hasQosPolicy: async (id) => model.qosPolicies.get(id) !== undefined,
    hasSecurityGroup: async (id) => model.securityGroups.get(id) !== undefined,
    countFreeAddresses: async (subnetId) => {
      const subnet = model.subnets.get(subnetId);
      return subnet ? spaceOf(model, subnet).countFree() : 0;
    },
    createPort: async (request) => toPort(await createPort(model, fromRequest(model, request))),
    updatePort: async (id, change, { ifRevision = null } = { ifRevision: null }) => {
      if (!model.ports.get(id)) throw new NotFoundError('Port', id);
      return toPort(await updatePort(model, id, fromChange(change), ifRevision));
    },
    deletePort: (id) => deletePort(model, id).catch(ignoreGone),
    listPorts: async (filter) => listPorts(model, filter).map(toPort),
    findSecurityGroup: async (id) => mapKnown(model.securityGroups.get(id), toSecurityGroup),
    listSecurityGroups: async ({ name, description, tag }) =>
      [...(name === undefined ? model.securityGroups.all() : model.securityGroups.by('name', name))]
        .filter((group) => description === undefined || group.description === description)
        .filter((group) => tag === undefined || group.tags.includes(tag))
        .map(toSecurityGroup),
    createSecurityGroup: async ({ tags, projectId, ...request }) => {
      const { id } = await createSecurityGroup(model, { ...request, projectId: projectId ?? '' });
      return toSecurityGroup(await updateSecurityGroup(model, id, { tags }));
    },
    addSecurityGroupRule: async (groupId, rule) =>
      void (await addRule(model, groupId, fromRule(rule)).catch(ignoreThere)),
    deleteSecurityGroup: (id) => deleteSecurityGroup(model, id).catch(ignoreGone),
  };
}

function mapKnown<T, U>(known: T | undefined, map: (value: T) => U): U | undefined {
  return known === undefined ? undefined : map(known);
}

function ignoreGone(err: unknown): void {
  if (!(err instanceof NeutronError && err.status === 404)) throw err;
}

function ignoreThere(err: unknown): void {
  if (!(err instanceof NeutronError && err.type === 'SecurityGroupRuleExists')) throw err;
}

/** Starts from the narrowest index the filter allows: ports are looked for before each creation. */
function listPorts({ ports }: NetworkModel, filter: PortFilter): readonly PortRecord[] {
  const { deviceId, networkId, deviceOwner, name, description, securityGroupId } = filter;
  const candidates =
    deviceId !== undefined
      ? ports.by('device_id', deviceId)
      : networkId !== undefined
        ? ports.by('network_id', networkId)
        : name !== undefined
          ? ports.by('name', name)
          : securityGroupId !== undefined
            ? ports.by('security_group', securityGroupId)
            : [...ports.all()];
  return candidates.filter(
    (port) =>
      (networkId === undefined || port.network_id === networkId) &&
      (deviceOwner === undefined || port.device_owner === deviceOwner) &&
      (name === undefined || port.name === name) &&
      (description === undefined || port.description === description) &&
      (securityGroupId === undefined || port.security_groups.includes(securityGroupId)),
  );
}

function fromRequest({ networks }: NetworkModel, request: PortRequest) {
  const { name, networkId, deviceId, deviceOwner, adminStateUp, fixedIps, securityGroupIds, qosPolicyId } = request;
  const { description, portSecurity } = request;
  return {
    name,
    // This service has no project here: its ports stand beside those of their network.
    projectId: request.projectId ?? networks.get(networkId)?.project_id ?? '',
    networkId,
    deviceId,
    deviceOwner,
    adminStateUp,
    fixedIps: fixedIps.length === 0 ? undefined : fixedIps,
    securityGroups: securityGroupIds,
    qosPolicyId,
    description,
    portSecurity,
  };
}

function fromRule({
  direction,
  etherType,
  protocol,
  portMin,
  portMax,
  remotePrefix,
  remoteGroupId,
}: SecurityGroupRule) {
  return {
    direction,
    ethertype: etherType,
    protocol,
    port_range_min: portMin,
    port_range_max: portMax,
    remote_ip_prefix: remotePrefix,
    remote_group_id: remoteGroupId,
  };
}

function fromChange(change: PortChange) {
  const { allowedAddressPairs, securityGroupIds, qosPolicyId, deviceId, deviceOwner, name, fixedIps } = change;
  return {
    ...(allowedAddressPairs && {
      allowed_address_pairs: allowedAddressPairs.map((pair) => ({ ip_address: pair.ipAddress })),
    }),
    ...(securityGroupIds && { security_groups: securityGroupIds }),
    ...(qosPolicyId !== undefined && { qos_policy_id: qosPolicyId }),
    ...(deviceId !== undefined && { device_id: deviceId }),
    ...(deviceOwner !== undefined && { device_owner: deviceOwner }),
    ...(name !== undefined && { name }),
    ...(fixedIps && { fixed_ips: fixedIps }),
  };
}

function toNetwork({ subnets }: NetworkModel, record: NetworkRecord): Network {
  return {
    id: record.id,
    name: record.name,
    projectId: record.project_id,
    mtu: record.mtu,
    external: record['router:external'],
    shared: record.shared,
    subnetIds: subnets.by('network_id', record.id).map(({ id }) => id),
  };
}

function toSubnet(record: SubnetRecord): Subnet {
  return {
    id: record.id,
    name: record.name,
    networkId: record.network_id,
    projectId: record.project_id,
    cidr: record.cidr,
    ipVersion: record.ip_version,
    gatewayIp: record.gateway_ip,
    hostRoutes: record.host_routes.map(({ destination, nexthop }) => ({ destination, nextHop: nexthop })),
  };
}

function toPort(record: PortRecord): Port {
  return {
    id: record.id,
    name: record.name,
    projectId: record.project_id,
    networkId: record.network_id,
    macAddress: record.mac_address,
    deviceId: record.device_id,
    deviceOwner: record.device_owner,
    fixedIps: record.fixed_ips.map((ip) => ({ subnetId: ip.subnet_id, ipAddress: ip.ip_address })),
    allowedAddressPairs: record.allowed_address_pairs.map((pair) => ({ ipAddress: pair.ip_address })),
    securityGroupIds: record.security_groups,
    qosPolicyId: record.qos_policy_id,
    adminStateUp: record.admin_state_up,
    createdAt: new Date(record.created_at),
    description: record.description,
    revision: record.revision_number,
  };
}

function toSecurityGroup(record: SecurityGroupRecord): SecurityGroup {
  return {
    id: record.id,
    name: record.name,
    description: record.description,
    projectId: record.project_id,
    createdAt: new Date(record.created_at),
    rules: record.security_group_rules.map((rule) => ({
      direction: rule.direction,
      etherType: rule.ethertype,
      protocol: rule.protocol,
      portMin: rule.port_range_min,
      portMax: rule.port_range_max,
      remotePrefix: rule.remote_ip_prefix,
      remoteGroupId: rule.remote_group_id,
      remoteAddressGroupId: null,
    })),
  };
}
