import type { Db } from '../../driver/db/connect';
import { loadTree } from '../../driver/db/tree';
import { buildSpec } from '../../driver/target/spec';
import type { FakeEngine } from '../support/engine';
import { waitUntil } from '../support/wait';

/** What is wrong with the state of a site that has come to rest; empty when nothing is. */
export async function findFaults(db: Db, engines: ReadonlyMap<string, FakeEngine>): Promise<string[]> {
  return [
    ...(await findOrphans(db)),
    ...(await findPending(db)),
    ...(await findQuotaErrors(db)),
    ...(await findDifferences(db, engines)),
  ];
}

/** Tables, and where the parent of a row of each is. */
const PARENTS: readonly (readonly [child: string, column: string, parent: string])[] = [
  ['vip', 'load_balancer_id', 'load_balancer'],
  ['additional_vip', 'load_balancer_id', 'load_balancer'],
  ['listener', 'load_balancer_id', 'load_balancer'],
  ['pool', 'load_balancer_id', 'load_balancer'],
  ['member', 'pool_id', 'pool'],
  ['health_monitor', 'pool_id', 'pool'],
  ['session_persistence', 'pool_id', 'pool'],
  ['l7policy', 'listener_id', 'listener'],
  ['l7rule', 'l7policy_id', 'l7policy'],
  ['placement', 'load_balancer_id', 'load_balancer'],
  ['placement', 'service_engine_id', 'service_engine'],
];

async function findOrphans(db: Db): Promise<string[]> {
  const found: string[] = [];
  for (const [child, column, parent] of PARENTS) {
    const rows: unknown[] = await db(child)
      .leftJoin(parent, `${parent}.id`, `${child}.${column}`)
      .whereNull(`${parent}.id`)
      .select(`${child}.${column}`);
    if (rows.length > 0) found.push(`${rows.length} rows of ${child} have no ${parent}`);
  }
  return found;
}

const WITH_STATUS = ['load_balancer', 'listener', 'pool', 'member', 'health_monitor', 'l7policy', 'l7rule'];

/** Objects that are shown as being changed, and load balancers whose last change is not done. */
export async function findPending(db: Db): Promise<string[]> {
  const found: string[] = [];
  for (const table of WITH_STATUS) {
    const rows: { id: string; provisioning_status: string }[] = await db(table)
      .where('provisioning_status', 'like', 'PENDING%')
      .select('id', 'provisioning_status');
    found.push(...rows.map((row) => `${table} ${row.id} is ${row.provisioning_status}`));
  }
  const unsettled: { id: string }[] = await db('load_balancer')
    .whereNot('provisioning_status', 'DELETED')
    .whereRaw('generation <> settled_generation')
    .select('id');
  found.push(...unsettled.map(({ id }) => `load balancer ${id} is not settled`));
  return found;
}

async function findQuotaErrors(db: Db): Promise<string[]> {
  const rows: { project_id: string; in_use_load_balancer: number }[] = await db('quotas').select('*');
  const found: string[] = [];
  for (const row of rows) {
    const [counted] = (await db('load_balancer')
      .where('project_id', row.project_id)
      .whereNot('provisioning_status', 'DELETED')
      .count({ n: '*' })) as { n: number }[];
    if (Number(counted?.n) !== Number(row.in_use_load_balancer)) {
      found.push(
        `project ${row.project_id} is said to have ${row.in_use_load_balancer} of ${counted?.n} load balancers`,
      );
    }
  }
  return found;
}

/** Where an engine holds something else than the rows say. */
async function findDifferences(db: Db, engines: ReadonlyMap<string, FakeEngine>): Promise<string[]> {
  const found: string[] = [];
  const placements: { service_engine_id: string; load_balancer_id: string }[] = await db('placement').select('*');
  for (const [engineId, engine] of engines) {
    const placed = placements.filter((it) => it.service_engine_id === engineId).map((it) => it.load_balancer_id);
    for (const id of engine.held.keys()) if (!placed.includes(id)) found.push(`engine ${engineId} holds ${id} of old`);
    for (const id of placed) {
      const tree = await loadTree(db, id);
      const wanted = tree && buildSpec(tree, { generation: 0, epoch: 0 }).digest;
      const held = engine.held.get(id);
      if (held === undefined) found.push(`engine ${engineId} does not hold ${id}`);
      else if (held.digest !== wanted) found.push(`engine ${engineId} holds another ${id}`);
    }
  }
  return found;
}

/** Waits until nothing is under way. Gives the milliseconds that took. */
export async function waitForRest(db: Db, within: number): Promise<number> {
  const from = performance.now();
  let left: string[] = [];
  await waitUntil('nothing is pending', within, async () => {
    left = await findPending(db).catch((error: unknown) => [String(error)]);
    return left.length === 0;
  }).catch((error: unknown) => {
    throw new Error(`${left.length} are still pending, e.g. ${left.slice(0, 5).join('; ')}`, { cause: error });
  });
  return performance.now() - from;
}
