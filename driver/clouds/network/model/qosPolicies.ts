import { NeutronError, qosPolicyNotFound } from './errors';
import type { NetworkModel } from './model';
import { type Naming, type QosPolicyRecord, revise, standardAttributes } from './records';

export interface NewQosPolicy extends Naming {
  readonly shared?: boolean | undefined;
  readonly isDefault?: boolean | undefined;
}

/** @throws NeutronError 404 */
export function getQosPolicy({ qosPolicies }: NetworkModel, id: string): QosPolicyRecord {
  const policy = qosPolicies.get(id);
  if (!policy) throw qosPolicyNotFound(id);
  return policy;
}

export async function createQosPolicy(model: NetworkModel, request: NewQosPolicy): Promise<QosPolicyRecord> {
  const policy: QosPolicyRecord = {
    ...standardAttributes(request, model.newId(), model.now()),
    shared: request.shared ?? false,
    is_default: request.isDefault ?? false,
    rules: [],
  };
  await model.qosPolicies.put(policy);
  return policy;
}

/** @throws NeutronError 404 */
export async function updateQosPolicy(
  model: NetworkModel,
  id: string,
  change: Partial<QosPolicyRecord>,
): Promise<QosPolicyRecord> {
  const policy = revise(getQosPolicy(model, id), change, model.now());
  await model.qosPolicies.put(policy);
  return policy;
}

/** @throws NeutronError 404, or 409 while a network or port has it */
export async function deleteQosPolicy(model: NetworkModel, id: string): Promise<void> {
  getQosPolicy(model, id);
  const users = [
    ...[...model.networks.all()].map((network) => ({ kind: 'network', ...network })),
    ...[...model.ports.all()].map((port) => ({ kind: 'port', ...port })),
  ];
  const user = users.find(({ qos_policy_id }) => qos_policy_id === id);
  if (user) throw new NeutronError(409, 'QosPolicyInUse', `QoS Policy ${id} is used by ${user.kind} ${user.id}.`);
  await model.qosPolicies.remove(id);
}
