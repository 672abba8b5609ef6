import type { NetworkDriver } from '../../../driver/clouds/network/port';
import { InvalidReferenceError, ValidationError } from '../../../driver/domain/errors';

/**
 * QoS policy and security groups that a request wants on the VIP port.
 * @throws ServiceError
 */
export async function checkVipExtras(
  network: NetworkDriver,
  { qosPolicyId, securityGroupIds }: { qosPolicyId: string | null; securityGroupIds: readonly string[] },
): Promise<void> {
  for (const id of securityGroupIds) {
    if (!(await network.hasSecurityGroup(id))) throw new InvalidReferenceError('Security Group', id);
  }
  if (!qosPolicyId) return;
  if (!(await network.supportsQos())) {
    throw new ValidationError('VIP QoS policy is not allowed in this deployment.');
  }
  if (!(await network.hasQosPolicy(qosPolicyId))) throw new InvalidReferenceError('qos_policy', qosPolicyId);
}

/** @throws ValidationError */
export function refuseGroupsOnDirect(vnicType: string, securityGroupIds: readonly string[]): void {
  if (vnicType === 'direct' && securityGroupIds.length > 0) {
    throw new ValidationError('VIP Security Groups are not allowed with VNIC direct type');
  }
}
