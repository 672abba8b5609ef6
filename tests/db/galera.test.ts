import { connectDatabase, type Db, inTransaction } from '../../driver/db/connect';
import { upgradeDatabase } from '../../driver/db/migrate';
import { type GaleraCluster, startGalera } from '../support/galera';
import { insertLoadBalancer } from '../support/rows';
import { waitUntil } from '../support/wait';
import { describeWithGalera } from '../support/withServers';

jest.setTimeout(60_000);

describeWithGalera('two nodes of a Galera cluster that are both written to', () => {
  let cluster: GaleraCluster;
  let here: Db;
  let there: Db;

  beforeAll(async () => {
    cluster = await startGalera();
    const [a, b] = cluster.urls;
    const options = { maxPoolSize: 4, wsrepSyncWait: 1 };
    here = await connectDatabase(a, options);
    await upgradeDatabase(here);
    await here.schema.createTable('box', (table) => {
      table.string('id', 36).notNullable().primary();
      table.integer('n').notNullable();
    });
    there = await connectDatabase(b, options);
  }, 240_000);
  afterAll(async () => {
    await here?.destroy();
    await there?.destroy();
    await cluster?.stop();
  }, 60_000);
  beforeEach(async () => {
    await here('box').delete();
    await here('box').insert({ id: 'x', n: 0 });
  });
  const valueAt = async (db: Db): Promise<number> => (await db('box').where('id', 'x').first('n')).n;

  it('hold the same schema', async () => {
    const tables = async (db: Db) => (await db.raw('show tables'))[0];

    expect(await tables(there)).toEqual(await tables(here));
    await insertLoadBalancer(here, { id: 'lb-1' });
    expect(await there('load_balancer').where('id', 'lb-1').first('id')).toEqual({ id: 'lb-1' });
  });

  it('a transaction that loses against one of the other node is run again, and nothing is lost', async () => {
    let runs = 0;

    await inTransaction(here, async (trx) => {
      runs += 1;
      await trx('box').where('id', 'x').increment('n', 1);
      if (runs > 1) return;
      // Commits at once at the other node: the cluster then ends this one, at its next word or at its COMMIT.
      await there('box').where('id', 'x').increment('n', 10);
    });

    expect(runs).toBeGreaterThan(1);
    expect(await valueAt(here)).toBe(11);
    expect(await valueAt(there)).toBe(11);
  });

  it('statements and transactions in a crowd all come through, each once', async () => {
    const increments = [here, there].flatMap((db) => [
      ...Array.from({ length: 10 }, () => async () => db('box').where('id', 'x').increment('n', 1)),
      ...Array.from(
        { length: 10 },
        () => () => inTransaction(db, (trx) => trx('box').where('id', 'x').increment('n', 1)),
      ),
    ]);
    // In pairs: more at a time is more than the attempts of anybody.
    for (let at = 0; at < 20; at += 1) await Promise.all([increments[at]?.(), increments[20 + at]?.()]);

    await waitUntil(
      'both nodes say so',
      5_000,
      async () => (await valueAt(here)) === 40 && (await valueAt(there)) === 40,
    );
  });
});
