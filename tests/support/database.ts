import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { accessSync, constants, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectDatabase, type Db } from '../../driver/db/connect';
import { upgradeDatabase } from '../../driver/db/migrate';

/** A query outside the transaction inside one waits for ever with one connection: tests are to see that soon. */
const ACQUIRE_TIMEOUT = 2_000;

let sqliteSchema: Promise<readonly string[]> | undefined;

/** What this test file opened. An open pool keeps jest from ending, so whatever a test forgets is closed after the last. */
const opened = new Set<Db>();
afterAll(async () => {
  await Promise.all([...opened].map((db) => db.destroy()));
});

/** A migrated SQLite database in memory, of the caller alone. Migrated once a test file, cloned from its DDL after that. */
export async function openTestDatabase(): Promise<Db> {
  sqliteSchema ??= dumpSqliteSchema();
  const statements = await sqliteSchema;
  const db = await connectDatabase('sqlite://', { acquireTimeout: ACQUIRE_TIMEOUT });
  opened.add(db);
  await db.transaction(async (trx) => {
    for (const statement of statements) await trx.raw(statement);
  });
  return db;
}

async function dumpSqliteSchema(): Promise<readonly string[]> {
  const db = await connectDatabase('sqlite://');
  await upgradeDatabase(db);
  const objects: { sql: string }[] = await db('sqlite_master').whereNotNull('sql').orderBy('rowid').select('sql');
  const done: { name: string; finished_at: string }[] = await db('schema_migration').select('*');
  await db.destroy();
  const rows = done.map((row) => `insert into schema_migration values ('${row.name}', '${row.finished_at}')`);
  return [...objects.map(({ sql }) => sql), ...rows];
}

/** A private server, one a test file, and the DDL that makes a migrated database on it. */
export interface MariaDbServer {
  /** URL of an empty new database. */
  createDatabase(): Promise<string>;
  /** URL of a new database with the current schema. */
  createMigratedDatabase(): Promise<string>;
  readonly socketPath: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Where mariadbd is; undefined when it is not installed. */
export function findMariaDb(): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/usr/libexec', '/usr/local/sbin'];
  return folders.map((folder) => join(folder, 'mariadbd')).find(isExecutable);
}

/**
 * Starts mariadbd on a socket below the temporary directory.
 * @throws Error with its log if it does not come up
 */
export async function startMariaDb(): Promise<MariaDbServer> {
  const program = findMariaDb();
  if (!program) throw new Error('mariadbd is not installed: install the package mariadb-server');
  const folder = mkdtempSync(join(tmpdir(), 'ss-db-'));
  const socketPath = join(folder, 's.sock');
  const user = userInfo().username;
  initializeDataDirectory(folder, user);
  const server = spawnBound(program, serverArguments(folder, socketPath, user));
  const { pid } = server;
  if (pid === undefined) throw new Error(`${program} cannot be started`);
  await waitUntilReady(server, socketPath, join(folder, 'error.log'));

  let count = 0;
  let template: Promise<readonly string[]> | undefined;
  const createDatabase = async (): Promise<string> => {
    count += 1;
    const name = `test_${count}`;
    await withDatabase(urlOf(socketPath, 'mysql'), (db) =>
      db.raw(`create database ${name} character set utf8mb4 collate utf8mb4_bin`),
    );
    return urlOf(socketPath, name);
  };
  return {
    createDatabase,
    createMigratedDatabase: async () => {
      template ??= createDatabase().then(dumpMariaDbSchema);
      const [statements, url] = await Promise.all([template, createDatabase()]);
      await withDatabase(url, async (db) => {
        for (const statement of statements) await db.raw(statement);
      });
      return url;
    },
    socketPath,
    pid,
    stop: () => stopServer(server, folder),
  };
}

/** A migrated database on MariaDB; `destroy()` closes the connection, the server ends with the test file. */
export async function openMariaDb(server: MariaDbServer): Promise<Db> {
  const url = await server.createMigratedDatabase();
  const db = await connectDatabase(url, { acquireTimeout: ACQUIRE_TIMEOUT, maxPoolSize: 8 });
  opened.add(db);
  return db;
}

/** What a suite that runs on every dialect is given. */
export interface DatabaseUnderTest {
  readonly dialect: 'sqlite' | 'mariadb';
  /** A fresh migrated database; closed after the test file if the test has not. */
  open(): Promise<Db>;
  /** URL of a database without tables, to open as often as wanted (SQLite in memory: each opening is its own). */
  emptyUrl(): Promise<string>;
}

/**
 * Runs a suite on SQLite and, where mariadbd is installed, on MariaDB. In CI and under `npm test` it must be; elsewhere
 * the suite then runs on SQLite alone, and says so in its title.
 */
export function describeOnDatabases(title: string, suite: (database: DatabaseUnderTest) => void): void {
  const installed = findMariaDb() !== undefined || Boolean(process.env['CI']);
  describe(`${title} (SQLite${installed ? '' : ', mariadbd is not installed'})`, () => {
    suite({ dialect: 'sqlite', open: openTestDatabase, emptyUrl: async () => 'sqlite://' });
  });
  if (!installed || process.env['SLIPSTREAM_TEST_SERVICES'] === 'none') return;
  describe(`${title} (MariaDB)`, () => {
    let server: MariaDbServer | undefined;
    const running = (): MariaDbServer => {
      if (!server) throw new Error('the database is there from beforeAll on');
      return server;
    };
    beforeAll(async () => {
      server = await startMariaDb();
    }, 60_000);
    afterAll(() => server?.stop());
    suite({
      dialect: 'mariadb',
      open: () => openMariaDb(running()),
      emptyUrl: () => running().createDatabase(),
    });
  });
}

function urlOf(socketPath: string, database: string): string {
  return `mysql+pymysql://root@localhost/${database}?unix_socket=${socketPath}`;
}

async function withDatabase<T>(url: string, work: (db: Db) => Promise<T>): Promise<T> {
  const db = await connectDatabase(url, { acquireTimeout: ACQUIRE_TIMEOUT, maxPoolSize: 1 });
  try {
    return await work(db);
  } finally {
    await db.destroy();
  }
}

async function dumpMariaDbSchema(url: string): Promise<readonly string[]> {
  return withDatabase(url, async (db) => {
    await upgradeDatabase(db);
    const [tables] = (await db.raw('show tables')) as [Record<string, string>[]];
    const statements = ['set foreign_key_checks = 0'];
    for (const name of tables.flatMap((row) => Object.values(row))) {
      const [rows] = (await db.raw(`show create table \`${name}\``)) as [Record<string, string>[]];
      statements.push(rows[0]?.['Create Table'] ?? '');
    }
    const done: { name: string; finished_at: string }[] = await db('schema_migration').select('*');
    const inserts = done.map((row) => `insert into schema_migration values ('${row.name}', '${row.finished_at}')`);
    return [...statements, ...inserts];
  });
}

function initializeDataDirectory(folder: string, user: string): void {
  mkdirSync(join(folder, 'data'));
  execFileSync(
    'mariadb-install-db',
    [
      `--datadir=${join(folder, 'data')}`,
      `--user=${user}`,
      '--auth-root-authentication-method=normal',
      '--skip-test-db',
    ],
    { stdio: 'pipe', env: { ...process.env, TMPDIR: folder } },
  );
}

function serverArguments(folder: string, socketPath: string, user: string): string[] {
  return [
    '--no-defaults',
    `--datadir=${join(folder, 'data')}`,
    `--socket=${socketPath}`,
    `--pid-file=${join(folder, 'pid')}`,
    // Servers that share a temporary directory delete one another's files in it when they start.
    `--tmpdir=${folder}`,
    `--log-error=${join(folder, 'error.log')}`,
    `--user=${user}`,
    '--skip-networking',
    '--skip-log-bin',
    '--innodb-buffer-pool-size=64M',
    '--innodb-log-file-size=16M',
    '--innodb-flush-log-at-trx-commit=0',
    '--innodb-doublewrite=0',
    '--performance-schema=OFF',
  ];
}

/** A child that the kernel ends with this process, even if that is killed: no test run may leave a server behind. */
function spawnBound(program: string, args: readonly string[]): ChildProcess {
  const setpriv = '/usr/bin/setpriv';
  if (!isExecutable(setpriv)) return spawn(program, args, { stdio: 'ignore' });
  return spawn(setpriv, ['--pdeathsig', 'KILL', program, ...args], { stdio: 'ignore' });
}

async function waitUntilReady(server: ChildProcess, socketPath: string, logFile: string): Promise<void> {
  const giveUpAt = performance.now() + 30_000;
  for (;;) {
    try {
      return await withDatabase(urlOf(socketPath, 'mysql'), async () => undefined);
    } catch (error) {
      if (performance.now() > giveUpAt || server.exitCode !== null) {
        throw new Error(`mariadbd does not come up: ${readLog(logFile)}`, { cause: error });
      }
      await sleep(50);
    }
  }
}

function readLog(file: string): string {
  try {
    return readFileSync(file, 'utf8').slice(-2_000);
  } catch {
    return 'no log';
  }
}

async function stopServer(server: ChildProcess, folder: string): Promise<void> {
  if (server.exitCode === null && server.signalCode === null) {
    const ended = new Promise((resolve) => server.once('exit', resolve));
    // Nothing in it is worth a clean shutdown.
    server.kill('SIGKILL');
    await ended;
  }
  rmSync(folder, { recursive: true, force: true });
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
