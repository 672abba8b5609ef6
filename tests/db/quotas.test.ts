import { type Db, inTransaction } from '../../driver/db/connect';
import {
  checkQuota,
  type DefaultQuotas,
  emptyQuota,
  lowerQuota,
  type QuotaDemand,
  raiseQuota,
  recountQuotas,
} from '../../driver/db/quotas';
import { QuotaError } from '../../driver/domain/errors';
import { describeOnDatabases } from '../support/database';

const PROJECT = 'p'.repeat(32);
const UNLIMITED: DefaultQuotas = {
  load_balancer: -1,
  listener: -1,
  pool: -1,
  member: -1,
  health_monitor: -1,
  l7policy: -1,
  l7rule: -1,
};

describeOnDatabases('quotas', ({ open }) => {
  let db: Db;
  beforeEach(async () => {
    db = await open();
  });
  afterEach(() => db.destroy());

  const raise = (add: QuotaDemand['add'], defaults = UNLIMITED, freed: QuotaDemand['add'] = {}) =>
    inTransaction(db, (trx) => raiseQuota(trx, { projectId: PROJECT, add, freed }, defaults));
  const quota = () => db('quotas').where({ project_id: PROJECT }).first();
  const limit = (columns: object) => db('quotas').insert({ ...emptyQuota(PROJECT), ...columns });

  it('the first create makes the row, without limits of its own', async () => {
    await raise({ load_balancer: 1, member: 3 });

    expect(await quota()).toMatchObject({
      load_balancer: null,
      in_use_load_balancer: 1,
      in_use_member: 3,
      in_use_pool: 0,
    });
  });

  it('counts up to the limit of the project and not beyond', async () => {
    await limit({ listener: 2 });
    await raise({ listener: 2 });

    await expect(raise({ listener: 1 })).rejects.toThrow(new QuotaError('Listener'));
    expect(await quota()).toMatchObject({ in_use_listener: 2 });
  });

  it('the default holds where the project has no limit, before and after its first row', async () => {
    const defaults = { ...UNLIMITED, pool: 1 };
    await expect(raise({ pool: 2 }, defaults)).rejects.toThrow(new QuotaError('Pool'));
    await raise({ pool: 1 }, defaults);

    await expect(raise({ pool: 1 }, defaults)).rejects.toThrow(QuotaError);
    expect(await quota()).toMatchObject({ in_use_pool: 1 });
  });

  it('-1 lets a project have any number where the default does not', async () => {
    await limit({ pool: -1 });

    await raise({ pool: 1000 }, { ...UNLIMITED, pool: 1 });

    expect(await quota()).toMatchObject({ in_use_pool: 1000 });
  });

  it('of several kinds none is taken if one is over', async () => {
    await limit({ member: 1 });

    await expect(raise({ load_balancer: 1, listener: 1, member: 2 })).rejects.toThrow(new QuotaError('Member'));
    expect(await quota()).toMatchObject({ in_use_load_balancer: 0, in_use_listener: 0, in_use_member: 0 });
  });

  it('what the same change frees makes room at once and is counted until it is gone', async () => {
    await limit({ member: 3, in_use_member: 3 });

    await raise({ member: 2 }, UNLIMITED, { member: 2 });
    await expect(raise({ member: 3 }, UNLIMITED, { member: 2 })).rejects.toThrow(QuotaError);

    expect(await quota()).toMatchObject({ in_use_member: 5 });
  });

  it('as many of a crowd get one as there are', async () => {
    await limit({ listener: 5 });

    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => raise({ listener: 1 })));

    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(5);
    expect(await quota()).toMatchObject({ in_use_listener: 5 });
  });

  it('a crowd of first creates is counted to the last', async () => {
    await Promise.all(Array.from({ length: 12 }, () => raise({ pool: 1 })));

    expect(await quota()).toMatchObject({ in_use_pool: 12 });
  });

  it('goes down to zero and not below', async () => {
    await limit({ in_use_member: 3, in_use_pool: 1 });

    await lowerQuota(db, PROJECT, { member: 2, pool: 5 });

    expect(await quota()).toMatchObject({ in_use_member: 1, in_use_pool: 0 });
  });

  it('is looked at beforehand without being taken', async () => {
    await limit({ pool: 1 });

    await checkQuota(db, { projectId: PROJECT, add: { pool: 1 } }, UNLIMITED);
    await expect(checkQuota(db, { projectId: PROJECT, add: { pool: 2 } }, UNLIMITED)).rejects.toThrow(QuotaError);

    expect(await quota()).toMatchObject({ in_use_pool: 0 });
  });

  it('a recount puts right what is wrong and names the project', async () => {
    await limit({ in_use_member: 7 });
    await db('quotas').insert({ ...emptyQuota('fine') });

    expect(await recountQuotas(db)).toEqual([PROJECT]);
    expect(await quota()).toMatchObject({ in_use_member: 0 });
    expect(await recountQuotas(db)).toEqual([]);
  });
});
