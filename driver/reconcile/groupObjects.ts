import { setTimeout as sleep } from 'node:timers/promises';
import { hasEngines } from '../db/engines';
import { hasGroup } from '../db/fleet';
import { releaseLease, takeLease } from '../db/leases';
import type { Engine } from '../domain/engine';
import { UnavailableError } from '../domain/errors';
import type { EngineParts, EngineRun } from './engineRun';

/**
 * Objects of a service engine group in the compute service (a server group) come and go under a lease of the group: workers
 * that make or end engines of it at the same time must neither make two nor take away what the other is about to use.
 */

/** Milliseconds between two tries for a group's lease, and how often: making what a group has takes seconds. */
const TRY_AFTER = 100;
const TRIES = 100;

/**
 * Sees that what keeps the servers of the engine's group in its project apart is there.
 * @throws UnavailableError while another worker holds the lease for long, and what the compute service says
 */
export async function prepareGroup(
  parts: EngineParts,
  { groupId, ownerProjectId }: Pick<Engine, 'groupId' | 'ownerProjectId'>,
): Promise<void> {
  const { compute } = parts;
  if (!compute.prepareGroup) return;
  await underGroupLease(parts, groupId, async () => compute.prepareGroup?.(groupId, ownerProjectId));
}

/**
 * Takes away what kept the servers of a group apart once the group has no engines in the project: the next one makes it anew. If it cannot
 * be done now, the search for leftovers does it when the group is gone.
 */
export async function clearGroup({ parts, engine: { groupId, ownerProjectId }, log }: EngineRun): Promise<void> {
  const { db, compute } = parts;
  if (!compute.listServerGroups || (await hasEngines(db, groupId, ownerProjectId))) return;
  const clear = async () => {
    if (await hasEngines(db, groupId, ownerProjectId)) return;
    for (const group of (await compute.listServerGroups?.(ownerProjectId)) ?? []) {
      if (group.groupId === groupId) await compute.deleteServerGroup?.(group.id);
    }
  };
  await underGroupLease(parts, groupId, clear).catch((err: unknown) =>
    log.warn({ err, group: groupId }, 'the server group of a group without engines is left for now'),
  );
}

/** Runs work under the lease of the group. @throws UnavailableError while another worker holds it for long */
export async function underGroupLease(
  { db, owner, settings }: EngineParts,
  groupId: string,
  work: () => Promise<void>,
): Promise<void> {
  const unit = { table: 'service_engine_group', id: groupId } as const;
  for (let tries = 1; ; tries += 1) {
    const lease = await takeLease(db, unit, { owner, seconds: settings.leaseSeconds });
    if (lease) return work().finally(() => releaseLease(db, lease));
    // Nobody makes engines of a group that is gone.
    if (!(await hasGroup(db, groupId))) return work();
    if (tries === TRIES) throw new UnavailableError(`another worker has the service engine group ${groupId} in hand`);
    await sleep(TRY_AFTER);
  }
}
