import type { SecurityGroupRule } from '../../../domain/securityGroup';
import type { PortChange, PortRequest } from '../port';

/** The body that makes a port. */
export function fromRequest(request: PortRequest) {
  const { fixedIps, securityGroupIds, qosPolicyId, description, portSecurity } = request;
  return {
    port: {
      name: request.name,
      ...(request.projectId === null ? {} : { project_id: request.projectId }),
      network_id: request.networkId,
      device_id: request.deviceId,
      device_owner: request.deviceOwner,
      admin_state_up: request.adminStateUp,
      ...(fixedIps.length === 0 ? {} : { fixed_ips: fixedIps.map(fixedIp) }),
      ...(securityGroupIds === undefined ? {} : { security_groups: [...securityGroupIds] }),
      ...(qosPolicyId ? { qos_policy_id: qosPolicyId } : {}),
      ...(description === undefined ? {} : { description }),
      ...(portSecurity === undefined ? {} : { port_security_enabled: portSecurity }),
    },
  };
}

function fixedIp({ subnetId, ipAddress }: PortRequest['fixedIps'][number]) {
  return {
    ...(subnetId === undefined ? {} : { subnet_id: subnetId }),
    ...(ipAddress === undefined ? {} : { ip_address: ipAddress }),
  };
}

/** The body that changes a port: what is absent stays. */
export function fromChange(change: PortChange) {
  const { allowedAddressPairs, securityGroupIds, qosPolicyId, deviceId, deviceOwner, name, fixedIps, unbind } = change;
  return {
    port: {
      ...(allowedAddressPairs && {
        allowed_address_pairs: allowedAddressPairs.map(({ ipAddress }) => ({ ip_address: ipAddress })),
      }),
      ...(securityGroupIds && { security_groups: [...securityGroupIds] }),
      ...(qosPolicyId !== undefined && { qos_policy_id: qosPolicyId }),
      ...(deviceId !== undefined && { device_id: deviceId }),
      ...(deviceOwner !== undefined && { device_owner: deviceOwner }),
      ...(name !== undefined && { name }),
      ...(fixedIps && { fixed_ips: fixedIps.map(fixedIp) }),
      ...(unbind && { 'binding:host_id': '' }),
    },
  };
}

/** An id as one segment of a path: whoever names `..` or `?` gets a 404 of its own making. */
export function segment(id: string): string {
  return encodeURIComponent(id).replaceAll('.', '%2E');
}

/** The body that adds a rule to a group. */
export function fromRule(groupId: string, rule: SecurityGroupRule) {
  return {
    security_group_rule: {
      security_group_id: groupId,
      direction: rule.direction,
      ethertype: rule.etherType,
      protocol: rule.protocol,
      port_range_min: rule.portMin,
      port_range_max: rule.portMax,
      remote_ip_prefix: rule.remotePrefix,
      remote_group_id: rule.remoteGroupId,
    },
  };
}
