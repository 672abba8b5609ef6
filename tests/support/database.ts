import { connectDatabase, type Db } from '../../driver/db/connect';
import { upgradeDatabase } from '../../driver/db/migrate';
import { findMariaDb, joinMariaDb, type MariaDbServer } from './mariaDb';

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

/** A migrated database on MariaDB, wiped. Once it is destroyed the next test has it. */
async function openMariaDb(server: MariaDbServer): Promise<Db> {
  const { url, giveBack } = await server.lendDatabase();
  const pool = await connectDatabase(url, { acquireTimeout: ACQUIRE_TIMEOUT, maxPoolSize: 8 });
  const destroy = async (): Promise<void> => {
    await pool.destroy();
    if (opened.delete(db)) giveBack();
  };
  const db: Db = new Proxy(pool, {
    get: (target, property) => (property === 'destroy' ? destroy : Reflect.get(target, property)),
  });
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
      server = await joinMariaDb();
    }, 60_000);
    afterAll(() => server?.leave());
    suite({
      dialect: 'mariadb',
      open: () => openMariaDb(running()),
      emptyUrl: () => running().createDatabase(),
    });
  });
}
