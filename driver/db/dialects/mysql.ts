import { readFileSync } from 'node:fs';
import { type Knex, knex } from 'knex';
import MySql2Client from 'knex/lib/dialects/mysql2';
import type { Connection, ResultSetHeader, RowDataPacket } from 'mysql2';
import { ServiceError } from '../../domain/errors';
import { DbUnavailableError, DuplicateKeyError, ForeignKeyError, RetryableDbError } from '../errors';
import { retryConflicts } from '../retry';
import { asDriverError, type Binding, type DialectClient, type PreparedResult, SILENT } from './client';
import type { MySqlAddress } from './url';

/** Bounds of the pool and of every statement. Times in milliseconds. */
export interface MySqlOptions {
  readonly minPoolSize: number;
  readonly maxPoolSize: number;
  readonly acquireTimeout: number;
  readonly connectTimeout: number;
  /** A statement that runs longer is ended by the server. */
  readonly statementTimeout: number;
  readonly lockTimeout: number;
  /** Galera: reads wait for writes of other nodes that precede them. A bit mask; 0 is off. */
  readonly wsrepSyncWait: number;
}

/** Each holds memory on server and client; a server allows some 16,000 over all connections. */
const PREPARED_STATEMENTS = 250;

/** knex's mysql2 dialect with prepared statements, and errors that do not depend on the dialect. */
class MySqlClient extends MySql2Client implements DialectClient {
  declare readonly dialect: 'mysql';

  /** Set by knex on the client of a transaction. */
  declare readonly transacting?: boolean;

  override query(connection: unknown, query: unknown): Promise<unknown> {
    return this.runAlone(async () => {
      try {
        // BEGIN, COMMIT and ROLLBACK come as text: what knex does around a query costs more than they do.
        return await (typeof query === 'string' ? runText(connection, query) : super.query(connection, query));
      } catch (error) {
        throw translateMySqlError(error);
      }
    });
  }

  /** A statement that is a transaction by itself is run again after a conflict; one within another is not. */
  private runAlone<T>(statement: () => Promise<T>): Promise<T> {
    return this.transacting ? statement() : retryConflicts(statement);
  }

  override async acquireConnection(): Promise<unknown> {
    try {
      return await super.acquireConnection();
    } catch (error) {
      throw translateMySqlError(error);
    }
  }

  runPrepared(connection: unknown, sql: string, bindings: readonly Binding[]): Promise<PreparedResult> {
    return this.runAlone(() => execute(connection as Connection, sql, bindings));
  }
}

function execute(connection: Connection, sql: string, bindings: readonly Binding[]): Promise<PreparedResult> {
  return new Promise((resolve, reject) => {
    type Result = RowDataPacket[] | ResultSetHeader;
    connection.execute<Result>(sql, bindings.map(asParameter), (error, result) => {
      if (error) reject(translateMySqlError(error));
      else if (Array.isArray(result)) resolve({ rows: result, changed: 0 });
      else resolve({ rows: [], changed: result.affectedRows });
    });
  });
}

function runText(connection: unknown, sql: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    (connection as Connection).query(sql, (error, result) => (error ? reject(error) : resolve(result)));
  });
}

/** Numbers would travel as doubles, which MySQL refuses in LIMIT; as text, every integer is exact and taken. */
function asParameter(value: Binding): string | null {
  return value === null ? null : String(value);
}

export function createMySql(address: MySqlAddress, options: MySqlOptions): Knex {
  return knex({
    client: MySqlClient as unknown as typeof Knex.Client,
    connection: {
      ...connectionOptions(address),
      connectTimeout: options.connectTimeout,
    },
    compileSqlOnError: false,
    log: SILENT,
    pool: {
      min: options.minPoolSize,
      max: options.maxPoolSize,
      afterCreate: (connection: Connection, done: (error: Error | null, connection: Connection) => void) => {
        prepareSession(connection, options).then(
          () => done(null, connection),
          (error: Error) => done(error, connection),
        );
      },
    },
    acquireConnectionTimeout: options.acquireTimeout,
  });
}

function connectionOptions(address: MySqlAddress): Record<string, unknown> {
  return {
    ...(address.socketPath ? { socketPath: address.socketPath } : { host: address.host, port: address.port }),
    user: address.user,
    password: address.password,
    database: address.database,
    ...(address.ssl ? { ssl: sslOptions(address.ssl) } : {}),
    // utf8mb4_bin: parameters compare as the columns do, byte by byte. By its number, because knex puts `charset` into DDL.
    charsetNumber: 46,
    timezone: 'Z',
    dateStrings: true,
    jsonStrings: true,
    // 64-bit integers: numbers as long as those are exact, strings beyond.
    supportBigNumbers: true,
    maxPreparedStatements: PREPARED_STATEMENTS,
    enableKeepAlive: true,
  };
}

function sslOptions(ssl: NonNullable<MySqlAddress['ssl']>): Record<string, unknown> {
  return {
    ...(ssl.caFile ? { ca: readFileSync(ssl.caFile) } : {}),
    ...(ssl.certFile ? { cert: readFileSync(ssl.certFile) } : {}),
    ...(ssl.keyFile ? { key: readFileSync(ssl.keyFile) } : {}),
    rejectUnauthorized: ssl.verify,
    verifyIdentity: ssl.verifyIdentity,
  };
}

/** `M!` is MariaDB's executable comment; the other one is read by MySQL 8 alone. */
async function prepareSession(connection: Connection, options: MySqlOptions): Promise<void> {
  const statementSeconds = options.statementTimeout / 1000;
  const lockSeconds = Math.max(1, Math.ceil(options.lockTimeout / 1000));
  const settings = [
    "sql_mode = 'STRICT_ALL_TABLES,ONLY_FULL_GROUP_BY,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'",
    "time_zone = '+00:00'",
    'default_storage_engine = InnoDB',
    'group_concat_max_len = 33554432',
    `innodb_lock_wait_timeout = ${lockSeconds}`,
    // A process that stands still in a transaction would else lock its rows for hours. MySQL has nothing like it.
    `/*M! idle_transaction_timeout = ${IDLE_TRANSACTION_SECONDS}, max_statement_time = ${statementSeconds}, */ /*!80000 max_execution_time = ${options.statementTimeout}, */ autocommit = 1`,
  ];
  const session = connection.promise();
  await session.query(`SET SESSION ${settings.join(', ')}`);
  await session.query('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED');
  if (options.wsrepSyncWait > 0) await session.query(`SET SESSION wsrep_sync_wait = ${options.wsrepSyncWait}`);
}

/** How long a transaction of ours may wait for its next statement; each takes milliseconds. */
const IDLE_TRANSACTION_SECONDS = 10;

/** Deadlock, lock wait time-out, row changed since the snapshot, roll-back during a Galera or group commit. */
const RETRYABLE = new Set([1213, 1205, 1020, 3101]);
/** Too many connections, server going down, query killed, connection killed, node not ready, statement timed out. */
const UNAVAILABLE = new Set([1040, 1053, 1317, 1047, 1152, 1184, 1927, 1969, 3024, 4031]);

/** Those of them that `statementTimeout` is behind; the driver knows no code of MariaDB's, and its text holds the SQL. */
const OUT_OF_TIME = new Set([1969, 3024]);

/** Errors of the server carry a number above 1000; those of the network a code and a negative one, or none. */
function translateMySqlError(cause: unknown): unknown {
  const error = asDriverError(cause);
  if (!error || error instanceof ServiceError) return cause;
  const { errno = 0, code = '', message } = error;
  if (code === 'ER_DUP_ENTRY')
    return new DuplicateKeyError(/for key '(?:[^'.]+\.)?([^']+)'$/.exec(message)?.[1], cause);
  if (errno === 1451 || errno === 1452) return new ForeignKeyError(cause);
  // Error 1180 is a failed COMMIT; on Galera its text then says deadlock.
  if (RETRYABLE.has(errno) || (errno === 1180 && /deadlock|wsrep/i.test(message))) return new RetryableDbError(cause);
  if (error.name === 'KnexTimeoutError') return new DbUnavailableError('no connection became free.', cause);
  if (UNAVAILABLE.has(errno) || errno < 0 || /^PROTOCOL_|^E[A-Z]+$/.test(code) || /closed state/.test(message)) {
    return new DbUnavailableError(OUT_OF_TIME.has(errno) ? 'a statement took too long.' : code || 'no answer.', cause);
  }
  return cause;
}
