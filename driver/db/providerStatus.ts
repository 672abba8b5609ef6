import { settleDeleted, settleRemoved } from '../domain/settlement';
import { isPending, type OperatingStatus, type ProvisioningStatus } from '../domain/status';
import { type Db, dbNow, nowPlus } from './connect';
import { PROVIDER_TABLES, type ProviderKind } from './providerOwners';
import { applySettlement } from './settle';
import { loadTree } from './tree';

/**
 * Statuses as a provider driver of somebody else reports them, object by object. They are that driver's responsibility:
 * nothing is rolled up, and what it says is done is done.
 */

export interface StatusReport {
  readonly kind: ProviderKind;
  readonly id: string;
  readonly provisioningStatus?: ProvisioningStatus;
  readonly operatingStatus?: OperatingStatus;
}

/**
 * Writes a report about an object of the load balancer. DELETED removes the object with its parts and lowers the quota; a
 * load balancer stays as DELETED until the purge. Its row is written first: reports about one tree come one after another,
 * and a worker's run that is under way is void.
 * @param pendingDeadline seconds a PENDING status may last from now on
 */
export async function applyReport(
  trx: Db,
  { loadBalancerId, report }: { loadBalancerId: string; report: StatusReport },
  pendingDeadline: number,
): Promise<void> {
  await trx('load_balancer')
    .where({ id: loadBalancerId })
    .update({ lease_epoch: trx.raw('lease_epoch + 1'), lease_owner: null, lease_until: null });
  const status = report.provisioningStatus;
  if (status === 'DELETED') return applyDeleted(trx, loadBalancerId, report);
  const columns = {
    ...(status !== undefined && { provisioning_status: status }),
    // What is in force is not on its way out: its driver has refused to delete it.
    ...(status === 'ACTIVE' && { deleting: 0 }),
    ...(report.operatingStatus !== undefined && { operating_status: report.operatingStatus }),
    ...(report.kind === 'loadbalancers' && status !== undefined && workColumns(trx, status, pendingDeadline)),
  };
  if (Object.keys(columns).length === 0) return;
  await trx(PROVIDER_TABLES[report.kind]).where({ id: report.id }).update(columns);
}

function workColumns(trx: Db, status: ProvisioningStatus, pendingDeadline: number): object {
  if (isPending(status)) return { pending_deadline: nowPlus(trx, pendingDeadline) };
  return { settled_generation: trx.raw('generation'), pending_deadline: null, attempts: 0, retry_at: null };
}

async function applyDeleted(trx: Db, loadBalancerId: string, { kind, id }: StatusReport): Promise<void> {
  const tree = await loadTree(trx, loadBalancerId);
  if (!tree) return;
  const whole = kind === 'loadbalancers';
  if (whole) {
    await trx('load_balancer')
      .where({ id })
      .update({
        provisioning_status: 'DELETED',
        operating_status: 'OFFLINE',
        deleting: 1,
        settled_generation: trx.raw('generation'),
        pending_deadline: null,
        deleted_at: dbNow(trx),
      });
  }
  await applySettlement(trx, tree, whole ? settleDeleted(tree) : settleRemoved(tree, id));
}
