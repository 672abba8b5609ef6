import { setTimeout as sleep } from 'node:timers/promises';
import { releaseLease, takeLease } from '../db/leases';
import { UnavailableError } from '../domain/errors';
import type { EngineClouds } from './engineRun';

/** Milliseconds between two tries for a group's lease, and how often: making what a group has takes seconds. */
const TRY_AFTER = 100;
const TRIES = 100;

/**
 * Objects of a service engine group in a cloud (a server group) are made under a lease of the group: workers that make
 * engines of it at the same time must not make two.
 * @throws UnavailableError while another worker holds the lease for long, and what the compute service says
 */
export async function prepareGroup({ db, compute, owner, settings }: EngineClouds, groupId: string): Promise<void> {
  if (!compute.prepareGroup) return;
  const unit = { table: 'service_engine_group', id: groupId } as const;
  const terms = { owner, seconds: settings.leaseSeconds };
  for (let tries = 1; ; tries += 1) {
    const lease = await takeLease(db, unit, terms);
    if (lease) {
      try {
        return await compute.prepareGroup(groupId);
      } finally {
        await releaseLease(db, lease);
      }
    }
    if (tries === TRIES) throw new UnavailableError(`another worker has the service engine group ${groupId} in hand`);
    await sleep(TRY_AFTER);
  }
}
