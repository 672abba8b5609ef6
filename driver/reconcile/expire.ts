import { type Bus, SETTLED_TOPIC } from '../bus/port';
import type { Db } from '../db/connect';
import { grabLease, LeaseLostError, releaseLease } from '../db/leases';
import { MovedOnError, settle } from '../db/settle';
import { loadTree } from '../db/tree';
import { settleFailed } from '../domain/settlement';
import { isPending } from '../domain/status';

export interface ExpireParts {
  readonly db: Db;
  readonly bus: Bus;
  /** Holder of the leases. */
  readonly owner: string;
}

/** Long enough to load a tree and write its end. */
const LEASE_SECONDS = 15;

/**
 * Ends a PENDING status whose deadline has passed although no worker is there to do it. A worker that has it in hand
 * does so itself at the end of its run. True when the status was ended here.
 */
export async function expireLoadBalancer({ db, bus, owner }: ExpireParts, id: string): Promise<boolean> {
  const unit = { table: 'load_balancer', id } as const;
  if (!(await grabLease(db, unit, { owner, seconds: LEASE_SECONDS }))) return false;
  const tree = await loadTree(db, id);
  if (!tree || tree.leaseOwner !== owner) return false;
  const lease = { ...unit, owner, epoch: tree.leaseEpoch };
  if (!tree.overdue || !isPending(tree.provisioningStatus)) {
    await releaseLease(db, lease);
    return false;
  }
  const reason = 'not done in time: no worker has taken it in hand';
  const settlement = settleFailed(tree, { event: 'DEADLINE_EXPIRED', reason });
  try {
    await settle(db, { lease, tree, settlement, retryAfter: 0 });
  } catch (error) {
    if (error instanceof LeaseLostError || error instanceof MovedOnError) return false;
    throw error;
  }
  await bus.broadcast(SETTLED_TOPIC, { method: 'settled', args: { id }, loadBalancerId: id });
  return true;
}
