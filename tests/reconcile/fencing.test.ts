import type { Db } from '../../driver/db/connect';
import { reconcileLoadBalancer } from '../../driver/reconcile/loadBalancerUnit';
import { describeOnDatabases } from '../support/database';
import { type Lab, startLab } from '../support/reconciler';
import { insertListener, insertLoadBalancer, insertPlacement } from '../support/rows';

const CREATING = {
  provisioning_status: 'PENDING_CREATE',
  generation: 1,
  settled_generation: 0,
  pending_deadline: '2099-01-01 00:00:00.000',
} as const;

describeOnDatabases('workers that meet', (database) => {
  let db: Db;
  let lab: Lab;
  beforeEach(async () => {
    db = await database.open();
    lab = await startLab(db);
  });
  afterEach(async () => {
    await lab.close();
    await db.destroy();
  });

  const everything = async (id: string) => ({
    row: await lab.row(id),
    listeners: await db('listener').select('*'),
    placements: await db('placement').select('*'),
    engines: await db('service_engine').select('*'),
    events: await db('event').select('*'),
  });

  it.each(['placements: want', 'settle'])('one that was overtaken before "%s" changes nothing', async (fatalStep) => {
    const lb = await insertLoadBalancer(db, CREATING);
    await insertListener(db, { load_balancer_id: lb.id, provisioning_status: 'PENDING_CREATE' });
    if (fatalStep === 'settle') await insertPlacement(db, { load_balancer_id: lb.id, service_engine_id: lab.engineId });
    let before: unknown;
    const overtaken = lab.parts({
      trace: async (step) => {
        if (step !== fatalStep) return;
        await db('load_balancer')
          .where({ id: lb.id })
          .update({ lease_owner: 'other', lease_epoch: 99, lease_until: '2099-01-01 00:00:00.000' });
        before = await everything(lb.id);
      },
    });
    const run = reconcileLoadBalancer(overtaken, lb.id);
    expect(await run).toMatchObject({ kind: 'waiting' });
    expect(await everything(lb.id)).toEqual(before);
  });

  it('the second one waits for its turn and does not touch what the first has in hand', async () => {
    const lb = await insertLoadBalancer(db, {
      ...CREATING,
      lease_owner: 'other',
      lease_epoch: 4,
      lease_until: '2099-01-01 00:00:00.000',
    });
    const before = await everything(lb.id);
    expect(await reconcileLoadBalancer(lab.parts(), lb.id)).toMatchObject({ kind: 'waiting' });
    expect(await everything(lb.id)).toEqual(before);
  });

  it('a change that comes in during a run is not settled by it, but by the next', async () => {
    const lb = await insertLoadBalancer(db, CREATING);
    const noEngines = lab.parts({ bootsNothing: true });
    const deleted = { generation: 2, provisioning_status: 'PENDING_DELETE', deleting: 1 };
    const trace = async (step: string): Promise<void> => {
      if (step === 'settle') await db('load_balancer').where({ id: lb.id }).update(deleted);
    };
    const run = reconcileLoadBalancer({ ...noEngines, trace }, lb.id);
    expect(await run).toMatchObject({ kind: 'waiting', retryAfter: 0 });
    expect(await lab.row(lb.id)).toMatchObject({
      provisioning_status: 'PENDING_DELETE',
      settled_generation: 0,
      lease_owner: null,
    });
    await reconcileLoadBalancer(noEngines, lb.id);
    expect(await lab.row(lb.id)).toMatchObject({ provisioning_status: 'DELETED', settled_generation: 2 });
  });

  it('two workers and many hints bring many load balancers home, each slot taken once', async () => {
    await db('service_engine').update({ slots: 100 });
    await lab.startWorker();
    await lab.startWorker();
    const lbs = await Promise.all(Array.from({ length: 20 }, () => insertLoadBalancer(db, CREATING)));
    await Promise.all(lbs.flatMap(({ id }) => [lab.hint(id), lab.hint(id), lab.hint(id)]));
    for (const { id } of lbs) await lab.reaches(id, 'ACTIVE');
    expect(await db('placement').count({ n: '*' }).first()).toEqual({ n: 20 });
    expect(await db('service_engine').first()).toMatchObject({ slots_used: 20 });
  });
});
