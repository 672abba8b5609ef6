import { setTimeout as sleep } from 'node:timers/promises';
import { provisioningStatusOf } from '../db/changes';
import type { ProvisioningStatus } from '../domain/status';
import { type ImportDeps, ImportError } from './deps';

/**
 * Waits until ours is at rest.
 * @returns its status; undefined when it is gone
 * @throws ImportError when that takes too long
 */
export async function waitSettled(deps: ImportDeps, id: string): Promise<ProvisioningStatus | undefined> {
  const { db, settings } = deps;
  const end = performance.now() + settings.patience * 1000;
  for (;;) {
    const status = await provisioningStatusOf(db, id);
    if (status === undefined || !status.startsWith('PENDING')) return status;
    if (performance.now() > end) {
      throw new ImportError(
        `it is still ${status} after ${settings.patience} s: is a worker running? Repeat the command`,
      );
    }
    await sleep(settings.poll);
  }
}

/** @throws ImportError unless it comes to be ACTIVE; with what the last event says of it */
export async function waitActive(deps: ImportDeps, id: string): Promise<void> {
  const status = await waitSettled(deps, id);
  if (status === 'ACTIVE') return;
  const last: { message: string } | undefined = await deps
    .db('event')
    .where({ load_balancer_id: id })
    .whereIn('severity', ['error', 'warning'])
    .orderBy('at', 'desc')
    .first('message');
  const why = last ? `: ${last.message}` : '';
  throw new ImportError(
    `it is ${status ?? 'gone'} in Slipstream${why}. Its amphorae serve on; repeat the command, or --undo`,
  );
}
