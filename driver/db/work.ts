import { PENDING_STATUSES } from '../domain/status';
import { VIP_PORT_TAKEN } from '../domain/vipPortMark';
import { type Db, dbNow, nowPlus } from './connect';

/** What housekeeping looks for: work that nobody was told of, and what has had its time. */

/**
 * Load balancers that are work and that nobody has in hand: their hint was lost, or it is time for the next try. What
 * shows PENDING is work whatever its generations say, and so is what has drained long enough. Those that have waited
 * longest come first.
 */
export async function listLostLoadBalancers(db: Db, limit: number): Promise<string[]> {
  return db('load_balancer')
    .whereNot('provisioning_status', 'DELETED')
    .where((work) => {
      work
        .whereRaw('generation <> settled_generation')
        .orWhereIn('provisioning_status', PENDING_STATUSES)
        .orWhereExists(
          db('placement')
            .where({ 'placement.load_balancer_id': db.ref('load_balancer.id'), 'placement.deleting': 0 })
            .where('placement.drain_until', '<=', dbNow(db)),
        );
    })
    .where((due) => {
      due.whereNull('retry_at').orWhere('retry_at', '<=', dbNow(db)).orWhere('pending_deadline', '<=', dbNow(db));
    })
    .where((free) => {
      free.whereNull('lease_until').orWhere('lease_until', '<=', dbNow(db));
    })
    .orderBy(['retry_at', 'id'])
    .limit(limit)
    .pluck('id');
}

/** Load balancers whose deadline passed more than `grace` seconds ago: no worker has seen to it. */
export async function listOverdueLoadBalancers(db: Db, grace: number, limit: number): Promise<string[]> {
  return db('load_balancer')
    .whereIn('provisioning_status', PENDING_STATUSES)
    .where('pending_deadline', '<=', nowPlus(db, -grace))
    .orderBy(['pending_deadline', 'id'])
    .limit(limit)
    .pluck('id');
}

/** Engines that are work and that nobody has in hand. */
export async function listLostEngines(db: Db, limit: number): Promise<string[]> {
  return db('service_engine')
    .whereRaw('generation <> settled_generation')
    .where((due) => {
      due.whereNull('retry_at').orWhere('retry_at', '<=', dbNow(db));
    })
    .where((free) => {
      free.whereNull('lease_until').orWhere('lease_until', '<=', dbNow(db));
    })
    .orderBy(['retry_at', 'id'])
    .limit(limit)
    .pluck('id');
}

/** The next ids after one, in their order: for rounds over everything. */
export async function listIdsAfter(
  db: Db,
  table: 'load_balancer' | 'service_engine',
  { after, limit }: { after: string; limit: number },
): Promise<string[]> {
  const query = db(table).where('id', '>', after).orderBy('id').limit(limit);
  if (table === 'load_balancer') {
    // Of those that are gone, the key manager may still have to hear.
    const told = db('certificate_consumer').where('load_balancer_id', db.ref('load_balancer.id'));
    query.where((some) => some.whereNot('provisioning_status', 'DELETED').orWhereExists(told));
  }
  return query.pluck('id');
}

/** Load balancers whose VIPs have security groups of users. */
export async function listGuardedLoadBalancers(db: Db): Promise<string[]> {
  return db('vip_security_group as g')
    .join('load_balancer as lb', 'lb.id', 'g.load_balancer_id')
    .whereNot('lb.provisioning_status', 'DELETED')
    .distinct()
    .pluck('g.load_balancer_id');
}

export async function countRows(db: Db, table: 'load_balancer' | 'service_engine'): Promise<number> {
  const row: { n?: number | string } | undefined = await db(table).count({ n: '*' }).first();
  return Number(row?.n ?? 0);
}

/** Deletes the rows of load balancers that have been DELETED for `age` seconds. Gives how many. */
export async function purgeLoadBalancers(db: Db, age: number, limit: number): Promise<number> {
  const ids: string[] = await db('load_balancer')
    .where('provisioning_status', 'DELETED')
    .where('deleted_at', '<=', nowPlus(db, -age))
    .limit(limit)
    .pluck('id');
  if (ids.length === 0) return 0;
  // Their VIPs go with them, by the foreign key.
  return db('load_balancer').whereIn('id', ids).delete();
}

/** Deletes events older than `age` seconds. Gives how many. */
export async function purgeEvents(db: Db, age: number, limit: number): Promise<number> {
  const ids: string[] = await db('event').where('at', '<=', nowPlus(db, -age)).limit(limit).pluck('id');
  return ids.length === 0 ? 0 : db('event').whereIn('id', ids).delete();
}

/** Of these load balancers, those that this database knows: by their row, deleted or not, or by a port taken for them. */
export async function listKnownLoadBalancers(db: Db, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const rows: string[] = await db('load_balancer').whereIn('id', ids).pluck('id');
  const taken: string[] = await db('event')
    .whereIn('load_balancer_id', ids)
    .where({ name: VIP_PORT_TAKEN })
    .pluck('load_balancer_id');
  return new Set([...rows, ...taken]);
}

/** Of these load balancers those that exist, with the ports that are theirs. */
export async function listVipPortsOf(db: Db, ids: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
  const rows: { id: string; port_id: string | null; more: string | null }[] = await db('load_balancer as lb')
    .leftJoin('vip as v', 'v.load_balancer_id', 'lb.id')
    .leftJoin('additional_vip as a', 'a.load_balancer_id', 'lb.id')
    .whereIn('lb.id', ids)
    .whereNot('lb.provisioning_status', 'DELETED')
    .select('lb.id', 'v.port_id', 'a.port_id as more');
  const ports = new Map<string, string[]>();
  for (const { id, port_id, more } of rows) {
    ports.set(id, [...(ports.get(id) ?? []), ...[port_id, more].filter((it) => it !== null)]);
  }
  return ports;
}
