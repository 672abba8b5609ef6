import { randomInt } from 'node:crypto';
import type { Db } from '../db/connect';
import type { OctaviaImport } from '../db/octaviaImports';
import { ImportError } from './deps';

/**
 * Octavia leaves alone what shows PENDING_UPDATE: its API answers 409, its health-manager fails nothing over. That is the
 * lock; `updated_at` tells that it is ours, for nobody else writes such a time, and whatever Octavia writes changes it.
 */

/** A time of the last century, in whole seconds: Octavia's columns have no more. */
export function newMark(): string {
  const at = new Date(Date.UTC(1990, 0, 1) + randomInt(300_000_000) * 1000);
  return at.toISOString().slice(0, 19).replace('T', ' ');
}

/** Takes the lock unless it is taken already by this very import. @throws ImportError when Octavia is at work on it */
export async function lockInOctavia(octavia: Db, begun: OctaviaImport): Promise<void> {
  const id = begun.loadBalancerId;
  const locked = await octavia('load_balancer')
    .where({ id })
    .whereIn('provisioning_status', ['ACTIVE', 'ERROR'])
    .update({ provisioning_status: 'PENDING_UPDATE', updated_at: begun.mark });
  if (locked === 0 && !(await holdsLock(octavia, begun))) {
    throw new ImportError('Octavia has begun to work on it meanwhile: try again later');
  }
}

export async function holdsLock(octavia: Db, { loadBalancerId: id, mark }: OctaviaImport): Promise<boolean> {
  const own = { id, provisioning_status: 'PENDING_UPDATE', updated_at: mark };
  return (await octavia('load_balancer').where(own).first('id')) !== undefined;
}

/** Shows again what it showed before. Of no effect when the lock is not ours any more. */
export async function unlockInOctavia(octavia: Db, begun: OctaviaImport): Promise<void> {
  await octavia('load_balancer')
    .where({ id: begun.loadBalancerId, provisioning_status: 'PENDING_UPDATE', updated_at: begun.mark })
    .update({ provisioning_status: begun.octaviaStatus, updated_at: begun.octaviaUpdatedAt });
}
