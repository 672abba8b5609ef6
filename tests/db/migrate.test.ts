import { setTimeout as sleep } from 'node:timers/promises';
import { connectDatabase, type Db } from '../../driver/db/connect';
import { databaseVersion, requireCurrentSchema, SchemaError, upgradeDatabase } from '../../driver/db/migrate';
import { type Migration, migrations } from '../../migrations/index';
import { describeOnDatabases } from '../support/database';

const FAST = { lockTtl: 600, pollInterval: 20, maxWait: 10_000 };

function creates(name: string, log: string[] = [], pause = 0): Migration {
  return {
    name,
    up: async (db) => {
      log.push(name);
      await sleep(pause);
      await db.raw(`create table t_${name} (id integer not null primary key)`);
    },
  };
}

describeOnDatabases('upgradeDatabase', (database) => {
  const opened: Db[] = [];
  const open = async (url: string): Promise<Db> => {
    const db = await connectDatabase(url, { acquireTimeout: 2_000 });
    opened.push(db);
    return db;
  };
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((db) => db.destroy()));
  });

  it('brings an empty database to the version of the code, and has nothing to do the second time', async () => {
    const db = await open(await database.emptyUrl());
    expect(await databaseVersion(db)).toMatchObject({ current: null, pending: migrations.map(({ name }) => name) });
    await expect(requireCurrentSchema(db)).rejects.toThrow('slipstream db upgrade');

    expect(await upgradeDatabase(db)).toEqual(migrations.map(({ name }) => name));
    expect(await upgradeDatabase(db)).toEqual([]);

    expect(await databaseVersion(db)).toMatchObject({ current: migrations.at(-1)?.name, pending: [], unknown: [] });
    await requireCurrentSchema(db);
  });

  it('runs only the steps that are missing, in their order', async () => {
    const db = await open(await database.emptyUrl());
    await upgradeDatabase(db, { migrations: [creates('a')] });

    const ran = await upgradeDatabase(db, { migrations: [creates('a'), creates('b'), creates('c')] });

    expect(ran).toEqual(['b', 'c']);
  });

  it('works on a database to which a newer program has only added', async () => {
    const db = await open(await database.emptyUrl());
    await upgradeDatabase(db, { migrations: [creates('a'), creates('b')] });

    await requireCurrentSchema(db, [creates('a')]);
    expect(await upgradeDatabase(db, { migrations: [creates('a')] })).toEqual([]);
  });

  it('refuses a database from which a newer program has taken away, and says which', async () => {
    const db = await open(await database.emptyUrl());
    await upgradeDatabase(db, { migrations: [creates('a'), creates('b'), creates('c_contract')] });

    const attempt = upgradeDatabase(db, { migrations: [creates('a')] });

    await expect(attempt).rejects.toThrow(SchemaError);
    await expect(attempt).rejects.toThrow('it has c_contract.');
    await expect(requireCurrentSchema(db, [creates('a'), creates('b')])).rejects.toThrow('it has c_contract.');
  });

  it('does not add its own steps to those of another line of versions', async () => {
    const db = await open(await database.emptyUrl());
    await upgradeDatabase(db, { migrations: [creates('a'), creates('b')] });

    await expect(upgradeDatabase(db, { migrations: [creates('a'), creates('x')] })).rejects.toThrow('it has b');
  });

  it('goes on at the step that failed', async () => {
    const db = await open(await database.emptyUrl());
    const broken: Migration = { name: 'b', up: () => Promise.reject(new Error('no space left')) };
    await expect(upgradeDatabase(db, { migrations: [creates('a'), broken] })).rejects.toThrow('no space left');

    expect(await upgradeDatabase(db, { migrations: [creates('a'), creates('b')] })).toEqual(['b']);
  });

  it('takes the lock of a holder that died', async () => {
    const db = await open(await database.emptyUrl());
    await upgradeDatabase(db, { migrations: [creates('a')] });
    await db('schema_lock').update({ owner: 'dead', expires_at: '2020-01-01 00:00:00.000' });

    expect(await upgradeDatabase(db, { ...FAST, migrations: [creates('a'), creates('b')] })).toEqual(['b']);
  });

  it('gives up on a holder that lives and does not finish, and names it', async () => {
    const db = await open(await database.emptyUrl());
    await upgradeDatabase(db, { migrations: [creates('a')] });
    await db('schema_lock').update({ owner: 'busy-host', expires_at: '2999-01-01 00:00:00.000' });

    const attempt = upgradeDatabase(db, { ...FAST, maxWait: 100, migrations: [creates('a'), creates('b')] });

    await expect(attempt).rejects.toThrow('busy-host');
  });

  if (database.dialect === 'mariadb') {
    it('lets one of two processes work and the other wait, with steps that outlast the lock', async () => {
      const url = await database.emptyUrl();
      const [first, second] = await Promise.all([open(url), open(url)]);
      const log: string[] = [];
      const steps = [creates('a', log, 1_000), creates('b', log, 100)];

      const ran = await Promise.all([first, second].map((db) => upgradeDatabase(db, { ...FAST, migrations: steps })));

      expect(log).toEqual(['a', 'b']);
      expect(ran.map((names) => names.length).sort()).toEqual([0, 2]);
    });

    it("gives an operator's database the binary collation", async () => {
      const db = await open(await database.emptyUrl());
      await db.raw('alter database character set = latin1');

      await upgradeDatabase(db);

      const [rows] = (await db.raw('show create table load_balancer')) as [Record<string, string>[]];
      expect(rows[0]?.['Create Table']).toContain('COLLATE=utf8mb4_bin');
    });
  }
});
