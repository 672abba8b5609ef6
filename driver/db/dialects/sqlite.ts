import { type Knex, knex } from 'knex';
import BetterSqlite3Client from 'knex/lib/dialects/better-sqlite3';
import SqliteTransaction from 'knex/lib/dialects/sqlite3/execution/sqlite-transaction';
import type { JSValue } from 'node-sqlite3-wasm';
import * as wasm from 'node-sqlite3-wasm';
import { ServiceError } from '../../domain/errors';
import { DbUnavailableError, DuplicateKeyError, ForeignKeyError, RetryableDbError } from '../errors';
import { asDriverError, type Binding, type DialectClient, type PreparedResult, SILENT } from './client';
import { openSqlite, type SqliteConnection } from './sqliteConnection';

interface QueryObject {
  readonly sql: string;
  readonly bindings?: readonly unknown[];
  response?: unknown;
  context?: unknown;
}

/** DEFERRED would take the write lock at the first write only, where it can no longer be waited for. */
class ImmediateTransaction extends SqliteTransaction {
  override begin(connection: unknown): Promise<unknown> {
    return this.query(connection, 'BEGIN IMMEDIATE;');
  }
}

/** knex's better-sqlite3 dialect, run by the WebAssembly build: no compiler and no prebuilt binary is needed anywhere. */
class WasmSqliteClient extends BetterSqlite3Client implements DialectClient {
  declare readonly dialect: 'sqlite3';

  _driver(): unknown {
    return wasm;
  }

  transaction(...rest: unknown[]): unknown {
    return new ImmediateTransaction(this, ...rest);
  }

  async acquireRawConnection(): Promise<SqliteConnection> {
    try {
      return openSqlite(String(this.config.connection['filename']));
    } catch (error) {
      throw translateSqliteError(error);
    }
  }

  async destroyRawConnection(connection: SqliteConnection): Promise<void> {
    connection.close();
  }

  async _query(connection: SqliteConnection, query: QueryObject): Promise<QueryObject> {
    const result = connection.run(query.sql, (query.bindings ?? []).map(asParameter));
    query.response = result.rows;
    query.context = { lastID: result.lastInsertRowid, changes: result.changes };
    return query;
  }

  override async query(connection: unknown, query: unknown): Promise<unknown> {
    try {
      return await super.query(connection, query);
    } catch (error) {
      throw translateSqliteError(error);
    }
  }

  override async acquireConnection(): Promise<unknown> {
    try {
      return await super.acquireConnection();
    } catch (error) {
      throw translateSqliteError(error);
    }
  }

  async runPrepared(connection: unknown, sql: string, bindings: readonly Binding[]): Promise<PreparedResult> {
    try {
      const { rows, changes } = (connection as SqliteConnection).run(sql, bindings);
      return { rows, changed: changes };
    } catch (error) {
      throw translateSqliteError(error);
    }
  }
}

/** knex would store a Date as milliseconds, beside columns that hold text: such a bug must not reach MySQL first. */
function asParameter(value: unknown): JSValue {
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return value as JSValue;
  throw new TypeError('dates, arrays and objects go through codecs.ts before they are bound');
}

/** @param filename a path, or ":memory:" */
export function createSqlite(filename: string, acquireTimeout: number): Knex {
  return knex({
    client: WasmSqliteClient as unknown as typeof Knex.Client,
    connection: { filename },
    useNullAsDefault: true,
    compileSqlOnError: false,
    log: SILENT,
    pool: { min: 1, max: 1 },
    acquireConnectionTimeout: acquireTimeout,
  });
}

const TROUBLE =
  /(database or disk is full|disk I\/O error|unable to open database file|Could not open the database .+)$/;

/** The driver gives messages and no codes; knex puts the statement in front of them. */
function translateSqliteError(cause: unknown): unknown {
  const error = asDriverError(cause);
  if (!error || error instanceof ServiceError) return cause;
  const duplicate = /UNIQUE constraint failed: (.+)$/.exec(error.message);
  if (duplicate) return new DuplicateKeyError(duplicate[1], cause);
  if (/FOREIGN KEY constraint failed$/.test(error.message)) return new ForeignKeyError(cause);
  if (/database (?:table )?is locked$/.test(error.message)) return new RetryableDbError(cause);
  if (error.name === 'KnexTimeoutError') return new DbUnavailableError('its connection is busy for too long.', cause);
  const trouble = TROUBLE.exec(error.message);
  return trouble ? new DbUnavailableError(`${trouble[1]}.`, cause) : cause;
}
