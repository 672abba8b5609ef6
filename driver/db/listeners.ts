import { toDbTime } from './codecs';
import type { Db } from './connect';
import { insertRows } from './insertRows';
import { type NewRow, newTreeColumns, type RowChange } from './newRows';
import type { ListenerCidrRow, ListenerRow, SniRow } from './rows';

export interface NewListener {
  readonly row: NewRow<ListenerRow>;
  readonly cidrs: readonly string[];
  readonly sniRefs: readonly string[];
}

/** A listener with its lists, as an update sees it. */
export interface StoredListener {
  readonly row: ListenerRow;
  readonly cidrs: readonly string[];
  readonly sniRefs: readonly string[];
}

export async function insertListeners(db: Db, listeners: readonly NewListener[], at: Date): Promise<void> {
  const columns = newTreeColumns(at);
  const rows = listeners.map(({ row }) => ({ ...row, ...columns }));
  await insertRows(db, 'listener', rows);
  const cidrs = listeners.flatMap(({ row, cidrs }) => cidrRows(row.id, cidrs));
  await insertRows(db, 'listener_cidr', cidrs);
  const snis = listeners.flatMap(({ row, sniRefs }) => sniRows(row.id, sniRefs));
  await insertRows(db, 'sni', snis);
}

export async function findListener(db: Db, id: string): Promise<ListenerRow | undefined> {
  return db<ListenerRow>('listener').where({ id }).first();
}

export async function findStoredListener(db: Db, id: string): Promise<StoredListener | undefined> {
  const row = await findListener(db, id);
  if (!row) return undefined;
  const cidrs: string[] = await db('listener_cidr').where({ listener_id: id }).orderBy('position').pluck('cidr');
  const sniRefs: string[] = await db('sni').where({ listener_id: id }).orderBy('position').pluck('tls_container_id');
  return { row, cidrs, sniRefs };
}

/** Every listener of the load balancer that has the port, whatever its protocol. */
export async function listListenersOnPort(db: Db, loadBalancerId: string, port: number): Promise<ListenerRow[]> {
  return db<ListenerRow>('listener').where({ load_balancer_id: loadBalancerId, protocol_port: port });
}

/** What an update writes; lists are replaced if given. */
export interface ListenerChange {
  readonly columns: RowChange<ListenerRow>;
  readonly cidrs?: readonly string[];
  readonly sniRefs?: readonly string[];
}

/** Shows PENDING_UPDATE. */
export async function updateListener(db: Db, id: string, change: ListenerChange, at: Date): Promise<void> {
  const columns = { ...change.columns, provisioning_status: 'PENDING_UPDATE', updated_at: toDbTime(at) };
  await db('listener').where({ id }).update(columns);
  if (change.cidrs) {
    await db('listener_cidr').where({ listener_id: id }).delete();
    await insertRows(db, 'listener_cidr', cidrRows(id, change.cidrs));
  }
  if (change.sniRefs) {
    await db('sni').where({ listener_id: id }).delete();
    await insertRows(db, 'sni', sniRows(id, change.sniRefs));
  }
}

/** Gives the listener its default pool, in the change that creates the pool. */
export async function attachDefaultPool(db: Db, listenerId: string, poolId: string, at: Date): Promise<void> {
  const columns = { default_pool_id: poolId, provisioning_status: 'PENDING_UPDATE', updated_at: toDbTime(at) };
  await db('listener').where({ id: listenerId }).update(columns);
}

/** Whether any listener of the load balancer is bound to allowed CIDRs. */
export async function hasAllowedCidrs(db: Db, loadBalancerId: string): Promise<boolean> {
  const row = await db('listener_cidr')
    .join('listener', 'listener.id', 'listener_cidr.listener_id')
    .where({ 'listener.load_balancer_id': loadBalancerId, 'listener.deleting': 0 })
    .first('listener_cidr.cidr');
  return row !== undefined;
}

function cidrRows(listenerId: string, cidrs: readonly string[]): ListenerCidrRow[] {
  return cidrs.map((cidr, position) => ({ listener_id: listenerId, cidr, position }));
}

function sniRows(listenerId: string, refs: readonly string[]): SniRow[] {
  return refs.map((ref, position) => ({ listener_id: listenerId, tls_container_id: ref, position }));
}
