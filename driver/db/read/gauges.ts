import { PENDING_STATUSES } from '../../domain/status';
import { type Db, nowSql, prepared } from '../connect';
import { dialectOf } from '../dialects/client';
import type { BigCount } from '../rows';

/** The state of the whole service as the rows have it, for those who watch it. Ages in seconds, by the database's clock. */
export interface ServiceGauges {
  /** Load balancers that are not DELETED, by provisioning status. */
  readonly loadBalancers: Readonly<Record<string, number>>;
  /** How long the one pending longest has been so, by status; 0 without any. */
  readonly oldestPending: Readonly<Record<string, number>>;
  /** Load balancers and engines that are still work. */
  readonly unsettled: Readonly<Record<'load_balancer' | 'service_engine', number>>;
  /** Messages that no process has sent yet, and the age of the oldest. */
  readonly outbox: { readonly messages: number; readonly oldest: number };
  /** By table: leases held now, and those whose holder let them run out. */
  readonly leases: readonly { readonly table: string; readonly state: 'held' | 'expired'; readonly count: number }[];
  /** By status. */
  readonly engines: Readonly<Record<string, number>>;
  readonly enginesConnected: number;
}

/** Seven statements, each by an index or over a small table. */
export async function readGauges(db: Db): Promise<ServiceGauges> {
  const age = (column: string) => `coalesce(max(${ageSql(db, column)}), 0)`;
  const loadBalancers = await countBy(
    db,
    "select provisioning_status as k, count(*) as n from load_balancer where provisioning_status <> 'DELETED' group by provisioning_status",
  );
  const pending = PENDING_STATUSES.map((status) => `'${status}'`).join(', ');
  const oldest = await countBy(
    db,
    `select provisioning_status as k, ${age('coalesce(updated_at, created_at)')} as n from load_balancer
      where provisioning_status in (${pending}) group by provisioning_status`,
  );
  const engines = await countBy(db, 'select status as k, count(*) as n from service_engine group by status');
  const single = await prepared<Record<string, BigCount>>(
    db,
    `select (select count(*) from load_balancer where generation <> settled_generation and provisioning_status <> 'DELETED') as lbs,
      (select count(*) from service_engine where generation <> settled_generation) as ses,
      (select count(*) from service_engine where connected_to is not null) as connected,
      (select count(*) from outbox) as messages, (select ${age('created_at')} from outbox) as oldest`,
  );
  const [row = {}] = single;
  const number = (key: string): number => toCount(row[key]);
  return {
    loadBalancers,
    oldestPending: { ...Object.fromEntries(PENDING_STATUSES.map((status) => [status, 0])), ...oldest },
    unsettled: { load_balancer: number('lbs'), service_engine: number('ses') },
    outbox: { messages: number('messages'), oldest: number('oldest') },
    leases: await readLeases(db),
    engines,
    enginesConnected: number('connected'),
  };
}

const LEASED = ['load_balancer', 'service_engine', 'service_engine_group', 'job_lease'] as const;

async function readLeases(db: Db): Promise<ServiceGauges['leases']> {
  const parts = LEASED.map(
    (table) => `select '${table}' as t, coalesce(sum(lease_until > ${nowSql(db)}), 0) as held,
      coalesce(sum(lease_until <= ${nowSql(db)}), 0) as expired from ${table} where lease_owner is not null`,
  );
  const rows = await prepared<{ t: string; held: BigCount; expired: BigCount }>(db, parts.join(' union all '));
  return rows.flatMap(({ t: table, held, expired }) => [
    { table, state: 'held' as const, count: toCount(held) },
    { table, state: 'expired' as const, count: toCount(expired) },
  ]);
}

function ageSql(db: Db, column: string): string {
  return dialectOf(db).dialect === 'sqlite3'
    ? `(julianday(${nowSql(db)}) - julianday(${column})) * 86400.0`
    : `timestampdiff(microsecond, ${column}, ${nowSql(db)}) / 1000000`;
}

async function countBy(db: Db, sql: string): Promise<Record<string, number>> {
  const rows = await prepared<{ k: string; n: BigCount }>(db, sql);
  return Object.fromEntries(rows.map(({ k, n }) => [k, toCount(n)]));
}

/** Ages are fractions, and no clock of another host makes them negative. */
function toCount(value: BigCount | undefined): number {
  const number = Number(value ?? 0);
  return Math.max(0, Math.round(number * 1000) / 1000);
}
