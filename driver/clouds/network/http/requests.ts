import type { PortChange, PortRequest } from '../port';

/** The body that makes a port. */
export function fromRequest(request: PortRequest) {
  const { fixedIps, securityGroupIds, qosPolicyId } = request;
  return {
    port: {
      name: request.name,
      project_id: request.projectId,
      network_id: request.networkId,
      device_id: request.deviceId,
      device_owner: request.deviceOwner,
      admin_state_up: request.adminStateUp,
      ...(fixedIps.length === 0 ? {} : { fixed_ips: fixedIps.map(fixedIp) }),
      ...(securityGroupIds === undefined ? {} : { security_groups: [...securityGroupIds] }),
      ...(qosPolicyId ? { qos_policy_id: qosPolicyId } : {}),
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
  const { allowedAddressPairs, securityGroupIds, qosPolicyId, deviceId, deviceOwner, name } = change;
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
    },
  };
}
