import type { Db } from '../../driver/db/connect';
import { deleteOutbox, insertOutbox, listLeftoverOutbox } from '../../driver/db/outbox';
import { describeOnDatabases } from '../support/database';

describeOnDatabases('the outbox', ({ open }) => {
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
  const secondsAgo = (seconds: number) => new Date(Date.now() - seconds * 1000);

  it('gives back the oldest leftovers as they were put in', async () => {
    await insertOutbox(db, [message('b')], secondsAgo(60));
    await insertOutbox(db, [message('a')], secondsAgo(90));
    await insertOutbox(db, [message('young')], secondsAgo(0));

    expect(await listLeftoverOutbox(db, 30, 10)).toEqual([message('a'), message('b')]);
    expect(await listLeftoverOutbox(db, 30, 1)).toEqual([message('a')]);
  });

  it('forgets what has been published', async () => {
    await insertOutbox(db, [message('a'), message('b')], secondsAgo(60));

    await deleteOutbox(db, ['a']);

    expect((await listLeftoverOutbox(db, 0, 10)).map(({ id }) => id)).toEqual(['b']);
  });
});
