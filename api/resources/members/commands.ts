import { markPendingDelete } from '../../../driver/db/changes';
import type { Db } from '../../../driver/db/connect';
import { hasMonitor } from '../../../driver/db/healthMonitors';
import { findMember, hasMemberAt, insertMembers, updateMember as writeMember } from '../../../driver/db/members';
import { findPool } from '../../../driver/db/pools';
import { memberDict } from '../../../driver/db/providerDicts';
import { checkQuota } from '../../../driver/db/quotas';
import { insertTags, replaceTags, tagRows } from '../../../driver/db/tags';
import type { MemberCreate, MemberUpdate } from '../../changes/bodies';
import { refuseDeleting } from '../../changes/busy';
import { ENABLED, updatesOf } from '../../changes/casts';
import { NO_ANSWER, runChange } from '../../changes/change';
import type { Answer, Caller, CommandDeps } from '../../changes/deps';
import { found } from '../../changes/found';
import { claimPool } from '../../changes/poolChange';
import { readTags } from '../../changes/tags';
import { buildMember, changeMember } from './build';
import { checkMember, checkMemberFits, checkMemberSubnets, memberTaken } from './rules';
import { readSurroundings } from './surroundings';

/** @throws ServiceError */
export async function createMember<T>(
  deps: CommandDeps,
  caller: Caller,
  { poolId, body }: { poolId: string; body: MemberCreate },
  answer: Answer<T>,
): Promise<T> {
  const { settings } = deps;
  const tags = readTags(body.tags);
  checkMember(body, settings);
  const parent = found(await findPool(deps.db, poolId), 'Pool', poolId);
  const { project_id: projectId, load_balancer_id: loadBalancerId } = parent;
  await checkMemberSubnets(deps, caller, { members: [body], projectId });

  const work = async (trx: Db, at: Date) => {
    const quota = { projectId, add: { member: 1 } };
    await checkQuota(trx, quota, settings.defaultQuotas);
    const pool = await claimPool(deps, trx, { poolId, at });
    checkMemberFits([body], await readSurroundings(trx, pool, [body]), settings);
    const member = buildMember(body, { id: deps.newId(), projectId, poolId });
    if (await hasMemberAt(trx, member)) throw memberTaken(member.ip_address, member.protocol_port);
    await insertMembers(trx, [member], { monitored: await hasMonitor(trx, poolId), at });
    await insertTags(trx, tagRows(member.id, tags));
    return { id: member.id, quota, cast: { method: 'create_member', args: { member: memberDict(member) } } };
  };
  return runChange(deps, caller, { change: { loadBalancerId, work }, answer });
}

/** @throws ServiceError */
export async function updateMember<T>(
  deps: CommandDeps,
  caller: Caller,
  { poolId, id, body }: { poolId: string; id: string; body: MemberUpdate },
  answer: Answer<T>,
): Promise<T> {
  const tags = body.tags === undefined ? undefined : readTags(body.tags);
  const { load_balancer_id: loadBalancerId } = found(await findPool(deps.db, poolId), 'Pool', poolId);
  found(await findMember(deps.db, poolId, id), 'Member', id);

  const work = async (trx: Db, at: Date) => {
    await claimPool(deps, trx, { poolId, at });
    const stored = found(await findMember(trx, poolId, id), 'Member', id);
    refuseDeleting('Member', stored);
    const columns = changeMember(body);
    await writeMember(trx, id, columns, at);
    if (tags) await replaceTags(trx, id, tags);
    const after = memberDict({ ...stored, ...columns });
    const args = { original_member: memberDict(stored), member_updates: updatesOf(after, body, ENABLED) };
    return { id, cast: { method: 'update_member', args } };
  };
  return runChange(deps, caller, { change: { loadBalancerId, work }, answer });
}

/** @throws ServiceError */
export async function deleteMember(
  deps: CommandDeps,
  caller: Caller,
  { poolId, id }: { poolId: string; id: string },
): Promise<void> {
  const { load_balancer_id: loadBalancerId } = found(await findPool(deps.db, poolId), 'Pool', poolId);
  found(await findMember(deps.db, poolId, id), 'Member', id);
  const work = async (trx: Db, at: Date) => {
    await claimPool(deps, trx, { poolId, at });
    const stored = found(await findMember(trx, poolId, id), 'Member', id);
    await markPendingDelete(trx, 'member', [id], at);
    return { id, cast: { method: 'delete_member', args: { member: memberDict(stored) } } };
  };
  await runChange(deps, caller, { change: { loadBalancerId, work }, answer: NO_ANSWER });
}

export { replaceMembers } from './batch';
