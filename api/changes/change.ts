import { provisioningStatusOf } from '../../driver/db/changes';
import { type Db, inTransaction } from '../../driver/db/connect';
import { insertOutbox } from '../../driver/db/outbox';
import { type QuotaDemand, raiseQuota } from '../../driver/db/quotas';
import { ImmutableError } from '../../driver/domain/errors';
import { BusyError } from './busy';
import type { Answer, Caller, CommandDeps } from './deps';
import { type Cast, castOf } from './publisher';

/** What a change has done in its transaction. */
export interface Done {
  /** The object the request is answered with. */
  readonly id: string;
  /** Null: there was nothing to change. */
  readonly cast: Cast | null;
  /** Taken right before commit. */
  readonly quota?: QuotaDemand;
}

/** One change of a load balancer's tree. */
export interface Change {
  readonly loadBalancerId: string;
  /**
   * Checks, claims and writes; nothing but `trx` is touched, since conflicts start it again from its beginning.
   * @throws BusyError where another change is in the way, ServiceError for everything the client did wrong
   */
  work(trx: Db, at: Date): Promise<Done>;
}

/** For commands that answer without a body. */
export const NO_ANSWER: Answer<void> = async () => undefined;

/**
 * Runs the change in one transaction: its work, the outbox row, the answer, the quota. Afterwards the hint goes out.
 * A change that meets a load balancer pending creation or update waits up to `immutable_wait` for its turn; everybody
 * in line is served in order of arrival.
 * @throws ServiceError
 */
export async function runChange<T>(
  deps: CommandDeps,
  caller: Caller,
  { change, answer }: { change: Change; answer: Answer<T> },
): Promise<T> {
  const { immutableWait } = deps.settings;
  const mayWait = immutableWait > 0;
  if (!mayWait || !deps.waiters.isWaitedFor(change.loadBalancerId)) {
    const first = await attempt(deps, change, answer);
    if (!(first instanceof BusyError)) return first.value;
    if (!mayWait || !first.worthWaiting) throw first.answer;
  }
  return waitForTurn(deps, caller, { change, answer });
}

type Attempt<T> = BusyError | { value: T };

async function attempt<T>(deps: CommandDeps, change: Change, answer: Answer<T>): Promise<Attempt<T>> {
  try {
    return { value: await commit(deps, change, answer) };
  } catch (error) {
    if (error instanceof BusyError) return error;
    throw error;
  }
}

async function waitForTurn<T>(
  deps: CommandDeps,
  caller: Caller,
  { change, answer }: { change: Change; answer: Answer<T> },
): Promise<T> {
  const id = change.loadBalancerId;
  const until = Date.now() + deps.settings.immutableWait * 1000;
  const turn = deps.waiters.join(id);
  try {
    while (turn && (await turn.next(() => isSettled(deps.db, id), until, caller.gone))) {
      const tried = await attempt(deps, change, answer);
      if (!(tried instanceof BusyError)) return tried.value;
      if (!tried.worthWaiting) throw tried.answer;
    }
    if (caller.gone?.aborted) throw new ImmutableError('Load Balancer', id);
    const last = await attempt(deps, change, answer);
    if (last instanceof BusyError) throw last.answer;
    return last.value;
  } finally {
    turn?.leave();
  }
}

async function isSettled(db: Db, loadBalancerId: string): Promise<boolean> {
  const status = await provisioningStatusOf(db, loadBalancerId);
  return status !== 'PENDING_CREATE' && status !== 'PENDING_UPDATE';
}

async function commit<T>(deps: CommandDeps, change: Change, answer: Answer<T>): Promise<T> {
  const { value, messages } = await inTransaction(deps.db, async (trx) => {
    const at = deps.clock();
    const { id, cast, quota } = await change.work(trx, at);
    const messages = cast ? [castOf(deps.newId(), change.loadBalancerId, cast)] : [];
    await insertOutbox(trx, messages);
    const value = await answer(trx, id);
    if (quota) await raiseQuota(trx, quota, deps.settings.defaultQuotas);
    return { value, messages };
  });
  deps.publisher.publish(messages);
  return value;
}
