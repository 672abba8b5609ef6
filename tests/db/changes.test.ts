import { type Claim, claimLoadBalancer, markListenersOf, markPendingDelete } from '../../driver/db/changes';
import { type Db, inTransaction } from '../../driver/db/connect';
import { PROVISIONING_STATUSES } from '../../driver/domain/status';
import { describeOnDatabases } from '../support/database';
import { insertListener, insertLoadBalancer } from '../support/rows';

const AT = new Date('2026-01-02T03:04:05.678Z');

describeOnDatabases('claims', ({ open }) => {
  let db: Db;
  beforeEach(async () => {
    db = await open();
  });
  afterEach(() => db.destroy());

  const claim = (id: string, intent: Claim['intent']) =>
    claimLoadBalancer(db, { loadBalancerId: id, intent, deadline: 120, at: AT });
  const row = (id: string) => db('load_balancer').where({ id }).first();
  const seed = async (given: Parameters<typeof insertLoadBalancer>[1]): Promise<string> =>
    (await insertLoadBalancer(db, given)).id;

  it.each([
    { intent: 'update', from: ['ACTIVE'], to: 'PENDING_UPDATE' },
    { intent: 'failover', from: ['ACTIVE', 'ERROR'], to: 'PENDING_UPDATE' },
    { intent: 'delete', from: ['ACTIVE', 'ERROR'], to: 'PENDING_DELETE' },
  ] as const)('for $intent take $from and no other status', async ({ intent, from, to }) => {
    for (const status of PROVISIONING_STATUSES) {
      const id = await seed({
        provisioning_status: status,
        generation: 7,
        pending_deadline: '2999-01-01 00:00:00.000',
      });
      const claimable = (from as readonly string[]).includes(status);

      expect(await claim(id, intent)).toBe(claimable ? 'claimed' : status);
      expect(await row(id)).toMatchObject(
        claimable ? { provisioning_status: to, generation: 8 } : { provisioning_status: status, generation: 7 },
      );
    }
  });

  it('set the deadline by the database clock and make the sweep look at once', async () => {
    const id = await seed({ attempts: 4, retry_at: '2999-01-01 00:00:00.000' });
    await claim(id, 'update');

    const { pending_deadline: deadline, ...claimed } = await row(id);
    expect(claimed).toMatchObject({ attempts: 0, retry_at: null, updated_at: '2026-01-02 03:04:05.678', deleting: 0 });
    const seconds = (Date.parse(`${deadline.replace(' ', 'T')}Z`) - Date.now()) / 1000;
    expect(Math.abs(seconds - 120)).toBeLessThan(30);
  });

  it('for delete take over what has been pending for too long, whatever it was', async () => {
    for (const status of ['PENDING_CREATE', 'PENDING_UPDATE', 'PENDING_DELETE'] as const) {
      const id = await seed({ provisioning_status: status, pending_deadline: '2020-01-01 00:00:00.000' });

      expect(await claim(id, 'update')).toBe(status);
      expect(await claim(id, 'delete')).toBe('claimed');
      expect(await row(id)).toMatchObject({ deleting: 1 });
    }
  });

  it('do not call off a delete that is carried on with', async () => {
    const id = await seed({ provisioning_status: 'ERROR', deleting: 1 });

    expect(await claim(id, 'failover')).toBe('ERROR');
    expect(await claim(id, 'delete')).toBe('claimed');
  });

  it('know what is not there', async () => {
    expect(await claim('nobody', 'update')).toBe('absent');
  });

  it('are won by one of many', async () => {
    const id = await seed({});

    const outcomes = await Promise.all(
      Array.from({ length: 8 }, () =>
        inTransaction(db, (trx) =>
          claimLoadBalancer(trx, { loadBalancerId: id, intent: 'update', deadline: 120, at: AT }),
        ),
      ),
    );

    expect(outcomes.filter((outcome) => outcome === 'claimed')).toHaveLength(1);
    expect(await row(id)).toMatchObject({ generation: 2 });
  });

  it('leave listeners on their way out as they are', async () => {
    const id = await seed({});
    const { id: stays } = await insertListener(db, { load_balancer_id: id });
    const { id: goes } = await insertListener(db, { load_balancer_id: id, protocol_port: 81 });
    await markPendingDelete(db, 'listener', [goes], AT);

    await markListenersOf(db, { loadBalancerId: id, poolIds: ['no such pool'] }, AT);

    expect(await db('listener').where({ id: stays }).first()).toMatchObject({ provisioning_status: 'ACTIVE' });
    expect(await db('listener').where({ id: goes }).first()).toMatchObject({
      provisioning_status: 'PENDING_DELETE',
      deleting: 1,
    });
  });
});
