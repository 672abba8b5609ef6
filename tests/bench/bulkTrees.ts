import { randomUUID } from 'node:crypto';
import type { Db } from '../../driver/db/connect';
import { insertRows } from '../../driver/db/insertRows';
import type { Tables } from '../../driver/db/rows';
import { insertListener, insertLoadBalancer, insertMember, insertMonitor, insertPool } from '../support/rows';

/** Load balancers by the thousands, straight into the tables: listener, pool, two members and a monitor below each. */

/** Every tenth load balancer bears it. */
export const RARE_TAG = 'rare';
const PROJECTS = 100;
const BATCH = 250;

type Rows = {
  readonly [T in 'load_balancer' | 'vip' | 'pool' | 'listener' | 'member' | 'health_monitor' | 'tags']: Tables[T][];
};

/** One second lies between the creation of one and that of the next. */
export async function insertTrees(db: Db, count: number): Promise<void> {
  const model = await insertModel(db);
  const first = Date.now() - count * 1000;
  for (let from = 0; from < count; from += BATCH) {
    const rows: Rows = { load_balancer: [], vip: [], pool: [], listener: [], member: [], health_monitor: [], tags: [] };
    for (let index = from; index < Math.min(count, from + BATCH); index += 1) {
      addTree(rows, model, { index, at: toDbTime(first + index * 1000) });
    }
    await db.transaction(async (trx) => {
      for (const [table, some] of Object.entries(rows)) await insertRows(trx, table, some);
    });
  }
  await removeModel(db, model);
}

interface Model {
  readonly lb: Tables['load_balancer'];
  readonly vip: Tables['vip'];
  readonly pool: Tables['pool'];
  readonly listener: Tables['listener'];
  readonly member: Tables['member'];
  readonly monitor: Tables['health_monitor'];
}

/** One tree, as the tests make them: the rest are copies of it. */
async function insertModel(db: Db): Promise<Model> {
  const status = { operating_status: 'ONLINE' } as const;
  const { id } = await insertLoadBalancer(db, status);
  const pool = await insertPool(db, { ...status, load_balancer_id: id, name: 'pool' });
  await insertListener(db, { ...status, load_balancer_id: id, default_pool_id: pool.id, name: 'http' });
  await insertMember(db, { ...status, pool_id: pool.id, name: 'member' });
  await insertMonitor(db, { ...status, pool_id: pool.id });
  const only = <T extends keyof Tables>(table: T): Promise<Tables[T]> => db(table as string).first();
  return {
    lb: await only('load_balancer'),
    vip: await only('vip'),
    pool: await only('pool'),
    listener: await only('listener'),
    member: await only('member'),
    monitor: await only('health_monitor'),
  };
}

async function removeModel(db: Db, { lb, pool, listener, member, monitor }: Model): Promise<void> {
  await db('member').where({ id: member.id }).delete();
  await db('health_monitor').where({ id: monitor.id }).delete();
  await db('listener').where({ id: listener.id }).delete();
  await db('pool').where({ id: pool.id }).delete();
  await db('load_balancer').where({ id: lb.id }).delete();
}

function addTree(rows: Rows, model: Model, { index, at }: { index: number; at: string }): void {
  const load_balancer_id = randomUUID();
  const pool_id = randomUUID();
  const project = index % PROJECTS;
  const project_id = `5f3c7a52-2a4f-4c6e-9b8d-0000000000${project < 10 ? '0' : ''}${project}`;
  const node = { project_id, created_at: at };
  const address = `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`;
  // Names in another order than ages.
  const name = `lb-${String((index * 7919) % 10_007).padStart(5, '0')}`;
  rows.load_balancer.push({ ...model.lb, ...node, id: load_balancer_id, name });
  rows.vip.push({ ...model.vip, load_balancer_id, ip_address: address, port_id: randomUUID() });
  rows.pool.push({ ...model.pool, ...node, id: pool_id, load_balancer_id });
  rows.listener.push({ ...model.listener, ...node, id: randomUUID(), load_balancer_id, default_pool_id: pool_id });
  for (const port of [8080, 8081]) {
    rows.member.push({ ...model.member, ...node, id: randomUUID(), pool_id, ip_address: address, protocol_port: port });
  }
  rows.health_monitor.push({ ...model.monitor, ...node, id: randomUUID(), pool_id });
  rows.tags.push({ resource_id: load_balancer_id, tag: 'common' });
  if (index % 10 === 0) rows.tags.push({ resource_id: load_balancer_id, tag: RARE_TAG });
}

function toDbTime(at: number): string {
  return new Date(at).toISOString().slice(0, 23).replace('T', ' ');
}
