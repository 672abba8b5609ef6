import { connectDatabase } from '../../driver/db/connect';
import { pingDatabase } from '../../driver/db/ping';
import { poolUse } from '../../driver/db/poolUse';

it('is quick about a database that answers, and tells of one that does not in time', async () => {
  const db = await connectDatabase('sqlite://');
  expect(await pingDatabase(db)).toBeUndefined();

  const held = await db.transaction();
  const asked = pingDatabase(db, 50);
  expect(await asked).toBe('The database did not answer within 0.05 s.');
  expect(poolUse(db)).toEqual({ used: 1, free: 0, waiting: 1 });
  await held.rollback();

  expect(await pingDatabase(db)).toBeUndefined();
  expect(poolUse(db)).toEqual({ used: 0, free: 1, waiting: 0 });
  await db.destroy();
});
