import { z } from 'zod';
import { type Db, inTransaction } from '../db/connect';
import { findOwner, listOwnVipPorts, type Owner, PROVIDER_TABLES, type ProviderKind } from '../db/providerOwners';
import { applyReport, type StatusReport } from '../db/providerStatus';
import { OPERATING_STATUSES, PROVISIONING_STATUSES } from '../domain/status';
import { type Failure, failureText, OK, type Reply, STATUS_FAILED } from './replies';

export interface StatusDeps {
  readonly db: Db;
  /** Load balancers of these providers may be written; they are not ours. */
  readonly externalProviders: ReadonlySet<string>;
  /** Seconds a PENDING status that a driver sets may last. */
  readonly pendingDeadline: number;
  deletePort(id: string): Promise<void>;
  /** Told of a load balancer that somebody may be waiting for. */
  announceSettled(loadBalancerId: string): Promise<void>;
}

/** Children come first, whatever order a request has them in. */
const ORDER: readonly ProviderKind[] = [
  'members',
  'healthmonitors',
  'pools',
  'l7rules',
  'l7policies',
  'listeners',
  'loadbalancers',
];

const Item = z.object({
  id: z.string().min(1).max(64),
  provisioning_status: z.enum(PROVISIONING_STATUSES).nullish(),
  operating_status: z.enum(OPERATING_STATUSES).nullish(),
});
const Request = z.partialRecord(z.enum(ORDER), z.array(z.unknown()));

/**
 * Takes what a provider driver says of its objects, one after another. The first that cannot be written ends the request
 * with a failure that names it; those before it stay written.
 */
export async function takeStatuses(deps: StatusDeps, request: unknown): Promise<Reply> {
  const parsed = Request.safeParse(request);
  if (!parsed.success) return { status_code: STATUS_FAILED, fault_string: failureText(parsed.error) };
  for (const kind of ORDER) {
    for (const item of parsed.data[kind] ?? []) {
      const failure = await takeItem(deps, kind, item);
      if (failure) return failure;
    }
  }
  return OK;
}

async function takeItem(deps: StatusDeps, kind: ProviderKind, item: unknown): Promise<Failure | undefined> {
  const id = typeof item === 'object' && item !== null && 'id' in item ? item.id : null;
  const failed = (reason: string): Failure => ({
    status_code: STATUS_FAILED,
    fault_string: reason,
    status_object: kind,
    status_object_id: id,
  });
  const parsed = Item.safeParse(item);
  if (!parsed.success) return failed(failureText(parsed.error));
  const { provisioning_status: provisioningStatus, operating_status: operatingStatus } = parsed.data;
  const report: StatusReport = {
    kind,
    id: parsed.data.id,
    ...(provisioningStatus && { provisioningStatus }),
    ...(operatingStatus && { operatingStatus }),
  };
  try {
    const reason = await take(deps, report);
    return reason === undefined ? undefined : failed(reason);
  } catch (error) {
    return failed(error instanceof Error ? error.message : String(error));
  }
}

/** Undefined when it is written, or there is nothing to write; else why not. */
async function take(deps: StatusDeps, report: StatusReport): Promise<string | undefined> {
  const { db } = deps;
  const owner = await findOwner(db, report.kind, report.id);
  if (!owner) return unknown(report);
  if (!deps.externalProviders.has(owner.provider)) return notExternal(report, owner);
  const { loadBalancerId } = owner;
  if (report.kind === 'loadbalancers' && report.provisioningStatus === 'DELETED') {
    for (const port of await listOwnVipPorts(db, loadBalancerId)) await deps.deletePort(port);
  }
  await inTransaction(db, (trx) => applyReport(trx, { loadBalancerId, report }, deps.pendingDeadline));
  if (report.kind === 'loadbalancers' && report.provisioningStatus) await deps.announceSettled(loadBalancerId);
  return undefined;
}

/** In Octavia's manner: what is gone is no trouble, except that a listener must be there to be changed. */
function unknown({ kind, id, provisioningStatus }: StatusReport): string | undefined {
  return kind === 'listeners' && provisioningStatus !== 'DELETED' ? `there is no listener ${id}` : undefined;
}

export function notExternal({ kind, id }: { kind: ProviderKind; id: string }, { provider }: Owner): string {
  return `${PROVIDER_TABLES[kind]} ${id} belongs to the provider "${provider}", which is not among [driver_agent] external_providers`;
}
