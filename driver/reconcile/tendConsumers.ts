import { listConsumers } from '../db/consumers';
import { LeaseLostError, releaseLease, takeLease } from '../db/leases';
import { UnavailableError } from '../domain/errors';
import type { LoadBalancerTree } from '../domain/tree';
import { diff, runStages, stageOf } from './kind';
import { type ConsumerTarget, certificateConsumers } from './kinds/certificateConsumers';
import { guardSteps, type LoadBalancerParts } from './loadBalancerRun';

const STAGES = [stageOf(certificateConsumers)];

export interface ConsumersOf {
  readonly id: string;
  /** As the run that has just settled loaded it; undefined for a load balancer that is gone. */
  readonly tree: LoadBalancerTree | undefined;
}

/**
 * Tells the key manager who uses which certificate, after a run has settled and given its lease back: that the key
 * manager is slow or away never holds up a change. What could not be told is found by the next audit, and so is what a
 * crash has cut short. Costs nothing where there are no certificates.
 */
export async function tendConsumers(parts: LoadBalancerParts, { id, tree }: ConsumersOf): Promise<void> {
  const { keyManager, db, log } = parts;
  if (
    !keyManager ||
    (tree && !tree.hasConsumers && certificateConsumers.desired({ tree, recorded: [] }).length === 0)
  ) {
    return;
  }
  const target: ConsumerTarget = { tree, recorded: await listConsumers(db, id) };
  if (diff(certificateConsumers, certificateConsumers.desired(target), target.recorded).length === 0) return;

  const takenAt = performance.now();
  const unit = { table: 'load_balancer', id } as const;
  const lease = await takeLease(db, unit, { owner: parts.owner, seconds: parts.settings.leaseSeconds });
  if (!lease) return;
  try {
    // Another run has been at it since: it knows better what is in use, and has seen to that.
    if (tree && lease.epoch !== tree.leaseEpoch + 1) return;
    const before = guardSteps({ parts, lease, takenAt });
    const recorded = await listConsumers(db, id);
    await runStages(STAGES, { target: { tree, recorded }, clouds: { keyManager, db, log }, before });
  } catch (error) {
    if (!(error instanceof UnavailableError) && !(error instanceof LeaseLostError)) throw error;
  } finally {
    await releaseLease(db, lease);
  }
}
