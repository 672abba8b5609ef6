import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Migration, migrations as ours } from '../../migrations/index';
import { type Db, dbNow, nowPlus } from './connect';
import { dialectOf } from './dialects/client';

/** How the schema of a database stands against the code. Names of migrations, in their order. */
export interface DatabaseVersion {
  /** The newest migration that is in force; null for an empty database. */
  readonly current: string | null;
  /** The newest one the code has. */
  readonly latest: string | null;
  readonly pending: readonly string[];
  /** In force but unknown to the code, which is then too old for this database. */
  readonly unknown: readonly string[];
}

/** Times in milliseconds; tests shorten them. */
export interface UpgradeOptions {
  readonly migrations?: readonly Migration[];
  /** Names this process in the lock row. */
  readonly owner?: string;
  /** A holder that has not renewed for so long is dead. */
  readonly lockTtl?: number;
  readonly pollInterval?: number;
  /** Gives up on another process's upgrade after this. */
  readonly maxWait?: number;
}

/** The schema does not fit the code; the message says which of the two to move, and how. */
export class SchemaError extends Error {
  override readonly name = 'SchemaError';
}

/** Reads only; an empty database has version null. */
export async function databaseVersion(db: Db, migrations: readonly Migration[] = ours): Promise<DatabaseVersion> {
  const names = migrations.map(({ name }) => name);
  const rows: { name: string }[] = (await db.schema.hasTable('schema_migration'))
    ? await db('schema_migration').select('name').orderBy('name')
    : [];
  const done = new Set(rows.map(({ name }) => name));
  return {
    current: rows.at(-1)?.name ?? null,
    latest: names.at(-1) ?? null,
    pending: names.filter((name) => !done.has(name)),
    unknown: [...done].filter((name) => !names.includes(name)),
  };
}

/** Ends the names of steps that take away what the version before still used. All others only add. */
const CONTRACTS = '_contract';

/**
 * For processes that do not upgrade by themselves. A database that a newer program has upgraded will do as long as that
 * has only added to it: during an upgrade the older version goes on, and may be restarted.
 * @throws SchemaError unless schema and code fit
 */
export async function requireCurrentSchema(db: Db, migrations: readonly Migration[] = ours): Promise<void> {
  const version = await databaseVersion(db, migrations);
  refuseContracted(version);
  if (version.pending.length > 0) {
    throw new SchemaError(
      `The database is at ${version.current ?? 'no version'}, this program needs ${version.latest}: run "slipstream db upgrade" first.`,
    );
  }
}

/**
 * Brings the schema forward to the code, step by step. Any number of processes may start this at once: one works, the
 * others wait until it is done; if it dies, its lock expires and another goes on at the step that was not finished.
 * @returns the names of the steps that this call ran
 * @throws SchemaError when the database is newer than the code, or another process holds the lock for too long
 */
export async function upgradeDatabase(db: Db, options: UpgradeOptions = {}): Promise<readonly string[]> {
  const migrations = options.migrations ?? ours;
  if (await isCurrent(db, migrations)) return [];
  await createBookkeeping(db);
  const lock = await takeLock(db, options);
  if (!lock) return [];
  try {
    return await runPending(db, migrations, lock);
  } finally {
    await lock.release();
  }
}

async function isCurrent(db: Db, migrations: readonly Migration[]): Promise<boolean> {
  const version = await databaseVersion(db, migrations);
  refuseContracted(version);
  return version.pending.length === 0;
}

function refuseContracted({ unknown, ...version }: DatabaseVersion): void {
  const contracts = unknown.filter((name) => name.endsWith(CONTRACTS));
  if (contracts.length > 0) refuseNewer({ ...version, unknown: contracts });
}

function refuseNewer({ unknown }: DatabaseVersion): void {
  if (unknown.length === 0) return;
  throw new SchemaError(
    `The database is newer than this program: it has ${unknown.join(', ')}. Run the version that brought it there, or a later one.`,
  );
}

async function runPending(db: Db, migrations: readonly Migration[], lock: UpgradeLock): Promise<string[]> {
  const { pending, current, unknown } = await databaseVersion(db, migrations);
  refuseNewer({ pending, current, unknown, latest: null });
  if (current === null) await chooseCollation(db);
  for (const migration of migrations.filter(({ name }) => pending.includes(name))) {
    lock.assertHeld();
    await migration.up(db);
    lock.assertHeld();
    await db('schema_migration').insert({ name: migration.name, finished_at: dbNow(db) });
  }
  return [...pending];
}

/** Ids and names compare byte by byte on both dialects; a database made by hand often has another collation. */
async function chooseCollation(db: Db): Promise<void> {
  if (dialectOf(db).dialect === 'mysql') await db.raw('alter database character set = utf8mb4 collate = utf8mb4_bin');
}

/** "if not exists" is safe against a second process, unlike a look before the leap. */
async function createBookkeeping(db: Db): Promise<void> {
  await db.raw(
    'create table if not exists schema_lock (id integer not null primary key, owner varchar(128), expires_at datetime(3))',
  );
  await db.raw(
    'create table if not exists schema_migration (name varchar(128) not null primary key, finished_at datetime(3) not null)',
  );
  await db('schema_lock').insert({ id: 1, owner: null, expires_at: null }).onConflict('id').ignore();
}

interface UpgradeLock {
  assertHeld(): void;
  release(): Promise<void>;
}

/** Undefined when there was nothing left to do by the time the lock was free. */
async function takeLock(db: Db, options: UpgradeOptions): Promise<UpgradeLock | undefined> {
  const { owner = `${hostname()}:${process.pid}:${randomUUID()}`, lockTtl = 30_000 } = options;
  const giveUpAt = performance.now() + (options.maxWait ?? 600_000);
  for (;;) {
    const taken = await db('schema_lock')
      .where('id', 1)
      .where((free) => free.whereNull('owner').orWhere('expires_at', '<', dbNow(db)))
      .update({ owner, expires_at: nowPlus(db, lockTtl / 1000) });
    if (taken === 1) return holdLock(db, owner, lockTtl);
    if (performance.now() > giveUpAt) {
      const holder: { owner: string | null } | undefined = await db('schema_lock').where('id', 1).first('owner');
      throw new SchemaError(`Another process (${holder?.owner}) is upgrading the database and does not finish.`);
    }
    await sleep(options.pollInterval ?? 250);
    if (await isCurrent(db, options.migrations ?? ours)) return undefined;
  }
}

function holdLock(db: Db, owner: string, lockTtl: number): UpgradeLock {
  let lost: string | undefined;
  const renew = async (): Promise<void> => {
    try {
      const renewed = await db('schema_lock')
        .where({ id: 1, owner })
        .update({ expires_at: nowPlus(db, lockTtl / 1000) });
      if (renewed !== 1) lost = 'another process has taken it';
    } catch (error) {
      lost = error instanceof Error ? error.message : String(error);
    }
  };
  const timer = setInterval(() => void renew(), lockTtl / 3);
  return {
    assertHeld: () => {
      if (lost) throw new SchemaError(`The lock on the database's schema is lost: ${lost}.`);
    },
    release: async () => {
      clearInterval(timer);
      await db('schema_lock').where({ id: 1, owner }).update({ owner: null, expires_at: null });
    },
  };
}
