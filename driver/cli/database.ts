import type { Config } from '../config/config';
import { connectDatabase, type DatabaseOptions, type Db } from '../db/connect';

/** Opens the configured database. @throws DbUnavailableError, RangeError for a URL that cannot be used */
export function openDatabase({ database }: Config): Promise<Db> {
  const options: DatabaseOptions = {
    minPoolSize: Math.min(database.min_pool_size, database.max_pool_size),
    maxPoolSize: database.max_pool_size,
    acquireTimeout: database.pool_timeout * 1000,
    connectTimeout: database.connect_timeout * 1000,
    statementTimeout: database.statement_timeout * 1000,
    lockTimeout: database.lock_timeout * 1000,
    wsrepSyncWait: database.mysql_wsrep_sync_wait,
  };
  return connectDatabase(database.connection, options);
}

/** Opens the database for one piece of work. */
export async function withDatabase<T>(config: Config, work: (db: Db) => Promise<T>): Promise<T> {
  const db = await openDatabase(config);
  try {
    return await work(db);
  } finally {
    await db.destroy();
  }
}
