import { DbUnavailableError, nowPlus } from '../db/connect';
import { dropLease, grabLease, type Lease, LeaseLostError, releaseLease } from '../db/leases';
import { MovedOnError, settle } from '../db/settle';
import { loadTree } from '../db/tree';
import { PassedThroughError, ServiceError } from '../domain/errors';
import { isIdle, type Settlement, settleFailed } from '../domain/settlement';
import { isPending } from '../domain/status';
import { isWork } from '../domain/tree';
import { logHappenings } from '../telemetry/happenings';
import { bringUp } from './bringUp';
import { CloudPausedError } from './cloudPaused';
import { announceSettled, guardSteps, type LoadBalancerParts, type Run, type Verdict } from './loadBalancerRun';
import { failed, type Outcome, SETTLED, waiting } from './outcome';
import { tearDown } from './tearDown';
import { tendConsumers } from './tendConsumers';

/** Seconds until a unit that another worker has in hand is looked at again. */
const BUSY = 0.25;

/**
 * One run of a load balancer's unit: load, compare with what there is, do what is lacking, settle. The same for create,
 * update, retry, repair and what a crash left; delete is "nothing is wanted". Never throws for what a cloud, an engine or
 * another worker does.
 * @throws DbUnavailableError when the database is away
 */
export async function reconcileLoadBalancer(parts: LoadBalancerParts, id: string): Promise<Outcome> {
  const takenAt = performance.now();
  const unit = { table: 'load_balancer', id } as const;
  await parts.trace?.('lease: take');
  const holder = { owner: parts.owner, seconds: parts.settings.leaseSeconds };
  const taken = await grabLease(parts.db, unit, holder);
  const tree = await loadTree(parts.db, id);
  if (!tree) {
    if (taken) await dropLease(parts.db, unit, parts.owner);
    await tendConsumers(parts, { id, tree });
    return SETTLED;
  }
  if (!taken || tree.leaseOwner !== parts.owner) return waiting('another worker has it in hand', BUSY);

  const lease: Lease = { ...unit, owner: parts.owner, epoch: tree.leaseEpoch };
  if (parts.externalProviders?.has(tree.provider)) {
    await releaseLease(parts.db, lease);
    return SETTLED;
  }
  const log = parts.log.child({ lb: id, generation: tree.generation });
  const run: Run = { parts, tree, lease, log, before: guardSteps({ parts, lease, takenAt }) };
  try {
    const outcome = await conclude(run, await attempt(run));
    if (outcome.kind === 'settled') await tendConsumers(parts, { id, tree });
    return outcome;
  } catch (error) {
    if (error instanceof LeaseLostError) return waiting('the lease passed to another worker', BUSY);
    if (!(error instanceof MovedOnError)) throw error;
    await releaseLease(parts.db, lease);
    return waiting('it was changed meanwhile', 0);
  }
}

async function attempt(run: Run): Promise<Verdict> {
  try {
    return await (run.tree.deleting ? tearDown(run) : bringUp(run));
  } catch (error) {
    return verdictOn(run, error);
  }
}

/** What a cloud refuses ends the change; what is only away, or nobody thought of, is tried again until the deadline. */
function verdictOn({ log }: Run, error: unknown): Verdict {
  if (error instanceof LeaseLostError || error instanceof MovedOnError) throw error;
  if (error instanceof DbUnavailableError) throw error;
  if (error instanceof CloudPausedError) return { kind: 'waiting', reason: error.message, paused: true };
  if (error instanceof PassedThroughError && error.status < 500) return { kind: 'failed', reason: error.message };
  if (!(error instanceof ServiceError)) log.error({ err: error }, 'a run of a load balancer broke');
  return { kind: 'waiting', reason: error instanceof Error ? error.message : String(error) };
}

async function conclude(run: Run, verdict: Verdict): Promise<Outcome> {
  switch (verdict.kind) {
    case 'settle':
      await finish(run, verdict.settlement);
      return verdict.lookAgain === undefined ? SETTLED : { kind: 'settled', lookAgain: verdict.lookAgain };
    case 'failed':
      return fail(run, { event: 'CHANGE_FAILED', reason: verdict.reason });
    case 'waiting': {
      const expired = run.tree.overdue && isPending(run.tree.provisioningStatus) && !verdict.paused;
      if (expired) return fail(run, { event: 'DEADLINE_EXPIRED', reason: `not done in time: ${verdict.reason}` });
      return wait(run, verdict);
    }
  }
}

async function finish(run: Run, settlement: Settlement): Promise<void> {
  const { parts, tree, lease } = run;
  if (isIdle(settlement) && !isWork(tree) && tree.attempts === 0) {
    if (!(await releaseLease(parts.db, lease))) throw new LeaseLostError(lease);
    return;
  }
  await run.before('settle');
  await settle(parts.db, { lease, tree, settlement, notify: parts.notifies === true });
  logHappenings(run.log, settlement.happenings);
  await announceSettled(run);
}

/** Shows the failure and goes on trying: its cause may go away. */
async function fail(run: Run, cause: { event: string; reason: string }): Promise<Outcome> {
  const { parts, tree, lease } = run;
  const retryAfter = parts.settings.backOff(tree.attempts);
  const settlement = settleFailed(tree, cause);
  await run.before('settle failure');
  await settle(parts.db, { lease, tree, settlement, retryAfter });
  if (isPending(tree.provisioningStatus)) {
    run.log.warn({ event: cause.event, reason: cause.reason }, 'a change of a load balancer failed');
    await announceSettled(run);
  }
  return failed(cause.reason, retryAfter);
}

async function wait(
  { parts, tree, lease, log }: Run,
  { reason, paused = false }: { reason: string; paused?: boolean },
): Promise<Outcome> {
  const { backOff, pendingDeadline } = parts.settings;
  const retryAfter = backOff(tree.attempts);
  const kept = await releaseLease(parts.db, lease, {
    attempts: tree.attempts + 1,
    retry_at: nowPlus(parts.db, retryAfter),
    ...(paused && isPending(tree.provisioningStatus) && { pending_deadline: nowPlus(parts.db, pendingDeadline) }),
  });
  if (!kept) throw new LeaseLostError(lease);
  log.debug({ reason, retryAfter }, 'a load balancer waits');
  return waiting(reason, retryAfter);
}
