import { claimLoadBalancer, provisioningStatusOf } from '../db/changes';
import { inTransaction } from '../db/connect';
import { recordEvents } from '../db/events';
import { findImport, forgetImport, moveImport, type OctaviaImport } from '../db/octaviaImports';
import { reviveAmphorae } from './amphoraPorts';
import { type ImportDeps, ImportError } from './deps';
import { unlockInOctavia } from './lock';
import { waitSettled } from './settled';

/**
 * Gives a load balancer back to Octavia: its engines cease to answer, the amphorae may again, ours goes without touching
 * the VIP's port, and Octavia shows what it showed. Can be repeated until it is through.
 * @throws ImportError that says why it got no further
 */
export async function undoImport(deps: ImportDeps, id: string): Promise<void> {
  const begun = await findImport(deps.db, id);
  if (!begun) throw new ImportError('no import of it is under way');
  if (begun.state === 'confirming' || begun.state === 'confirmed') {
    throw new ImportError('its import is confirmed: Octavia has forgotten it');
  }
  await moveImport(deps.db, id, { state: 'undoing' });
  await remove(deps, id);
  if (!deps.network.acceptsAnything) await reviveAmphorae(deps.network, begun.pairsBefore);
  await finish(deps, begun);
}

/** Of a user who has deleted it meanwhile nothing is left to be given back. */
async function remove(deps: ImportDeps, id: string): Promise<void> {
  const status = await waitSettled(deps, id);
  if (status === undefined) return;
  if (status !== 'DELETED') {
    await claimForRemoval(deps, id);
    await deps.hint(id);
    const left = await waitSettled(deps, id);
    if (left !== 'DELETED' && left !== undefined) {
      throw new ImportError(`it could not be taken off its engines, and is ${left}: repeat the command`);
    }
  }
}

/** Without its ports it is torn down like any other, and they stay as they are. */
async function claimForRemoval({ db, settings, now }: ImportDeps, id: string): Promise<void> {
  await inTransaction(db, async (trx) => {
    const claim = { loadBalancerId: id, intent: 'delete' as const, deadline: settings.pendingDeadline, at: now() };
    const claimed = await claimLoadBalancer(trx, claim);
    if (claimed !== 'claimed') throw new ImportError(`it is ${claimed} in Slipstream: repeat the command`);
    await trx('vip').where({ load_balancer_id: id }).update({ port_id: null });
    await trx('additional_vip').where({ load_balancer_id: id }).update({ port_id: null });
    await recordEvents(trx, [{ name: 'IMPORT_UNDONE', severity: 'warning', message: 'it is given back to Octavia' }], {
      loadBalancerId: id,
    });
  });
}

async function finish({ db, octavia }: ImportDeps, begun: OctaviaImport): Promise<void> {
  const { loadBalancerId: id } = begun;
  await unlockInOctavia(octavia, begun);
  await inTransaction(db, async (trx) => {
    if ((await provisioningStatusOf(trx, id)) === 'DELETED') await trx('load_balancer').where({ id }).delete();
    await forgetImport(trx, id);
  });
}
