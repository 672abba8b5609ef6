import { type Db, nowPlus } from '../../driver/db/connect';
import { deleteOutbox, insertOutbox, listLeftoverOutbox } from '../../driver/db/outbox';
import { describeOnDatabases } from '../support/database';

/** All that a fake clock would take over but `Date`. */
const REAL = ['hrtime', 'performance', 'nextTick', 'queueMicrotask', 'setImmediate', 'clearImmediate'] as const;
const REAL_TIMERS = ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] as const;

describeOnDatabases('the outbox', ({ open, dialect }) => {
  let db: Db;
  beforeEach(async () => {
    db = await open();
  });
  afterEach(() => db.destroy());

  const message = (id: string) => ({
    id,
    topic: 'topic',
    method: 'create_pool',
    args: { pool: { name: 'naïve "quoted"' } },
    loadBalancerId: 'lb',
  });
  const insertLeftover = async (id: string, secondsAgo: number): Promise<void> => {
    await insertOutbox(db, [message(id)]);
    await db('outbox')
      .where({ id })
      .update({ created_at: nowPlus(db, -secondsAgo) });
  };

  it('gives back the oldest leftovers as they were put in', async () => {
    await insertLeftover('b', 60);
    await insertLeftover('a', 90);
    await insertOutbox(db, [message('young')]);

    expect(await listLeftoverOutbox(db, 30, 10)).toEqual([message('a'), message('b')]);
    expect(await listLeftoverOutbox(db, 30, 1)).toEqual([message('a')]);
  });

  // The clock of SQLite is that of the host.
  const isApart = dialect === 'mariadb' ? [7_200, -7_200] : [];
  it.each([0, ...isApart])('goes by the database’s clock where that of the host is %i s off', async (off) => {
    jest.useFakeTimers({ now: Date.now() + off * 1000, doNotFake: [...REAL, ...REAL_TIMERS] });
    await insertOutbox(db, [message('a')]).finally(() => jest.useRealTimers());

    expect(await listLeftoverOutbox(db, 60, 10)).toEqual([]);
    expect(await listLeftoverOutbox(db, -60, 10)).toEqual([message('a')]);
  });

  it('forgets what has been published', async () => {
    await insertLeftover('a', 60);
    await insertLeftover('b', 60);

    await deleteOutbox(db, ['a']);

    expect((await listLeftoverOutbox(db, 0, 10)).map(({ id }) => id)).toEqual(['b']);
  });
});
