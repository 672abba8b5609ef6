import type { RowsChange, RowsRemoval, RowValues, Settlement } from '../domain/settlement';
import type { LoadBalancerTree } from '../domain/tree';
import type { ChildTable } from '../domain/treeObjects';
import { type Db, dbNow, inTransaction, nowPlus } from './connect';
import { recordEvents } from './events';
import { type Lease, LeaseLostError } from './leases';
import { queueNotification } from './notifications';
import { clearRequests } from './placements';
import { type Amounts, lowerQuota } from './quotas';

/** The load balancer has been changed since the run loaded it: it goes round again. */
export class MovedOnError extends Error {
  override readonly name = 'MovedOnError';
  constructor(id: string) {
    super(`load balancer ${id} was changed during the run`);
  }
}

export interface SettleInput {
  readonly lease: Lease;
  readonly tree: LoadBalancerTree;
  readonly settlement: Settlement;
  /** When it is still work: seconds until the sweep may look at it again. */
  readonly retryAfter?: number;
  /** Whether those who listen are to be told what has come to its end. */
  readonly notify?: boolean;
}

/**
 * Writes the end of a run, and gives the lease back: one transaction, for the generation the run has read and only by
 * the holder of the lease. Nothing else ever writes a provisioning status that is not PENDING.
 * @throws LeaseLostError, MovedOnError: nothing is written
 */
export async function settle(db: Db, input: SettleInput): Promise<void> {
  const { tree, settlement } = input;
  const asked = settlement.done && tree.placements.some(({ request }) => request !== null);
  const rest = settlement.changes.length + settlement.removals.length + settlement.happenings.length;
  if (rest === 0 && !asked && !input.notify) return settleRow(db, input);
  await inTransaction(db, async (trx) => {
    if (input.notify) await queueNotification(trx, tree, settlement);
    await settleRow(trx, input);
    if (asked) await clearRequests(trx, tree.id);
    await applySettlement(trx, tree, settlement);
  });
}

/** Writes everything of a settlement but the load balancer's own row. In the transaction of the caller. */
export async function applySettlement(trx: Db, tree: LoadBalancerTree, settlement: Settlement): Promise<void> {
  for (const change of settlement.changes) await applyChange(trx, change);
  for (const removal of settlement.removals) await applyRemoval(trx, removal);
  await recordEvents(trx, settlement.happenings, { projectId: tree.projectId, loadBalancerId: tree.id });
  if (settlement.loadBalancer.provisioningStatus === 'DELETED') await forgetLoadBalancer(trx, tree.id);
  await lowerQuota(trx, tree.projectId, amountsOf(settlement));
}

async function settleRow(db: Db, { lease, tree, settlement, retryAfter }: SettleInput): Promise<void> {
  const { id, generation } = tree;
  const deleted = settlement.loadBalancer.provisioningStatus === 'DELETED';
  const written = await db('load_balancer')
    .where({ id, generation, lease_owner: lease.owner, lease_epoch: lease.epoch })
    .update({
      ...columnsOf(settlement.loadBalancer),
      ...(settlement.done
        ? { settled_generation: generation, attempts: 0, retry_at: null }
        : { attempts: tree.attempts + 1, retry_at: nowPlus(db, retryAfter ?? 0) }),
      pending_deadline: null,
      lease_owner: null,
      lease_until: null,
      ...(deleted && { deleted_at: dbNow(db) }),
    });
  if (written === 1) return;
  const row: { generation: number } | undefined = await db('load_balancer').where({ id }).first('generation');
  throw row && Number(row.generation) !== generation ? new MovedOnError(id) : new LeaseLostError(lease);
}

function columnsOf({ provisioningStatus, operatingStatus, position, ...references }: RowValues): object {
  return {
    ...(provisioningStatus !== undefined && { provisioning_status: provisioningStatus }),
    ...(operatingStatus !== undefined && { operating_status: operatingStatus }),
    ...(position !== undefined && { position }),
    ...('defaultPoolId' in references && { default_pool_id: null }),
    ...('redirectPoolId' in references && { redirect_pool_id: null }),
  };
}

async function applyChange(trx: Db, { table, ids, set }: RowsChange): Promise<void> {
  for (const batch of batchesOf(ids)) await trx(table).whereIn('id', batch).update(columnsOf(set));
}

/** Rows that belong to another row alone; the rest of what hangs on it goes by the foreign key. */
const PARTS: Readonly<Partial<Record<ChildTable, readonly [table: string, column: string][]>>> = {
  listener: [
    ['listener_cidr', 'listener_id'],
    ['sni', 'listener_id'],
  ],
  pool: [['session_persistence', 'pool_id']],
};

async function applyRemoval(trx: Db, { table, ids }: RowsRemoval): Promise<void> {
  for (const batch of batchesOf(ids)) {
    for (const [part, column] of PARTS[table] ?? []) await trx(part).whereIn(column, batch).delete();
    await trx('tags').whereIn('resource_id', batch).delete();
    await trx(table).whereIn('id', batch).delete();
  }
}

/** What a deleted load balancer leaves: its row and its VIP's, until the purge. */
async function forgetLoadBalancer(trx: Db, id: string): Promise<void> {
  await trx('tags').where({ resource_id: id }).delete();
  await trx('vip_wiring').where({ load_balancer_id: id }).delete();
  await trx('listener_statistics').where({ load_balancer_id: id }).delete();
  await trx('peer_port').where({ load_balancer_id: id }).delete();
}

function amountsOf({ loadBalancer, removals }: Settlement): Amounts {
  const children = Object.fromEntries(removals.map(({ table, ids }) => [table, ids.length]));
  return { ...children, ...(loadBalancer.provisioningStatus === 'DELETED' && { load_balancer: 1 }) };
}

/** Bounds the bindings of one statement. */
const BATCH = 500;

function batchesOf(ids: readonly string[]): string[][] {
  return Array.from({ length: Math.ceil(ids.length / BATCH) }, (_, index) =>
    ids.slice(index * BATCH, (index + 1) * BATCH),
  );
}
