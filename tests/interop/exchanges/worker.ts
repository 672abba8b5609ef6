import type { Db } from '../../../driver/db/connect';
import type { Exchange, Json } from './recording';

/**
 * What happened between the recorded exchanges without HTTP: the recording's tests wrote a worker's result into the
 * database. Here the next exchange tells whether they did.
 */
export async function moveStatuses(db: Db, { next, path, expected }: Move): Promise<void> {
  if (next.request.method !== 'GET') {
    if (!isRefusedAsPending(next)) await settle(db);
    await imposeRefusal(db, { next, path, expected });
    return;
  }
  const [row] = next.response.status === 404 ? await rowsOf(db, [objectOf(path)]) : [];
  if (row?.provisioning_status === 'PENDING_DELETE') await settle(db);
  else if (row) await db(row.table).where({ id: row.id }).update({ provisioning_status: 'DELETED' });
  const shown = objectsIn(expected);
  const active = shown.filter(({ provisioning_status }) => provisioning_status === 'ACTIVE').map(({ id }) => id);
  const rows = await rowsOf(db, active);
  if (rows.some(({ provisioning_status }) => provisioning_status.startsWith('PENDING_'))) await settle(db);
  for (const object of shown) await imposeStatus(db, object);
}

/** The object a path leads to, or whose statistics it asks for. */
function objectOf(path: string): string {
  return (
    path
      .replace(/\/stats$/, '')
      .split('/')
      .pop() ?? ''
  );
}

/** A pool that a test put in ERROR, an object it marked DELETED: known from how the request is refused. */
async function imposeRefusal(db: Db, { next, path, expected }: Move): Promise<void> {
  const [, pool] = /^Pool (\S+) is immutable/.exec(expected?.faultstring ?? '') ?? [];
  if (pool) await db('pool').where({ id: pool }).update({ provisioning_status: 'ERROR' });
  const id = objectOf(path);
  const [row] = next.response.status === 404 && next.request.method !== 'POST' ? await rowsOf(db, [id]) : [];
  if (!row || !expected?.faultstring?.includes(id)) return;
  await db(row.table).where({ id }).update({ provisioning_status: 'DELETED' });
}

/** The exchange that comes next, its path and answer with placeholders filled as far as they are known. */
export interface Move {
  readonly next: Exchange;
  readonly path: string;
  readonly expected: Json;
}

function isRefusedAsPending({ response }: Exchange): boolean {
  return response.status === 409 && /immutable|Invalid state PENDING/.test(response.body?.faultstring ?? '');
}

interface Shown {
  readonly id: string;
  readonly provisioning_status: string;
  readonly operating_status: string;
}

/** Everything in an answer that shows statuses. */
function objectsIn(body: Json): Shown[] {
  if (Array.isArray(body)) return body.flatMap(objectsIn);
  if (body === null || typeof body !== 'object') return [];
  const own = typeof body.id === 'string' && body.provisioning_status ? [body as Shown] : [];
  return [...own, ...Object.values(body).flatMap(objectsIn)];
}

interface Found {
  readonly table: string;
  readonly id: string;
  readonly provisioning_status: string;
}

async function rowsOf(db: Db, ids: readonly string[]): Promise<Found[]> {
  const found = await Promise.all(
    [...CHILDREN, 'load_balancer'].map(async (table) => {
      const rows: Omit<Found, 'table'>[] = await db(table).whereIn('id', ids).select('id', 'provisioning_status');
      return rows.map((row) => ({ ...row, table }));
    }),
  );
  return found.flat();
}

const CHILDREN = ['l7rule', 'l7policy', 'health_monitor', 'member', 'listener', 'pool'];

/** Everything below a pending load balancer ACTIVE and ONLINE, what is being deleted gone: as the recording's tests did. */
async function settle(db: Db): Promise<void> {
  const now = '2026-01-01 00:00:00.000';
  const deleted = (table: string) => db(table).where({ deleting: 1 }).select('id');
  await db('listener').whereIn('default_pool_id', deleted('pool')).update({ default_pool_id: null });
  await db('member').whereIn('pool_id', deleted('pool')).delete();
  await db('health_monitor').whereIn('pool_id', deleted('pool')).delete();
  await db('l7rule').whereIn('l7policy_id', deleted('l7policy')).delete();
  for (const table of CHILDREN) await db(table).where({ deleting: 1 }).delete();
  const pending = db('load_balancer').whereLike('provisioning_status', 'PENDING_%');
  await pending.clone().where({ deleting: 1 }).update({ provisioning_status: 'DELETED' });
  const ids: string[] = await pending.clone().pluck('id');
  const active = { provisioning_status: 'ACTIVE', operating_status: 'ONLINE', updated_at: now };
  await db('load_balancer').whereIn('id', ids).update(active);
  for (const table of CHILDREN) await db(table).whereLike('provisioning_status', 'PENDING_%').update(active);
  // Tests of Octavia put the whole tree ONLINE.
  for (const table of ['listener', 'pool']) await db(table).whereIn('load_balancer_id', ids).update(active);
}

/** Statuses that only a test could have written: ERROR, or PENDING on a load balancer nobody changed. */
async function imposeStatus(db: Db, { id, provisioning_status, operating_status }: Shown): Promise<void> {
  const [row] = await rowsOf(db, [id]);
  if (!row || row.provisioning_status === provisioning_status) return;
  const onlyTestsCould = provisioning_status === 'ERROR' || row.table === 'load_balancer';
  if (!onlyTestsCould || provisioning_status === 'ACTIVE') return;
  const columns = { provisioning_status, operating_status, updated_at: '2026-01-01 00:00:00.000' };
  await db(row.table).where({ id }).update(columns);
}

/** Children before parents. */
const TREE_TABLES = [...CHILDREN, 'load_balancer', 'outbox', 'tags', 'quotas', 'flavor', 'flavor_profile'];

/** Leaves nothing of the scenario before. */
export async function emptyTables(db: Db): Promise<void> {
  await db('listener').update({ default_pool_id: null });
  await db('l7policy').update({ redirect_pool_id: null });
  for (const table of TREE_TABLES) await db(table).delete();
  for (const table of ['availability_zone', 'availability_zone_profile']) await db(table).delete();
}
