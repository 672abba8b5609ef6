import { claimLoadBalancer } from '../db/changes';
import { inTransaction } from '../db/connect';
import { recordEvents } from '../db/events';
import { insertRows } from '../db/insertRows';
import { beginImport, findImport, moveImport, type OctaviaImport } from '../db/octaviaImports';
import { recountProject } from '../db/quotas';
import { cutAmphorae, readAmphoraPairs } from './amphoraPorts';
import { readSurroundings, writeSurroundings } from './catalogue';
import { type ImportDeps, ImportError } from './deps';
import { judge, providerOf } from './judge';
import { lockInOctavia, newMark } from './lock';
import { waitActive } from './settled';
import { type OctaviaTree, readOctaviaTree } from './source';
import { optional, text, translateTree } from './translate';

/**
 * Brings a load balancer over, as far as it has not been brought: locks it in Octavia, has an engine serve it in silence,
 * takes the VIPs from the amphorae and has the engine answer for them. Each step can be repeated; what was done by a
 * run that broke off is not done again.
 * @throws ImportError that says why it got no further
 */
export async function takeOver(deps: ImportDeps, id: string): Promise<void> {
  const begun = (await findImport(deps.db, id)) ?? (await begin(deps, id));
  switch (begun.state) {
    case 'locking':
      await lockInOctavia(deps.octavia, begun);
      await copy(deps, await treeOf(deps, id));
      await switchOver(deps, id);
      return;
    case 'copied':
      await switchOver(deps, id);
      return;
    case 'undoing':
      throw new ImportError('it is being given back: finish that with --undo first');
    case 'switched':
    case 'confirming':
    case 'confirmed':
      return;
  }
}

async function begin({ db, octavia, settings }: ImportDeps, id: string): Promise<OctaviaImport> {
  const tree = await readOctaviaTree(octavia, id);
  if (!tree) throw new ImportError('Octavia has no such load balancer');
  const known = (await db('load_balancer').where({ id }).first('id')) !== undefined;
  const { action, reasons } = judge(tree, { settings, begun: undefined, known });
  if (action === 'refused') throw new ImportError(reasons.join('; '));
  const begun = {
    loadBalancerId: id,
    octaviaStatus: text(tree.loadBalancer, 'provisioning_status'),
    octaviaUpdatedAt: updatedAt(tree),
    mark: newMark(),
  };
  await beginImport(db, begun);
  return { ...begun, state: 'locking', pairsBefore: {} };
}

function updatedAt({ loadBalancer }: OctaviaTree): string | null {
  const at = loadBalancer['updated_at'];
  if (at instanceof Date) return at.toISOString().slice(0, 19).replace('T', ' ');
  const written = optional(loadBalancer, 'updated_at');
  return written === null ? null : String(written);
}

async function treeOf({ octavia }: ImportDeps, id: string): Promise<OctaviaTree> {
  const tree = await readOctaviaTree(octavia, id);
  if (!tree) throw new ImportError('Octavia has no such load balancer any more');
  return tree;
}

/** One transaction: it is here as a whole or not at all. */
async function copy(deps: ImportDeps, tree: OctaviaTree): Promise<void> {
  const { db, octavia, settings } = deps;
  const id = text(tree.loadBalancer, 'id');
  const projectId = text(tree.loadBalancer, 'project_id');
  const around = await readSurroundings(octavia, tree);
  await inTransaction(db, async (trx) => {
    await writeSurroundings(trx, around, settings);
    for (const [table, rows] of translateTree(tree, providerOf(tree, settings))) await insertRows(trx, table, rows);
    await recordEvents(
      trx,
      [{ name: 'IMPORT_COPIED', severity: 'info', message: 'copied from Octavia, whose amphorae still serve it' }],
      { projectId, loadBalancerId: id },
    );
    await moveImport(trx, id, { state: 'copied' });
    await recountProject(trx, projectId);
  });
}

async function switchOver(deps: ImportDeps, id: string): Promise<void> {
  const { db, network } = deps;
  await deps.hint(id);
  await waitActive(deps, id);
  if (!network.acceptsAnything) {
    const tree = await treeOf(deps, id);
    const known = (await findImport(db, id))?.pairsBefore ?? {};
    // What a run noted that broke off was read before anything was cut.
    const pairsBefore = { ...(await readAmphoraPairs(network, tree)), ...known };
    await moveImport(db, id, { pairsBefore });
    await cutAmphorae(network, pairsBefore, vipsOf(tree));
  }
  await letAnswer(deps, id);
  await deps.hint(id);
  await waitActive(deps, id);
}

function vipsOf({ vip, additionalVips }: OctaviaTree): string[] {
  return [vip, ...additionalVips].flatMap((row) => (row ? (optional(row, 'ip_address') ?? []) : [])).map(String);
}

async function letAnswer({ db, settings, now }: ImportDeps, id: string): Promise<void> {
  await inTransaction(db, async (trx) => {
    const claim = { loadBalancerId: id, intent: 'update' as const, deadline: settings.pendingDeadline, at: now() };
    const claimed = await claimLoadBalancer(trx, claim);
    if (claimed !== 'claimed') throw new ImportError(`it is ${claimed} in Slipstream: repeat the command`);
    await trx('load_balancer').where({ id }).update({ vip_held: null });
    await moveImport(trx, id, { state: 'switched' });
    await recordEvents(
      trx,
      [{ name: 'IMPORT_SWITCHED', severity: 'info', message: 'the VIPs are taken from the amphorae of Octavia' }],
      { loadBalancerId: id },
    );
  });
}
