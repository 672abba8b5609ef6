import {
  CLAIM_STATUS,
  CLAIMABLE_FROM,
  type ClaimIntent,
  PENDING_STATUSES,
  type ProvisioningStatus,
} from '../domain/status';
import { toDbTime } from './codecs';
import { change, type Db, nowPlusSql, nowSql, prepared } from './connect';
import type { LoadBalancerRow } from './rows';

/** What a change asks of a load balancer's row. */
export interface Claim {
  readonly loadBalancerId: string;
  readonly intent: ClaimIntent;
  /** Seconds from now, by the database's clock, until the PENDING status ends in ERROR. */
  readonly deadline: number;
  /** Written as `updated_at`. */
  readonly at: Date;
}

/** `claimed`, or why not: the status met, or `absent` without a row. */
export type ClaimOutcome = 'claimed' | 'absent' | ProvisioningStatus;

/**
 * Takes the load balancer for one change. This conditional UPDATE is the only lock on the tree: it needs no SELECT ...
 * FOR UPDATE, so it means the same on MySQL and SQLite. A delete also takes over what has been pending for too long.
 */
export async function claimLoadBalancer(db: Db, claim: Claim): Promise<ClaimOutcome> {
  const { loadBalancerId: id, intent, at } = claim;
  const from = CLAIMABLE_FROM[intent].map((status) => `'${status}'`).join(', ');
  const overdue = `provisioning_status in (${PENDING}) and pending_deadline < ${nowSql(db)}`;
  const sql =
    intent === 'delete'
      ? `${claimText(db, claim)}, deleting = 1 where id = ? and (provisioning_status in (${from}) or (${overdue}))`
      : `${claimText(db, claim)} where id = ? and deleting = 0 and provisioning_status in (${from})`;
  if ((await change(db, sql, [toDbTime(at), id])) === 1) return 'claimed';
  return (await provisioningStatusOf(db, id)) ?? 'absent';
}

const PENDING = PENDING_STATUSES.map((status) => `'${status}'`).join(', ');

function claimText(db: Db, { intent, deadline }: Claim): string {
  return `update load_balancer set provisioning_status = '${CLAIM_STATUS[intent]}', generation = generation + 1,
    pending_deadline = ${nowPlusSql(db, deadline)}, attempts = 0, retry_at = null, updated_at = ?`;
}

/** Undefined without a row. */
export async function provisioningStatusOf(db: Db, id: string): Promise<ProvisioningStatus | undefined> {
  const sql = 'select provisioning_status from load_balancer where id = ?';
  const [row] = await prepared<Pick<LoadBalancerRow, 'provisioning_status'>>(db, sql, [id]);
  return row?.provisioning_status;
}

/** The objects below a load balancer that can be marked. */
export type ChildTable = 'listener' | 'pool' | 'member' | 'health_monitor' | 'l7policy' | 'l7rule';

/** Shows that the objects wait for a change of their own or of something below them. */
export async function markPendingUpdate(db: Db, table: ChildTable, ids: readonly string[], at: Date): Promise<void> {
  if (ids.length === 0) return;
  await db(table)
    .whereIn('id', ids)
    .update({ provisioning_status: 'PENDING_UPDATE', updated_at: toDbTime(at) });
}

/** Wants the objects gone: settle removes them. */
export async function markPendingDelete(db: Db, table: ChildTable, ids: readonly string[], at: Date): Promise<void> {
  if (ids.length === 0) return;
  await db(table)
    .whereIn('id', ids)
    .update({ provisioning_status: 'PENDING_DELETE', deleting: 1, updated_at: toDbTime(at) });
}

/**
 * Marks the listeners that use any of the pools, as default or by an L7 redirect. The load balancer is named so that
 * MySQL reads its listeners alone instead of the table.
 */
export async function markListenersOf(
  db: Db,
  { loadBalancerId, poolIds }: { loadBalancerId: string; poolIds: readonly string[] },
  at: Date,
): Promise<void> {
  await db('listener')
    .where({ load_balancer_id: loadBalancerId, deleting: 0 })
    .where((uses) => {
      uses
        .whereIn('default_pool_id', poolIds)
        .orWhereIn('id', db('l7policy').select('listener_id').whereIn('redirect_pool_id', poolIds));
    })
    .update({ provisioning_status: 'PENDING_UPDATE', updated_at: toDbTime(at) });
}
