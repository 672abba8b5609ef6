import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  connectDatabase,
  type Db,
  DbUnavailableError,
  DuplicateKeyError,
  dbNow,
  ForeignKeyError,
  idList,
  inTransaction,
  jsonArrayOf,
  jsonObjectsOf,
  nowPlus,
  nowPlusSql,
  nowSql,
  prepared,
  RetryableDbError,
  sqliteUrl,
} from '../../driver/db/connect';
import { describeOnDatabases } from '../support/database';

const IMMEDIATELY = { attempts: 3, delay: () => 0 };

describeOnDatabases('connectDatabase', (database) => {
  let db: Db;
  beforeAll(async () => {
    db = await database.open();
    await db.schema.createTable('parent', (table) => {
      table.string('id', 36).notNullable().primary();
      table.string('name', 255).notNullable().unique();
      table.bigInteger('count').nullable();
      table.datetime('at', { precision: 3 }).nullable();
      table.text('body').nullable();
    });
    await db.schema.createTable('child', (table) => {
      table.string('id', 36).notNullable().primary();
      table.string('parent_id', 36).notNullable().references('parent.id');
      table.string('label', 255).notNullable();
    });
  });
  afterEach(async () => {
    await db('child').del();
    await db('parent').del();
  });

  it('names the broken unique key, and keeps the SQL out of what a client reads', async () => {
    await db('parent').insert({ id: 'a', name: 'secret-name' });

    const error = await db('parent')
      .insert({ id: 'b', name: 'secret-name' })
      .catch((caught: unknown) => caught);

    expect(error).toBeInstanceOf(DuplicateKeyError);
    expect((error as DuplicateKeyError).constraint).toMatch(/parent[._]name/);
    expect((error as DuplicateKeyError).message).not.toMatch(/insert|secret-name/);
  });

  it('tells a missing parent from a parent still in use', async () => {
    await expect(db('child').insert({ id: 'c', parent_id: 'nobody', label: '' })).rejects.toThrow(ForeignKeyError);
    await db('parent').insert({ id: 'a', name: 'a' });
    await db('child').insert({ id: 'c', parent_id: 'a', label: '' });
    await expect(db('parent').where('id', 'a').del()).rejects.toThrow(ForeignKeyError);
  });

  it('compares text byte by byte', async () => {
    await db('parent').insert([
      { id: 'a', name: 'web' },
      { id: 'b', name: 'WEB' },
    ]);

    expect(await db('parent').where('name', 'WEB').pluck('id')).toEqual(['b']);
    expect(await prepared(db, 'select id from parent where name = ?', ['WEB'])).toEqual([{ id: 'b' }]);
  });

  it('counts matched rows, whether or not they changed', async () => {
    await db('parent').insert({ id: 'a', name: 'a' });

    expect(await db('parent').where('id', 'a').update({ name: 'a' })).toBe(1);
    expect(await db('parent').where('id', 'b').update({ name: 'a' })).toBe(0);
  });

  it('gives 64-bit counts exactly, by both kinds of statement', async () => {
    const count = '9007199254740993';
    await db('parent').insert({ id: 'a', name: 'a', count });

    const [row] = await db('parent').select('count');
    const [again] = await prepared(db, 'select count from parent where count = ?', [count]);

    expect(String(row.count)).toBe(count);
    expect(String(again?.['count'])).toBe(count);
  });

  it('gives small counts as numbers, computed ones too', async () => {
    await db('parent').insert({ id: 'a', name: 'a', count: 7 });

    expect(await prepared(db, 'select count, count + 1 as more from parent')).toEqual([{ count: 7, more: 8 }]);
    expect(await db('parent').count('* as n')).toEqual([{ n: 1 }]);
  });

  it('gives JSON as text, times as text with milliseconds', async () => {
    const row = { id: 'a', name: 'a', count: null, at: '2026-03-01 10:20:30.450', body: '{"a": 1}' };
    await db('parent').insert(row);

    expect(await db('parent').first()).toEqual(row);
    expect(await prepared(db, 'select * from parent')).toEqual([row]);
  });

  it('refuses to bind what only a codec may write', async () => {
    const insert = db('parent').insert({ id: 'a', name: 'a', at: new Date(0) });
    if (database.dialect === 'sqlite') await expect(insert).rejects.toThrow('codecs');
    else await expect(insert).resolves.toBeDefined();
  });

  it('compares and computes with its own clock', async () => {
    await db('parent').insert([
      { id: 'past', name: 'past', at: nowPlus(db, -60) },
      { id: 'soon', name: 'soon', at: nowPlus(db, 0.5) },
      { id: 'later', name: 'later', at: nowPlus(db, 3600) },
    ]);

    expect(await db('parent').where('at', '<', dbNow(db)).pluck('id')).toEqual(['past']);
    expect(await db('parent').where('at', '>', nowPlus(db, 60)).pluck('id')).toEqual(['later']);
    const [row] = await prepared<{ at: string; skew: string }>(
      db,
      `select at, ${nowSql(db)} as skew from parent where at < ${nowPlusSql(db, -30)}`,
    );
    expect(row?.at).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}$/);
    expect(Math.abs(Date.parse(`${row?.skew.replace(' ', 'T')}Z`) - Date.now())).toBeLessThan(5_000);
  });

  it('aggregates the rows below each row, in order, and any text among them', async () => {
    const nasty = 'a,"b"\\ \n ü';
    await db('parent').insert([
      { id: 'p', name: 'p' },
      { id: 'q', name: 'q' },
    ]);
    await db('child').insert([
      { id: '2', parent_id: 'p', label: nasty },
      { id: '1', parent_id: 'p', label: 'plain' },
    ]);
    const below = { from: 'child c', where: 'c.parent_id = p.id', orderBy: 'c.id' };

    const rows = await prepared<{ id: string; ids: string | null; labels: string; objects: string }>(
      db,
      `select p.id, ${idList('c.id', below)} as ids, ${jsonArrayOf(db, 'c.label', below)} as labels,
         ${jsonObjectsOf(db, { id: 'c.id', label: 'c.label' }, below)} as objects from parent p order by p.id`,
    );

    expect(rows.map(({ ids }) => ids)).toEqual(['1,2', null]);
    expect(rows.map(({ labels }) => JSON.parse(labels))).toEqual([['plain', nasty], []]);
    expect(rows.map(({ objects }) => JSON.parse(objects))).toEqual([
      [
        { id: '1', label: 'plain' },
        { id: '2', label: nasty },
      ],
      [],
    ]);
  });

  it('takes a limit as a binding of a prepared statement', async () => {
    await db('parent').insert(['a', 'b', 'c'].map((id) => ({ id, name: id })));

    expect(await prepared(db, 'select id from parent order by id limit ?', [2])).toEqual([{ id: 'a' }, { id: 'b' }]);
  });

  it('sees its own writes through prepared statements inside a transaction', async () => {
    await inTransaction(db, async (trx) => {
      await trx('parent').insert({ id: 'a', name: 'a' });
      expect(await prepared(trx, 'select id from parent')).toEqual([{ id: 'a' }]);
    });
  });

  it('serves more different statements than it keeps prepared', async () => {
    for (let i = 0; i < 600; i += 1) {
      expect(await prepared(db, `select ${i} as n`)).toEqual([{ n: i }]);
    }
    expect(await prepared(db, 'select 0 as n')).toEqual([{ n: 0 }]);
  });

  it('shows a new column to a statement that was prepared before it came', async () => {
    await db.schema.createTable('growing', (table) => table.integer('a'));
    await db('growing').insert({ a: 1 });
    await prepared(db, 'select * from growing');
    await db.schema.alterTable('growing', (table) => table.integer('b'));

    expect(await prepared(db, 'select * from growing')).toEqual([{ a: 1, b: null }]);
  });

  it('goes on with a statement that failed before', async () => {
    await db('parent').insert({ id: 'a', name: 'a' });
    const insert = (id: string) => prepared(db, 'insert into parent (id, name) values (?, ?)', [id, id]);

    await expect(insert('a')).rejects.toThrow(DuplicateKeyError);
    await insert('b');

    expect(await db('parent').orderBy('id').pluck('id')).toEqual(['a', 'b']);
  });

  describe('inTransaction', () => {
    it('rolls back whatever was written before an error', async () => {
      const change = inTransaction(db, async (trx) => {
        await trx('parent').insert({ id: 'a', name: 'a' });
        throw new Error('changed my mind');
      });

      await expect(change).rejects.toThrow('changed my mind');
      expect(await db('parent')).toEqual([]);
    });

    it('starts again from the beginning after a conflict, and gives up after its attempts', async () => {
      let runs = 0;
      const conflict = async (trx: Db): Promise<void> => {
        runs += 1;
        await trx('parent').insert({ id: `${runs}`, name: `${runs}` });
        if (runs < 3) throw new RetryableDbError(new Error('deadlock'));
      };

      await inTransaction(db, conflict, IMMEDIATELY);
      expect(await db('parent').pluck('id')).toEqual(['3']);

      const always = () => Promise.reject(new RetryableDbError(new Error('deadlock')));
      await expect(inTransaction(db, always, IMMEDIATELY)).rejects.toThrow('Project busy');
    });

    it('joins the transaction it is called in', async () => {
      const change = inTransaction(db, async (trx) => {
        await inTransaction(trx, (inner) => inner('parent').insert({ id: 'a', name: 'a' }));
        throw new Error('outer');
      });

      await expect(change).rejects.toThrow('outer');
      expect(await db('parent')).toEqual([]);
    });
  });

  if (database.dialect === 'mariadb') {
    it('runs a real deadlock again until both transactions are in', async () => {
      await db('parent').insert([
        { id: 'a', name: 'a', count: 0 },
        { id: 'b', name: 'b', count: 0 },
      ]);
      let waiting = 0;
      let release = (): void => undefined;
      const bothHoldOne = new Promise<void>((resolve) => {
        release = resolve;
      });
      const touch = (order: readonly string[]) =>
        inTransaction(db, async (trx) => {
          for (const id of order) {
            await trx('parent').where({ id }).increment('count', 1);
            waiting += 1;
            if (waiting === 2) release();
            await bothHoldOne;
          }
        });

      await Promise.all([touch(['a', 'b']), touch(['b', 'a'])]);

      expect(await db('parent').orderBy('id').pluck('count')).toEqual([2, 2]);
    });

    it('says that nobody answers, without the password', async () => {
      const url = 'mysql+pymysql://slipstream:hunter2@127.0.0.1:1/slipstream';

      const error = await connectDatabase(url, { acquireTimeout: 500, connectTimeout: 300 }).catch((caught) => caught);

      expect(error).toBeInstanceOf(DbUnavailableError);
      expect(error.message).not.toContain('hunter2');
    });

    it('survives that the server ends its connections', async () => {
      const [rows] = (await db.raw('show processlist')) as [{ Id: number; db: string; Info: string | null }[]];
      const [own] = (await db.raw('select connection_id() as id, database() as name')) as [
        { id: number; name: string }[],
      ];
      const others = rows.filter((row) => row.db === own[0]?.name && row.Id !== own[0]?.id);
      for (const { Id } of others) await db.raw('kill ?', [Id]);
      await db.raw('kill ?', [own[0]?.id ?? 0]).catch(() => undefined);

      // What was on its way fails in one way only; the pool then sees the dead connections off.
      let answer: unknown;
      for (let attempt = 0; attempt < 20 && answer === undefined; attempt += 1) {
        answer = await prepared(db, 'select 1 as one').catch((error) => {
          expect(error).toBeInstanceOf(DbUnavailableError);
        });
      }
      expect(answer).toEqual([{ one: 1 }]);
    });
  }
});

describe('connectDatabase on a SQLite file', () => {
  let folder: string;
  const children: ChildProcess[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ss-file-'));
  });
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  it('makes the folder, keeps the file to its owner, and finds the rows again', async () => {
    const url = sqliteUrl(join(folder, 'deep', 'site.db'));
    const first = await connectDatabase(url);
    await first.raw('create table t (a integer)');
    await first('t').insert({ a: 1 });
    await first.destroy();

    const second = await connectDatabase(url);
    expect(await second('t')).toEqual([{ a: 1 }]);
    await second.destroy();
    expect(existsSync(join(folder, 'deep', 'site.db.pid'))).toBe(false);
  });

  it('refuses a file that is open elsewhere, and names the process', async () => {
    const url = sqliteUrl(join(folder, 'site.db'));
    const first = await connectDatabase(url);

    const second = connectDatabase(url, { acquireTimeout: 1_000 });

    await expect(second).rejects.toThrow(DbUnavailableError);
    await expect(second).rejects.toThrow(`in use by process ${process.pid}`);
    await first.destroy();
  });

  it('takes over what a killed owner left behind, its lock and its committed rows', async () => {
    const file = join(folder, 'site.db');
    const owner = await holdInChild(file);
    await expect(connectDatabase(sqliteUrl(file), { acquireTimeout: 1_000 })).rejects.toThrow(`process ${owner.pid}`);
    const ended = new Promise((resolve) => owner.once('exit', resolve));
    owner.kill('SIGKILL');
    await ended;
    expect(existsSync(`${file}.lock`)).toBe(true);

    const db = await connectDatabase(sqliteUrl(file));

    expect(await db('t')).toEqual([{ a: 'committed' }]);
    await db.destroy();
  });

  it('does not take a recycled process number for the owner', async () => {
    const file = join(folder, 'site.db');
    writeFileSync(`${file}.pid`, JSON.stringify({ pid: process.pid, started: 'boot 1' }));
    mkdirSync(`${file}.lock`);

    const db = await connectDatabase(sqliteUrl(file));

    expect(JSON.parse(readFileSync(`${file}.pid`, 'utf8'))).toMatchObject({ pid: process.pid });
    await db.destroy();
  });

  /** A process that dies in a transaction, with one row committed: plain JavaScript, as nothing is compiled here. */
  async function holdInChild(file: string): Promise<ChildProcess> {
    const script = `
      const { readFileSync, writeFileSync } = require('node:fs');
      const { Database } = require('node-sqlite3-wasm');
      const stat = readFileSync('/proc/self/stat', 'utf8');
      const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
      const started = boot + ' ' + stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
      writeFileSync(process.argv[1] + '.pid', JSON.stringify({ pid: process.pid, started }));
      const db = new Database(process.argv[1]);
      db.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; create table t (a text); insert into t values ('committed'); BEGIN; insert into t values ('lost')");
      process.stdout.write('ready');
      setInterval(() => undefined, 1000);`;
    const child = spawn(process.execPath, ['-e', script, file], { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    await new Promise((resolve) => child.stdout?.once('data', resolve));
    return child;
  }
});
