import type { Knex } from 'knex';
import { createMySql, type MySqlOptions } from './dialects/mysql';
import { createSqlite } from './dialects/sqlite';
import { parseDatabaseUrl } from './dialects/url';
import { RETRIES, type RetryPolicy, retryConflicts } from './retry';

export { sqliteUrl } from './dialects/url';
export { DbUnavailableError, DuplicateKeyError, ForeignKeyError, RetryableDbError } from './errors';
export { change, dbNow, idList, jsonArrayOf, jsonObjectsOf, nowPlus, nowPlusSql, nowSql, prepared } from './sql';

/**
 * A database or one transaction of it: the first argument of every repository function. A query on the database inside
 * a transaction would wait for a second connection, which SQLite never gives. `destroy()` closes a database.
 */
export type Db = Knex;

/** What `[database]` may set. Times in milliseconds. SQLite has one connection and looks at `acquireTimeout` alone. */
export type DatabaseOptions = Partial<MySqlOptions>;

const DEFAULTS: MySqlOptions = {
  minPoolSize: 1,
  maxPoolSize: 20,
  acquireTimeout: 10_000,
  connectTimeout: 5_000,
  statementTimeout: 30_000,
  lockTimeout: 5_000,
  wsrepSyncWait: 0,
};

/**
 * Opens the database and sees that it answers.
 * @param url see `parseDatabaseUrl`
 * @throws RangeError for a URL that cannot be used, DbUnavailableError when nobody answers or another process holds the file
 */
export async function connectDatabase(url: string, options: DatabaseOptions = {}): Promise<Db> {
  const address = parseDatabaseUrl(url);
  const settings = { ...DEFAULTS, ...options };
  const db =
    address.dialect === 'sqlite'
      ? createSqlite(address.filename, settings.acquireTimeout)
      : createMySql(address, settings);
  try {
    await db.raw('select 1');
    return db;
  } catch (error) {
    await db.destroy();
    throw error;
  }
}

/**
 * Runs `work` in one transaction and commits; whatever it throws rolls back. Deadlocks, lock time-outs and Galera
 * conflicts start it again from its beginning, so `work` touches nothing but `trx`. Inside a transaction it joins that.
 * @throws RetryableDbError when all attempts met conflicts; DbUnavailableError when it is not known whether it committed
 */
export async function inTransaction<T>(
  db: Db,
  work: (trx: Db) => Promise<T>,
  policy: RetryPolicy = RETRIES,
): Promise<T> {
  return db.isTransaction ? work(db) : retryConflicts(() => db.transaction(work), policy);
}
