import { findImport, moveImport, type OctaviaImport } from '../db/octaviaImports';
import { type ImportDeps, ImportError } from './deps';
import { holdsLock } from './lock';
import { type OctaviaTree, readOctaviaTree } from './source';
import { optional } from './translate';

/** What is left of a load balancer's amphorae in the cloud, for an operator to delete. */
export interface Leftovers {
  readonly servers: readonly string[];
  readonly ports: readonly string[];
  /** What let traffic in to the amphorae's ports. The VIP's port has it as long as it is there. */
  readonly securityGroups: readonly string[];
}

/**
 * Ends an import for good: Octavia forgets the load balancer and its amphorae, and nothing is changed in the cloud. The VIP's
 * port stays, for it is ours now.
 * @throws ImportError that says why it got no further
 */
export async function confirmImport({ db, octavia, network }: ImportDeps, id: string): Promise<Leftovers> {
  const begun = await findImport(db, id);
  if (!begun) throw new ImportError('no import of it is under way');
  const tree = await readOctaviaTree(octavia, id);
  if (begun.state === 'confirmed' || !tree) return leftoversOf(network, id, tree);
  if (begun.state !== 'switched' && begun.state !== 'confirming') {
    throw new ImportError(`its import is only ${begun.state}: --take it first`);
  }
  await requireLock(octavia, begun);
  await moveImport(db, id, { state: 'confirming' });
  await forgetInOctavia(octavia, tree);
  await moveImport(db, id, { state: 'confirmed' });
  return leftoversOf(network, id, tree);
}

async function requireLock(octavia: ImportDeps['octavia'], begun: OctaviaImport): Promise<void> {
  if (await holdsLock(octavia, begun)) return;
  const { loadBalancerId: id } = begun;
  const row: { provisioning_status: string } | undefined = await octavia('load_balancer')
    .where({ id })
    .first('provisioning_status');
  if (begun.state === 'confirming' && (!row || row.provisioning_status === 'DELETED')) return;
  throw new ImportError('Octavia has changed it since it was locked: look at both before anything is forgotten');
}

/** As Octavia's own delete leaves its rows: the children gone, the load balancer and the amphorae DELETED until they expire. */
async function forgetInOctavia(octavia: ImportDeps['octavia'], tree: OctaviaTree): Promise<void> {
  const { id } = tree.loadBalancer as { id: string };
  const ids = (rows: readonly { readonly [column: string]: unknown }[]): string[] =>
    rows.map((row) => String(row['id']));
  const [listeners, pools] = [ids(tree.listeners), ids(tree.pools)];
  await octavia.transaction(async (trx) => {
    await trx('l7rule').whereIn('l7policy_id', ids(tree.l7Policies)).delete();
    await trx('l7policy').whereIn('listener_id', listeners).delete();
    await trx('listener').whereIn('id', listeners).update({ default_pool_id: null });
    for (const table of ['member', 'health_monitor', 'session_persistence']) {
      await trx(table).whereIn('pool_id', pools).delete();
    }
    await trx('pool').whereIn('id', pools).delete();
    await trx('sni').whereIn('listener_id', listeners).delete();
    if (tree.listenerCidrs.length > 0) await trx('listener_cidr').whereIn('listener_id', listeners).delete();
    await trx('listener_statistics').whereIn('listener_id', listeners).delete();
    await trx('listener').whereIn('id', listeners).delete();
    await trx('amphora_health').whereIn('amphora_id', ids(tree.amphorae)).delete();
    await trx('amphora').whereIn('id', ids(tree.amphorae)).update({ status: 'DELETED' });
    await trx('load_balancer').where({ id }).update({ provisioning_status: 'DELETED', updated_at: trx.fn.now() });
    await trx('quotas')
      .where({ project_id: tree.loadBalancer['project_id'] as string })
      .update(UNCOUNTED);
  });
}

/** Octavia counts what is in use anew where it finds nothing. */
const UNCOUNTED = Object.fromEntries(
  ['load_balancer', 'listener', 'pool', 'member', 'health_monitor', 'l7policy', 'l7rule'].map((kind) => [
    `in_use_${kind}`,
    null,
  ]),
);

/** Octavia gives each load balancer a security group of that name. */
async function leftoversOf(
  network: ImportDeps['network'],
  id: string,
  tree: OctaviaTree | undefined,
): Promise<Leftovers> {
  const column = (name: string): string[] =>
    (tree?.amphorae ?? []).flatMap((row) => optional(row, name) ?? []).map(String);
  const groups = await network.listSecurityGroups({ name: `lb-${id}` });
  return {
    servers: column('compute_id'),
    ports: column('vrrp_port_id'),
    securityGroups: groups.map((group) => group.id),
  };
}
