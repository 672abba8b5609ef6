import type { Knex } from 'knex';
import { type Binding, dialectOf, type PreparedResult, type Row } from './dialects/client';

/** SQL that is spelled differently on the two dialects, and the fast path for reads. */

/** The database's clock (UTC, milliseconds), as SQL text: leases, deadlines and the outbox know no other. */
export function nowSql(db: Knex): string {
  return dialectOf(db).dialect === 'sqlite3' ? "strftime('%Y-%m-%d %H:%M:%f', 'now')" : 'utc_timestamp(3)';
}

/** The database's clock plus `seconds` (may be negative or a fraction), as SQL text. */
export function nowPlusSql(db: Knex, seconds: number): string {
  if (!Number.isFinite(seconds)) throw new RangeError(`not a number of seconds: ${seconds}`);
  return dialectOf(db).dialect === 'sqlite3'
    ? `strftime('%Y-%m-%d %H:%M:%f', 'now', '${seconds.toFixed(3)} seconds')`
    : `timestampadd(microsecond, ${Math.round(seconds * 1e6)}, utc_timestamp(3))`;
}

/** `nowSql` for the query builder: compares with time columns and can be written into them. */
export function dbNow(db: Knex): Knex.Raw {
  return db.raw(nowSql(db));
}

/** `nowPlusSql` for the query builder. */
export function nowPlus(db: Knex, seconds: number): Knex.Raw {
  return db.raw(nowPlusSql(db, seconds));
}

/** A correlated subselect: what to aggregate, and over which rows. All parts are SQL of the caller, never user input. */
export interface Aggregate {
  /** Table, with alias and joins if need be: `member m`. */
  readonly from: string;
  /** `m.pool_id = p.id` */
  readonly where: string;
  /** `m.created_at, m.id`; the order of the elements. */
  readonly orderBy: string;
}

/** A column of ids (which hold no comma) joined by comma, null without rows; read it with `splitIds`. */
export function idList(column: string, { from, where, orderBy }: Aggregate): string {
  return `(select group_concat(${column} order by ${orderBy}) from ${from} where ${where})`;
}

/** A JSON array of any text values, "[]" without rows; read it with `fromJson`. */
export function jsonArrayOf(db: Knex, value: string, over: Aggregate): string {
  return jsonAggregate(db, { sqlite: value, mysql: `json_quote(${value})` }, over);
}

/**
 * A JSON array of objects, "[]" without rows. `fields` maps each key to a SQL expression; booleans come out as 0 and 1,
 * and 64-bit counts belong into a string first.
 */
export function jsonObjectsOf(db: Knex, fields: Readonly<Record<string, string>>, over: Aggregate): string {
  const pairs = Object.entries(fields).map(([key, value]) => `'${key}', ${value}`);
  const object = `json_object(${pairs.join(', ')})`;
  return jsonAggregate(db, { sqlite: object, mysql: object }, over);
}

/** MySQL's own JSON_ARRAYAGG knows no order, so there the array is put together as text. */
function jsonAggregate(
  db: Knex,
  element: { sqlite: string; mysql: string },
  { from, where, orderBy }: Aggregate,
): string {
  const array =
    dialectOf(db).dialect === 'sqlite3'
      ? `json_group_array(${element.sqlite} order by ${orderBy})`
      : `concat('[', coalesce(group_concat(${element.mysql} order by ${orderBy} separator ','), ''), ']')`;
  return `(select ${array} from ${from} where ${where})`;
}

/**
 * Runs one statement that stays prepared on its connection: the read path, a third of the query builder's cost. Works in
 * and out of transactions. `?` marks a binding; there is one statement for each text, so lists belong into the text as
 * that many marks and values never do.
 */
export async function prepared<T extends object = Row>(
  db: Knex,
  sql: string,
  bindings: readonly Binding[] = [],
): Promise<T[]> {
  return (await runPrepared(db, sql, bindings)).rows as T[];
}

/** As `prepared`, for a statement that changes rows: how many it inserted, deleted, or met (also without changing them). */
export async function change(db: Knex, sql: string, bindings: readonly Binding[] = []): Promise<number> {
  return (await runPrepared(db, sql, bindings)).changed;
}

async function runPrepared(db: Knex, sql: string, bindings: readonly Binding[]): Promise<PreparedResult> {
  const client = dialectOf(db);
  const connection = await client.acquireConnection();
  try {
    return await client.runPrepared(connection, sql, bindings);
  } finally {
    await client.releaseConnection(connection);
  }
}
