import { markPendingDelete } from '../../../driver/db/changes';
import type { Db } from '../../../driver/db/connect';
import { hasMonitor } from '../../../driver/db/healthMonitors';
import { insertMembers, listMembers, type NewMember, updateMember } from '../../../driver/db/members';
import { findPool } from '../../../driver/db/pools';
import { memberDict } from '../../../driver/db/providerDicts';
import { checkQuota, type QuotaDemand } from '../../../driver/db/quotas';
import type { MemberRow, PoolRow } from '../../../driver/db/rows';
import { insertTags, replaceTags, tagRows } from '../../../driver/db/tags';
import { ValidationError } from '../../../driver/domain/errors';
import type { MemberCreate } from '../../changes/bodies';
import { BATCH_MEMBER_RENAMES, rename, updatesOf } from '../../changes/casts';
import { NO_ANSWER, runChange } from '../../changes/change';
import type { Caller, CommandDeps } from '../../changes/deps';
import { found } from '../../changes/found';
import { orderedIds } from '../../changes/orderedIds';
import { claimPool, findMutablePool } from '../../changes/poolChange';
import { readTags } from '../../changes/tags';
import { buildMember, replaceMember } from './build';
import { checkMember, checkMemberFits, checkMemberSubnets, memberTaken } from './rules';
import { readSurroundings } from './surroundings';

/** What `PUT /pools/{id}/members` asks for. */
export interface MemberBatch {
  readonly poolId: string;
  readonly members: readonly MemberCreate[];
  /** Members that are not in the document stay. */
  readonly additiveOnly: boolean;
}

/**
 * Makes the pool's members those of the document: one transaction and one change, however many they are.
 * @throws ServiceError
 */
export async function replaceMembers(deps: CommandDeps, caller: Caller, batch: MemberBatch): Promise<void> {
  const { poolId, members } = batch;
  const parent = found(await findPool(deps.db, poolId), 'Pool', poolId);
  for (const member of members) {
    readTags(member.tags);
    checkMember(member, deps.settings);
  }
  await checkMemberSubnets(deps, caller, { members, projectId: parent.project_id });
  const work = (trx: Db, at: Date) => applyBatch(deps, trx, { batch, at });
  const change = { loadBalancerId: parent.load_balancer_id, work };
  await runChange(deps, caller, { change, answer: NO_ANSWER });
}

async function applyBatch(deps: CommandDeps, trx: Db, { batch, at }: { batch: MemberBatch; at: Date }) {
  const { poolId } = batch;
  const pool = await findMutablePool(trx, poolId);
  const stored = await listMembers(trx, poolId);
  const difference = compare(batch, stored);
  const { created, updated, removed } = difference;
  if (created.length + updated.length + removed.length === 0) return { id: poolId, cast: null };

  const quota = {
    projectId: pool.project_id,
    add: { member: created.length },
    freed: { member: removed.filter((member) => !member.deleting).length },
  } satisfies QuotaDemand;
  await checkQuota(trx, quota, deps.settings.defaultQuotas);
  await claimPool(deps, trx, { poolId, at });
  checkMemberFits(created, await readSurroundings(trx, pool, created), deps.settings);
  const rows = await writeDifference(deps, trx, { pool, difference, at });
  return { id: poolId, quota, cast: { method: 'batch_update_members', args: castArgs(difference, rows) } };
}

interface Difference {
  readonly created: readonly MemberCreate[];
  readonly updated: readonly { readonly body: MemberCreate; readonly row: MemberRow }[];
  readonly removed: readonly MemberRow[];
}

/** A member is known by its address, in any case, and port. */
function keyOf(address: string, port: number): string {
  return `${address.toLowerCase()} ${port}`;
}

/** @throws ServiceError for a member given twice */
function compare({ members, additiveOnly }: MemberBatch, stored: readonly MemberRow[]): Difference {
  const byKey = new Map(stored.map((row) => [keyOf(row.ip_address, row.protocol_port), row]));
  const seen = new Set<string>();
  const created: MemberCreate[] = [];
  const updated: { body: MemberCreate; row: MemberRow }[] = [];
  for (const body of members) {
    const { address, port } = { address: body.address ?? '', port: body.protocol_port ?? 0 };
    const key = keyOf(address, port);
    const row = byKey.get(key);
    if (seen.has(key)) {
      if (!row) throw memberTaken(address, port);
      throw new ValidationError('Member must be updated only once in the same request.');
    }
    seen.add(key);
    if (row) updated.push({ body, row });
    else created.push(body);
  }
  const removed = additiveOnly ? [] : stored.filter((row) => !seen.has(keyOf(row.ip_address, row.protocol_port)));
  return { created, updated, removed };
}

async function writeDifference(
  deps: CommandDeps,
  trx: Db,
  { pool, difference, at }: { pool: PoolRow; difference: Difference; at: Date },
): Promise<readonly NewMember[]> {
  const { created, updated, removed } = difference;
  const parents = { projectId: pool.project_id, poolId: pool.id };
  const newId = orderedIds(created, deps.newId);
  const rows = created.map((body) => buildMember(body, { id: newId(), ...parents }));
  await insertMembers(trx, rows, { monitored: await hasMonitor(trx, pool.id), at });
  await insertTags(
    trx,
    rows.flatMap((row, index) => tagRows(row.id, readTags(created[index]?.tags))),
  );
  for (const { body, row } of updated) {
    await updateMember(trx, row.id, replaceMember(body), at);
    if (body.tags !== undefined) await replaceTags(trx, row.id, readTags(body.tags));
  }
  const removedIds = removed.map(({ id }) => id);
  await markPendingDelete(trx, 'member', removedIds, at);
  return rows;
}

function castArgs({ updated, removed }: Difference, rows: readonly NewMember[]) {
  return {
    old_members: removed,
    new_members: rows.map(memberDict),
    updated_members: updated.map(({ body, row }) => {
      const after = memberDict({ ...row, ...replaceMember(body) });
      return rename({ member_id: row.id, ...updatesOf(after, body) }, BATCH_MEMBER_RENAMES);
    }),
  };
}
