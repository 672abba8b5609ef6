import type { Db } from '../../driver/db/connect';
import { releaseJobLease, renewJobLease, takeJobLease } from '../../driver/db/jobLeases';
import { describeOnDatabases } from '../support/database';

describeOnDatabases('leases of jobs', (database) => {
  let db: Db;
  beforeAll(async () => {
    db = await database.open();
  });
  const take = (name: string, owner: string, seconds = 60) => takeJobLease(db, { name, owner, seconds });

  it('gives a job to one of several', async () => {
    const taken = await Promise.all(['a', 'b', 'c'].map((owner) => take('one', owner)));

    expect(taken.filter((lease) => lease !== undefined)).toHaveLength(1);
  });

  it('gives it to the next one when it is released', async () => {
    const first = await take('two', 'a');
    expect(await take('two', 'b')).toBeUndefined();

    if (first) await releaseJobLease(db, first);

    expect(await take('two', 'b')).toMatchObject({ owner: 'b', epoch: 2 });
  });

  it('takes it from a holder whose time is up, who then holds nothing any more', async () => {
    const first = await take('three', 'a', -1);
    const second = await take('three', 'b');

    expect(second).toMatchObject({ owner: 'b' });
    expect(first && (await renewJobLease(db, first, 60))).toBe(false);
    if (first) await releaseJobLease(db, first);
    expect(second && (await renewJobLease(db, second, 60))).toBe(true);
  });
});
