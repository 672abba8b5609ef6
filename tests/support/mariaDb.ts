import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectDatabase, type Db } from '../../driver/db/connect';
import { upgradeDatabase } from '../../driver/db/migrate';
import { makeDataDirectory } from './mariaDbData';

/**
 * MariaDB for tests: one private server a jest worker, started by the first test file that wants it and ended by the
 * kernel with the worker. Starting one takes two seconds of CPU, which sixty test files would each have to pay.
 */
export interface MariaDbServer {
  /** URL of an empty new database. */
  createDatabase(): Promise<string>;
  /** A database with the current schema and no rows; `giveBack` lets the next one have it, once nobody uses it. */
  lendDatabase(): Promise<LentDatabase>;
  /** To be called at the end of a test file. */
  leave(): Promise<void>;
}

export interface LentDatabase {
  readonly url: string;
  giveBack(): void;
}

interface Schema {
  readonly statements: readonly string[];
  readonly tables: readonly string[];
}

const FOLDERS = 'ss-db-';
/** Runs a program that the kernel ends with this process, even if that is killed. */
const SETPRIV = '/usr/bin/setpriv';

/** Where mariadbd is; undefined when it is not installed. */
export function findMariaDb(): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/usr/libexec', '/usr/local/sbin'];
  return folders.map((folder) => join(folder, 'mariadbd')).find(isExecutable);
}

/**
 * The server of this process, started if need be on a socket below the temporary directory.
 * @throws Error with its log if it does not come up
 */
export async function joinMariaDb(): Promise<MariaDbServer> {
  const folder = join(tmpdir(), `${FOLDERS}${process.pid}`);
  const socketPath = join(folder, 's.sock');
  const server = (await answers(socketPath)) ? undefined : await startServer(folder, socketPath);
  const admin = await connectDatabase(urlOf(socketPath, 'mysql'), { maxPoolSize: 1 });
  const version = hashMigrations();
  const [found] = (await admin.raw('show databases')) as [Record<string, string>[]];
  const names = found.flatMap((row) => Object.values(row)).filter((name) => name.startsWith('test_'));
  // Those who had them have come to their end: test files of one worker run one after another.
  const free = names.filter((name) => name.startsWith(`test_${version}_`));
  let count = names.length;
  const create = async (kind: string): Promise<string> => {
    count += 1;
    const name = `test_${kind}_${count}`;
    await admin.raw(`create database ${name} character set utf8mb4 collate utf8mb4_bin`);
    return name;
  };
  const createDatabase = async () => urlOf(socketPath, await create('empty'));
  let schema: Promise<Schema> | undefined;
  return {
    createDatabase,
    async lendDatabase() {
      schema ??= readSchema(join(folder, `schema-${version}.json`), createDatabase);
      const known = free.pop();
      const name = known ?? (await create(version));
      const url = urlOf(socketPath, name);
      await withDatabase(url, known === undefined ? build(await schema) : wipe(await schema));
      return { url, giveBack: () => free.push(name) };
    },
    async leave() {
      await admin.destroy();
      // Without the kernel's help nobody would end it later.
      if (server && !isExecutable(SETPRIV)) await stopServer(server, folder);
    },
  };
}

function build({ statements }: Schema): (db: Db) => Promise<void> {
  return async (db) => {
    for (const statement of statements) await db.raw(statement);
  };
}

function wipe({ tables }: Schema): (db: Db) => Promise<void> {
  return async (db) => {
    await db.raw('set foreign_key_checks = 0');
    for (const table of tables) if (table !== 'schema_migration') await db.raw(`delete from \`${table}\``);
  };
}

/** The DDL of a migrated database, out of the file if an earlier test file of this worker has left it there. */
async function readSchema(file: string, createDatabase: () => Promise<string>): Promise<Schema> {
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Schema;
  const schema = await withDatabase(await createDatabase(), dumpSchema);
  writeFileSync(file, JSON.stringify(schema));
  return schema;
}

async function dumpSchema(db: Db): Promise<Schema> {
  await upgradeDatabase(db);
  const [found] = (await db.raw('show tables')) as [Record<string, string>[]];
  const tables = found.flatMap((row) => Object.values(row));
  const statements = ['set foreign_key_checks = 0'];
  for (const name of tables) {
    const [rows] = (await db.raw(`show create table \`${name}\``)) as [Record<string, string>[]];
    statements.push(rows[0]?.['Create Table'] ?? '');
  }
  const done: { name: string; finished_at: string }[] = await db('schema_migration').select('*');
  const inserts = done.map((row) => `insert into schema_migration values ('${row.name}', '${row.finished_at}')`);
  return { tables, statements: [...statements, ...inserts] };
}

/** Changes with the schema, for a worker that outlives a change of it (`jest --watch`). */
function hashMigrations(): string {
  const folder = join(__dirname, '../../migrations');
  const hash = createHash('sha256');
  for (const name of readdirSync(folder).sort()) hash.update(readFileSync(join(folder, name)));
  return hash.digest('hex').slice(0, 12);
}

function urlOf(socketPath: string, database: string): string {
  return `mysql+pymysql://root@localhost/${database}?unix_socket=${socketPath}`;
}

async function withDatabase<T>(url: string, work: (db: Db) => Promise<T>): Promise<T> {
  const db = await connectDatabase(url, { acquireTimeout: 2_000, maxPoolSize: 1 });
  try {
    return await work(db);
  } finally {
    await db.destroy();
  }
}

async function answers(socketPath: string): Promise<boolean> {
  if (!existsSync(socketPath)) return false;
  return withDatabase(urlOf(socketPath, 'mysql'), async (db) => db.raw('select 1')).then(
    () => true,
    () => false,
  );
}

async function startServer(folder: string, socketPath: string): Promise<ChildProcess> {
  const program = findMariaDb();
  if (!program) throw new Error('mariadbd is not installed: install the package mariadb-server');
  removeMariaDbFolders();
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  const user = userInfo().username;
  makeDataDirectory(folder, user);
  const server = spawnBound(program, serverArguments(folder, socketPath, user));
  if (server.pid === undefined) throw new Error(`${program} cannot be started`);
  // This process may end while it runs.
  server.unref();
  await waitUntilReady(server, socketPath, join(folder, 'error.log'));
  return server;
}

/** Takes away what the servers of dead processes have left, and with `own` this process's server. */
export function removeMariaDbFolders({ own = false } = {}): void {
  for (const name of readdirSync(tmpdir()).filter((it) => it.startsWith(FOLDERS))) {
    const pid = Number(name.slice(FOLDERS.length));
    const folder = join(tmpdir(), name);
    if (own && pid === process.pid) endServer(folder);
    else if (!Number.isInteger(pid) || isAlive(pid)) continue;
    rmSync(folder, { recursive: true, force: true });
  }
}

function endServer(folder: string): void {
  const pid = Number(existsSync(join(folder, 'pid')) ? readFileSync(join(folder, 'pid'), 'utf8') : Number.NaN);
  // Nothing in it is worth a clean shutdown.
  if (Number.isInteger(pid) && isAlive(pid)) process.kill(pid, 'SIGKILL');
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
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

function spawnBound(program: string, args: readonly string[]): ChildProcess {
  if (!isExecutable(SETPRIV)) return spawn(program, args, { stdio: 'ignore' });
  return spawn(SETPRIV, ['--pdeathsig', 'KILL', program, ...args], { stdio: 'ignore' });
}

async function waitUntilReady(server: ChildProcess, socketPath: string, logFile: string): Promise<void> {
  const giveUpAt = performance.now() + 30_000;
  while (!(await answers(socketPath))) {
    if (performance.now() > giveUpAt || server.exitCode !== null) {
      throw new Error(`mariadbd does not come up: ${readLog(logFile)}`);
    }
    await sleep(50);
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
