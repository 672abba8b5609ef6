import { chmodSync } from 'node:fs';
import { Database, type JSValue, type Statement } from 'node-sqlite3-wasm';
import type { Row } from './client';
import { type FileOwnership, ownFile } from './sqliteOwner';

/** Statements that stay prepared; the least recently used goes first. Each holds wasm memory until finalized. */
const CACHED_STATEMENTS = 256;
/** Longer ones (batches of rows) hardly come twice. */
const CACHED_LENGTH = 16_384;

const RETURNS_ROWS = /^\s*(?:select|with|pragma|values|explain)\b|\breturning\b/i;
const CHANGES_SCHEMA = /^\s*(?:create|alter|drop|reindex)\b/i;

export interface SqliteResult {
  readonly rows: Row[];
  readonly changes: number;
  readonly lastInsertRowid: number | bigint;
}

/** One open database: pool size is 1, there is never a second. */
export interface SqliteConnection {
  run(sql: string, bindings: readonly JSValue[]): SqliteResult;
  close(): void;
}

/**
 * @param filename a path, or ":memory:"
 * @throws DbUnavailableError when another process has the file open
 */
export function openSqlite(filename: string): SqliteConnection {
  const ownership = filename === ':memory:' ? undefined : ownFile(filename);
  try {
    const database = new Database(filename);
    if (ownership) chmodSync(filename, 0o600);
    database.exec(
      'PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;',
    );
    return wrap(database, ownership);
  } catch (error) {
    ownership?.release();
    throw error;
  }
}

function wrap(database: Database, ownership: FileOwnership | undefined): SqliteConnection {
  const statements = createStatementCache(database);
  return {
    run: (sql, bindings) => {
      const result = statements.use(sql, (statement) => execute(statement, sql, bindings));
      // A cached `select *` would go on with the column names of before.
      if (CHANGES_SCHEMA.test(sql)) statements.clear();
      return result;
    },
    close: () => {
      statements.clear();
      database.close();
      ownership?.release();
    },
  };
}

function execute(statement: Statement, sql: string, bindings: readonly JSValue[]): SqliteResult {
  if (RETURNS_ROWS.test(sql)) {
    // To the end, always: a statement left in mid-result keeps its read transaction open.
    return { rows: statement.all(bindings.map(asSought)) as Row[], changes: 0, lastInsertRowid: 0 };
  }
  return { rows: [], ...statement.run([...bindings]) };
}

/** A text ends at its first NUL when it is bound, and would find what is called so; bytes find no text. */
function asSought(value: JSValue): JSValue {
  return typeof value === 'string' && value.includes('\0') ? Buffer.from(value) : value;
}

interface StatementCache {
  use<T>(sql: string, work: (statement: Statement) => T): T;
  clear(): void;
}

function createStatementCache(database: Database): StatementCache {
  const cached = new Map<string, Statement>();

  function take(sql: string): Statement {
    const known = cached.get(sql);
    cached.delete(sql);
    return known ?? database.prepare(sql);
  }

  function keep(sql: string, statement: Statement): void {
    if (sql.length <= CACHED_LENGTH) cached.set(sql, statement);
    else finalize(statement);
    const [oldest] = cached;
    if (!oldest || cached.size <= CACHED_STATEMENTS) return;
    cached.delete(oldest[0]);
    finalize(oldest[1]);
  }

  return {
    use: (sql, work) => {
      const statement = take(sql);
      try {
        const result = work(statement);
        keep(sql, statement);
        return result;
      } catch (error) {
        // A statement that failed says so again at its next reset: it is not worth keeping.
        finalize(statement);
        throw error;
      }
    },
    clear: () => {
      for (const statement of cached.values()) finalize(statement);
      cached.clear();
    },
  };
}

function finalize(statement: Statement): void {
  try {
    statement.finalize();
  } catch {
    // Finalizing repeats the error of the statement's last run, which its caller has already.
  }
}
