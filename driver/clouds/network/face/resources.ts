import {
  floatingIpNotFound,
  networkNotFound,
  portNotFound,
  qosPolicyNotFound,
  securityGroupNotFound,
  securityGroupRuleNotFound,
  subnetNotFound,
} from '../model/errors';
import { createFloatingIp, deleteFloatingIp, updateFloatingIp } from '../model/floatingIps';
import type { NetworkModel } from '../model/model';
import { createNetwork, deleteNetwork, updateNetwork } from '../model/networks';
import { createPort, deletePort, updatePort } from '../model/ports';
import { createQosPolicy, deleteQosPolicy, updateQosPolicy } from '../model/qosPolicies';
import type { FixedIpRecord } from '../model/records';
import {
  addRule,
  createSecurityGroup,
  deleteSecurityGroup,
  ensureDefaultGroup,
  removeRule,
  updateSecurityGroup,
} from '../model/securityGroups';
import { createSubnet, deleteSubnet, updateSubnet } from '../model/subnets';
import type { StoredBody } from '../store';
import { isOpenNetwork, owns, requireOwnReferences, requireUsableNetwork, requireVisibleNetwork } from './policy';
import { type Context, creating, type Item, inTable, type Resource, updating } from './resource';
import * as schemas from './schemas';

const asIs = (_model: NetworkModel, item: Item): StoredBody => item;

const networks: Resource = {
  plural: 'networks',
  singular: 'network',
  path: 'networks',
  rows: inTable(({ networks }) => networks),
  notFound: networkNotFound,
  view: (model, network) => ({
    ...network,
    subnets: model.subnets.by('network_id', network.id).map(({ id }) => id),
    availability_zones: [],
    availability_zone_hints: [],
    ipv4_address_scope: null,
    ipv6_address_scope: null,
    is_default: false,
    dns_domain: '',
    'provider:network_type': 'local',
    'provider:physical_network': null,
    'provider:segmentation_id': null,
  }),
  isShared: ({ model }, { id }) => {
    const network = model.networks.get(id);
    return network !== undefined && isOpenNetwork(network);
  },
  adminAttributes: ['shared', 'router:external', 'provider:network_type', 'provider:physical_network'],
  create: creating(schemas.newNetwork, ({ model }, body, projectId) =>
    createNetwork(model, {
      name: body.name ?? '',
      description: body.description,
      projectId,
      adminStateUp: body.admin_state_up,
      shared: body.shared,
      external: body['router:external'],
      mtu: body.mtu,
      portSecurity: body.port_security_enabled,
      qosPolicyId: body.qos_policy_id,
    }),
  ),
  update: updating(schemas.networkChange, ({ model }, id, body) => updateNetwork(model, id, defined(body))),
  remove: deleteNetwork,
  setTags: (model, id, tags) => updateNetwork(model, id, { tags }),
};

const subnets: Resource = {
  plural: 'subnets',
  singular: 'subnet',
  path: 'subnets',
  rows: inTable(({ subnets }) => subnets),
  notFound: subnetNotFound,
  view: asIs,
  isShared: ({ model, caller }, { id }) => {
    const network = model.networks.get(model.subnets.get(id)?.network_id ?? '');
    return network !== undefined && (isOpenNetwork(network) || owns(caller, network));
  },
  create: creating(schemas.newSubnet, async (context, body, projectId) => {
    const network = requireVisibleNetwork(context, body.network_id);
    if (!owns(context.caller, network)) throw networkNotFound(network.id);
    return createSubnet(context.model, {
      name: body.name ?? '',
      description: body.description,
      projectId,
      networkId: network.id,
      cidr: body.cidr,
      gatewayIp: body.gateway_ip,
      allocationPools: body.allocation_pools,
      enableDhcp: body.enable_dhcp,
      dnsNameservers: body.dns_nameservers,
      hostRoutes: body.host_routes,
      ipv6RaMode: body.ipv6_ra_mode,
      ipv6AddressMode: body.ipv6_address_mode,
      serviceTypes: body.service_types,
    });
  }),
  update: updating(schemas.subnetChange, ({ model }, id, body) => updateSubnet(model, id, defined(body))),
  remove: deleteSubnet,
  setTags: (model, id, tags) => updateSubnet(model, id, { tags }),
};

const fixedIpsOf = (port: StoredBody): readonly FixedIpRecord[] => port['fixed_ips'] as readonly FixedIpRecord[];

const ports: Resource = {
  plural: 'ports',
  singular: 'port',
  path: 'ports',
  rows: inTable(({ ports }) => ports),
  notFound: portNotFound,
  view: (_model, port) => ({
    ...port,
    extra_dhcp_opts: [],
    dns_name: '',
    'binding:host_id': '',
    'binding:profile': {},
    'binding:vif_type': 'unbound',
    'binding:vif_details': {},
  }),
  filters: {
    fixed_ips: (port) => fixedIpsOf(port).flatMap((ip) => [`ip_address=${ip.ip_address}`, `subnet_id=${ip.subnet_id}`]),
    ip_address: (port) => fixedIpsOf(port).map((ip) => ip.ip_address),
    subnet_id: (port) => fixedIpsOf(port).map((ip) => ip.subnet_id),
  },
  isShared: ({ model, caller }, { id }) => {
    const network = model.networks.get(model.ports.get(id)?.network_id ?? '');
    return network !== undefined && owns(caller, network);
  },
  create: creating(schemas.newPort, async (context, body, projectId) => {
    requireUsableNetwork(context, body.network_id);
    requireOwnReferences(context, { groups: body.security_groups });
    return createPort(context.model, {
      name: body.name ?? '',
      description: body.description,
      projectId,
      networkId: body.network_id,
      fixedIps: body.fixed_ips,
      deviceId: body.device_id,
      deviceOwner: body.device_owner,
      adminStateUp: body.admin_state_up,
      macAddress: body.mac_address,
      securityGroups: body.security_groups,
      allowedAddressPairs: body.allowed_address_pairs,
      qosPolicyId: body.qos_policy_id,
      portSecurity: body.port_security_enabled,
      vnicType: body['binding:vnic_type'],
    });
  }),
  update: updating(schemas.portChange, async (context, id, body, ifRevision) => {
    requireOwnReferences(context, { groups: body.security_groups });
    return updatePort(context.model, id, defined(body), ifRevision);
  }),
  remove: deletePort,
  setTags: (model, id, tags) => updatePort(model, id, { tags }),
};

const securityGroups: Resource = {
  plural: 'security_groups',
  singular: 'security_group',
  path: 'security-groups',
  rows: inTable(({ securityGroups }) => securityGroups),
  notFound: securityGroupNotFound,
  view: (_model, group) => ({ ...group, shared: false }),
  prepare: async ({ model, caller }) => caller.projectId !== null && ensureDefaultGroup(model, caller.projectId),
  create: creating(schemas.newSecurityGroup, ({ model }, { name = '', description, stateful }, projectId) =>
    createSecurityGroup(model, { name, description, stateful, projectId }),
  ),
  update: updating(schemas.securityGroupChange, ({ model }, id, body) => updateSecurityGroup(model, id, defined(body))),
  remove: deleteSecurityGroup,
  setTags: (model, id, tags) => updateSecurityGroup(model, id, { tags }),
};

const rulesOf = (model: NetworkModel) => [...model.securityGroups.all()].flatMap((group) => group.security_group_rules);

const securityGroupRules: Resource = {
  plural: 'security_group_rules',
  singular: 'security_group_rule',
  path: 'security-group-rules',
  rows: {
    all: rulesOf,
    find: (model, id) => model.securityGroups.by('rule', id)[0]?.security_group_rules.find((rule) => rule.id === id),
    by: (model, attribute, value) =>
      attribute === 'security_group_id' ? (model.securityGroups.get(value)?.security_group_rules ?? []) : undefined,
  },
  notFound: securityGroupRuleNotFound,
  view: (_model, rule) => ({ ...rule, remote_address_group_id: null, tags: [] }),
  prepare: securityGroups.prepare ?? (async () => {}),
  create: creating(schemas.newRule, async (context, { security_group_id, ...rule }) => {
    const groups = [security_group_id, ...(rule.remote_group_id ? [rule.remote_group_id] : [])];
    requireOwnReferences(context, { groups });
    return addRule(context.model, security_group_id, rule);
  }),
  remove: removeRule,
};

const floatingIps: Resource = {
  plural: 'floatingips',
  singular: 'floatingip',
  path: 'floatingips',
  rows: inTable(({ floatingIps }) => floatingIps),
  notFound: floatingIpNotFound,
  view: (model, floatingIp) => {
    const { name: _name, floating_subnet_id: _subnet, ...shown } = floatingIp;
    return {
      ...shown,
      port_details: viewPortDetails(model, floatingIp['port_id']),
      port_forwardings: [],
      dns_name: '',
      dns_domain: '',
    };
  },
  create: creating(schemas.newFloatingIp, async (context: Context, body, projectId) => {
    requireVisibleNetwork(context, body.floating_network_id);
    requireOwnReferences(context, { portId: body.port_id });
    return createFloatingIp(context.model, {
      description: body.description,
      projectId,
      floatingNetworkId: body.floating_network_id,
      subnetId: body.subnet_id ?? undefined,
      address: body.floating_ip_address ?? undefined,
      portId: body.port_id,
      fixedAddress: body.fixed_ip_address,
      qosPolicyId: body.qos_policy_id,
    });
  }),
  update: updating(schemas.floatingIpChange, async (context, id, body) => {
    requireOwnReferences(context, { portId: body.port_id });
    return updateFloatingIp(context.model, id, body);
  }),
  remove: deleteFloatingIp,
  setTags: (model, id, tags) => updateFloatingIp(model, id, { tags }),
};

function viewPortDetails(model: NetworkModel, portId: unknown): StoredBody | null {
  const port = typeof portId === 'string' ? model.ports.get(portId) : undefined;
  if (!port) return null;
  const { name, network_id, mac_address, admin_state_up, status, device_id, device_owner } = port;
  return { name, network_id, mac_address, admin_state_up, status, device_id, device_owner };
}

const qosPolicies: Resource = {
  plural: 'policies',
  singular: 'policy',
  path: 'qos/policies',
  rows: inTable(({ qosPolicies }) => qosPolicies),
  notFound: qosPolicyNotFound,
  view: asIs,
  isShared: ({ model }, { id }) => model.qosPolicies.get(id)?.shared ?? false,
  // Neutron's rule: policies are made by admins, for everybody.
  adminAttributes: ['name', 'shared', 'is_default'],
  create: creating(schemas.newQosPolicy, ({ model }, { name = '', description, shared, is_default }, projectId) =>
    createQosPolicy(model, { name, description, shared, isDefault: is_default, projectId }),
  ),
  update: updating(schemas.qosPolicyChange, ({ model }, id, body) => updateQosPolicy(model, id, defined(body))),
  remove: deleteQosPolicy,
  setTags: (model, id, tags) => updateQosPolicy(model, id, { tags }),
};

/** Every kind of object this Neutron has. */
export const RESOURCES: readonly Resource[] = [
  networks,
  subnets,
  ports,
  securityGroups,
  securityGroupRules,
  floatingIps,
  qosPolicies,
];

/** The members that were given; "not there" and "undefined" differ for what merges them. */
function defined<T extends object>(body: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
