import { toBit } from '../../../driver/db/codecs';
import type { Db } from '../../../driver/db/connect';
import { hasAllowedCidrs } from '../../../driver/db/listeners';
import {
  findVip,
  hasChildren,
  listAdditionalVips,
  listSecurityGroupIds,
  replaceSecurityGroups,
  requestFailover,
  updateLoadBalancer as writeLoadBalancer,
} from '../../../driver/db/loadBalancers';
import { loadBalancerDict, type ProviderDict } from '../../../driver/db/providerDicts';
import type { LoadBalancerRow } from '../../../driver/db/rows';
import { replaceTags } from '../../../driver/db/tags';
import { ValidationError } from '../../../driver/domain/errors';
import type { LoadBalancerUpdate } from '../../changes/bodies';
import { claimOwn } from '../../changes/busy';
import { ENABLED, updatesOf } from '../../changes/casts';
import { NO_ANSWER, runChange } from '../../changes/change';
import { unique, type Writers, writeColumns } from '../../changes/columns';
import type { Answer, Caller, CommandDeps } from '../../changes/deps';
import { found, foundLoadBalancer } from '../../changes/found';
import { readTags } from '../../changes/tags';
import { checkVipExtras, refuseGroupsOnDirect } from './vipExtras';

export { createLoadBalancer } from './create';

const WRITERS: Writers<LoadBalancerUpdate, LoadBalancerRow> = {
  name: (value) => ({ name: value ?? '' }),
  description: (value) => ({ description: value ?? '' }),
  admin_state_up: (value) => ({ enabled: toBit(value === true) }),
};

/** @throws ServiceError */
export async function updateLoadBalancer<T>(
  deps: CommandDeps,
  caller: Caller,
  { id, body }: { id: string; body: LoadBalancerUpdate },
  answer: Answer<T>,
): Promise<T> {
  const tags = body.tags === undefined ? undefined : readTags(body.tags);
  const groups = body.vip_sg_ids === undefined ? undefined : unique(body.vip_sg_ids);
  const extras = { qosPolicyId: body.vip_qos_policy_id ?? null, securityGroupIds: groups ?? [] };
  await checkVipExtras(deps.network, extras);

  const work = async (trx: Db, at: Date) => {
    const deadline = deps.settings.pendingDeadline;
    await claimOwn(trx, { loadBalancerId: id, intent: 'update', deadline, at });
    if (groups) await changeGroups(trx, id, groups);
    const before = await readDict(trx, id);
    await writeLoadBalancer(trx, id, writeColumns(body, WRITERS), body.vip_qos_policy_id);
    if (tags) await replaceTags(trx, id, tags);
    const args = { original_load_balancer: before, load_balancer_updates: updates(await readDict(trx, id), body) };
    return { id, cast: { method: 'update_load_balancer', args } };
  };
  return runChange(deps, caller, { change: { loadBalancerId: id, work }, answer });
}

/** @throws ValidationError where groups do not go with the rest */
async function changeGroups(trx: Db, id: string, groups: readonly string[]): Promise<void> {
  const { vnic_type } = found(await findVip(trx, id), 'Load Balancer', id);
  refuseGroupsOnDirect(vnic_type, groups);
  if (groups.length > 0 && (await hasAllowedCidrs(trx, id))) {
    throw new ValidationError('Allowed CIDRs are not allowed when using custom VIP Security Groups.');
  }
  await replaceSecurityGroups(trx, id, groups);
}

async function readDict(db: Db, id: string): Promise<ProviderDict> {
  return loadBalancerDict(await foundLoadBalancer(db, id), {
    vip: found(await findVip(db, id), 'Load Balancer', id),
    additionalVips: await listAdditionalVips(db, id),
    securityGroupIds: await listSecurityGroupIds(db, id),
  });
}

/** Octavia's update dictionary has the QoS policy in a `vip` of its own, and only one that is set. */
function updates(after: ProviderDict, body: LoadBalancerUpdate): ProviderDict {
  const { vip_qos_policy_id: qosPolicyId, ...others } = updatesOf(after, body, ENABLED);
  return { ...others, ...(qosPolicyId ? { vip: { qos_policy_id: qosPolicyId } } : {}) };
}

/**
 * @param input.cascade whether everything below goes too; what is on its way out already does not count as a child
 * @throws ServiceError
 */
export async function deleteLoadBalancer(
  deps: CommandDeps,
  caller: Caller,
  { id, cascade }: { id: string; cascade: boolean },
): Promise<void> {
  const work = async (trx: Db, at: Date) => {
    if (!cascade && (await hasChildren(trx, id))) {
      throw new ValidationError(`Cannot delete Load Balancer ${id} - it has children`);
    }
    const loadbalancer = await readDict(trx, id);
    const deadline = deps.settings.pendingDeadline;
    await claimOwn(trx, { loadBalancerId: id, intent: 'delete', deadline, at });
    return { id, cast: { method: 'delete_load_balancer', args: { loadbalancer, cascade } } };
  };
  await runChange(deps, caller, { change: { loadBalancerId: id, work }, answer: NO_ANSWER });
}

/** Moves every placement of the load balancer. @throws ServiceError */
export async function failoverLoadBalancer(deps: CommandDeps, caller: Caller, { id }: { id: string }): Promise<void> {
  const work = async (trx: Db, at: Date) => {
    const deadline = deps.settings.pendingDeadline;
    await claimOwn(trx, { loadBalancerId: id, intent: 'failover', deadline, at });
    await requestFailover(trx, { loadBalancerId: id, requestId: caller.requestId }, at);
    return { id, cast: { method: 'failover_load_balancer', args: { load_balancer_id: id } } };
  };
  await runChange(deps, caller, { change: { loadBalancerId: id, work }, answer: NO_ANSWER });
}
