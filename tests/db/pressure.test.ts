import { connectDatabase, type Db, DbUnavailableError, inTransaction, RetryableDbError } from '../../driver/db/connect';
import { upgradeDatabase } from '../../driver/db/migrate';
import { PROJECT, startTestApi } from '../support/api';
import { joinMariaDb, type MariaDbServer } from '../support/mariaDb';
import { waitUntil } from '../support/wait';
import { describeWithMariaDb } from '../support/withServers';

/** What a loaded MariaDB does to its callers, provoked on a real one. */
describeWithMariaDb('MariaDB under pressure', () => {
  let server: MariaDbServer;
  let db: Db;
  let other: Db;
  let url: string;
  const options = { maxPoolSize: 4, lockTimeout: 1000, acquireTimeout: 300 };

  beforeAll(async () => {
    server = await joinMariaDb();
    url = await server.createDatabase();
    db = await connectDatabase(url, options);
    other = await connectDatabase(url, options);
    await upgradeDatabase(other);
    await db.schema.createTable('box', (table) => {
      table.string('id', 36).notNullable().primary();
      table.integer('n').notNullable();
    });
  }, 60_000);
  afterAll(async () => {
    await db?.destroy();
    await other?.destroy();
    await server?.leave();
  });
  beforeEach(async () => {
    await other('box').delete();
    await other('box').insert(
      Array.from({ length: 20 }, (_, n) => ({ id: `box-${String(n).padStart(2, '0')}`, n: 0 })),
    );
  });
  const values = () => other('box').whereIn('id', ['box-00', 'box-01']).orderBy('id').pluck('n');

  it('has every table in InnoDB, in the binary collation, with a primary key that is no counter', async () => {
    const [tables] = (await db.raw(
      `select table_name as name, engine, table_collation as collation from information_schema.tables
        where table_schema = database() and table_type = 'BASE TABLE' and table_name <> 'box'`,
    )) as [{ name: string; engine: string; collation: string }[]];
    const [keyed] = (await db.raw(
      `select table_name as name from information_schema.table_constraints
        where table_schema = database() and constraint_type = 'PRIMARY KEY'`,
    )) as [{ name: string }[]];
    const [columns] = (await db.raw(
      `select table_name as name, collation_name as collation, extra from information_schema.columns
        where table_schema = database()`,
    )) as [{ name: string; collation: string | null; extra: string }[]];

    expect(tables.length).toBeGreaterThan(25);
    expect(tables.filter(({ engine }) => engine !== 'InnoDB')).toEqual([]);
    expect(tables.filter(({ collation }) => collation !== 'utf8mb4_bin')).toEqual([]);
    expect(columns.filter(({ collation }) => collation !== null && collation !== 'utf8mb4_bin')).toEqual([]);
    expect(columns.filter(({ extra }) => extra.includes('auto_increment'))).toEqual([]);
    const names = new Set(keyed.map(({ name }) => name));
    expect(tables.filter(({ name }) => !names.has(name))).toEqual([]);
  });

  it('keeps what refers to something referring to something: each such column is a foreign key, or says why not', async () => {
    const [columns] = (await db.raw(
      `select concat(c.table_name, '.', c.column_name) as name from information_schema.columns c
        join information_schema.tables t on t.table_schema = database() and t.table_name = replace(c.column_name, '_id', '')
        left join information_schema.key_column_usage k on k.table_schema = database() and k.table_name = c.table_name
          and k.column_name = c.column_name and k.referenced_table_name is not null
        where c.table_schema = database() and c.column_name like '%\\\\_id' and k.column_name is null order by name`,
    )) as [{ name: string }[]];

    expect(columns.map(({ name }) => name)).toEqual(UNBOUND);
  });

  it('runs a statement of its own again that a deadlock has chosen', async () => {
    const [before] = (await other.raw("show global status like 'Innodb_deadlocks'")) as [{ Value: string }[]];
    let single: Promise<unknown> | undefined;

    await inTransaction(other, async (trx) => {
      // More rows than the other has changed: it is the one that gives way.
      await trx('box').whereNot('id', 'box-00').increment('n', 1);
      // A builder runs once for each `then`.
      single = (async () =>
        db('box')
          .whereIn('id', ['box-00', 'box-01'])
          .orderBy('id')
          .update({ n: db.raw('n + 10') }))();
      await waitUntil('the statement waits for a row', 5_000, async () => {
        const [rows] = (await other.raw(
          'select trx_state from information_schema.innodb_lock_waits w join information_schema.innodb_trx t on t.trx_id = w.requesting_trx_id',
        )) as [unknown[]];
        return rows.length > 0;
      });
      await trx('box').where('id', 'box-00').increment('n', 1);
    });

    expect(await single).toBe(2);
    expect(await values()).toEqual([11, 11]);
    const [after] = (await other.raw("show global status like 'Innodb_deadlocks'")) as [{ Value: string }[]];
    expect(Number(after[0]?.Value)).toBeGreaterThan(Number(before[0]?.Value));
  });

  it('runs a transaction again that waited for a lock for too long', async () => {
    const held = await other.transaction();
    await held('box').where('id', 'box-00').increment('n', 1);
    let runs = 0;

    const change = inTransaction(db, async (trx) => {
      runs += 1;
      if (runs === 2) await held.commit();
      await trx('box').where('id', 'box-00').increment('n', 1);
    });

    await change;
    expect(runs).toBe(2);
    expect(await values()).toEqual([2, 0]);
  });

  it('tells "project busy" when a lock is never given up', async () => {
    const held = await other.transaction();
    await held('box').where('id', 'box-00').increment('n', 1);

    const change = inTransaction(db, (trx) => trx('box').where('id', 'box-00').increment('n', 1), {
      attempts: 2,
      delay: () => 0,
    });

    await expect(change).rejects.toThrow(RetryableDbError);
    await expect(change).rejects.toMatchObject({ status: 503 });
    await held.rollback();
    expect(await values()).toEqual([0, 0]);
  });

  it('ends a statement that runs for too long, and nothing of its transaction stays', async () => {
    const hasty = await connectDatabase(url, { ...options, statementTimeout: 200 });
    const change = inTransaction(hasty, async (trx) => {
      await trx('box').where('id', 'box-00').increment('n', 1);
      await trx.raw('select count(*) from box a, box b, box c, box d, box e, box f, box g, box h');
    });

    const error = await change.catch((caught: unknown) => caught);
    await hasty.destroy();
    expect(error).toBeInstanceOf(DbUnavailableError);
    // Fit for a client: without the SQL.
    expect((error as Error).message).toBe('The database is not available: a statement took too long.');
    expect(await values()).toEqual([0, 0]);
  });

  it('answers 503 while every connection is taken, and as ever afterwards', async () => {
    const api = await startTestApi({ db });
    const held = await Promise.all(Array.from({ length: options.maxPoolSize }, () => db.transaction()));

    const refused = await Promise.all([
      api.get('/v2/lbaas/loadbalancers'),
      api.post('/v2/lbaas/loadbalancers', { loadbalancer: { name: 'busy', vip_network_id: PROJECT } }),
    ]);
    for (const trx of held) await trx.rollback();

    expect(refused.map(({ status }) => status)).toEqual([503, 503]);
    expect(refused[0]?.body.faultstring).toContain('no connection became free');
    expect((await api.get('/v2/lbaas/loadbalancers')).body.loadbalancers).toEqual([]);
    const made = await api.post('/v2/lbaas/loadbalancers', {
      loadbalancer: { name: 'again', vip_network_id: PROJECT },
    });
    expect(made.status).toBe(201);
    await api.close();
  });
});

/** History, messages and counters outlive what they are about; a DELETED load balancer its flavor. A port is taken before its load balancer has a row. */
const UNBOUND: readonly string[] = [
  'event.load_balancer_id',
  'event.service_engine_id',
  'listener_statistics.listener_id',
  'listener_statistics.load_balancer_id',
  'load_balancer.flavor_id',
  'octavia_import.load_balancer_id',
  'outbox.load_balancer_id',
  'taken_port.load_balancer_id',
];
