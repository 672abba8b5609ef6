import type { Db } from '../../driver/db/connect';
import { type Lease, LeaseLostError } from '../../driver/db/leases';
import { loadTree } from '../../driver/db/tree';
import { guardSteps } from '../../driver/reconcile/loadBalancerRun';
import { reconcileLoadBalancer } from '../../driver/reconcile/loadBalancerUnit';
import { openTestDatabase } from '../support/database';
import { type Lab, type LabOptions, startLab } from '../support/reconciler';
import {
  insertEngine,
  insertListener,
  insertLoadBalancer,
  insertMember,
  insertMonitor,
  insertPlacement,
  insertPolicy,
  insertPool,
  insertRule,
  type Seed,
} from '../support/rows';
import { waitUntil } from '../support/wait';

const FAR = '2099-01-01 00:00:00.000';
const PAST = '2020-01-01 00:00:00.000';
/** As a claim leaves the row: generation 2 is wanted, 1 is done. */
const claimed = (status: 'PENDING_CREATE' | 'PENDING_UPDATE' | 'PENDING_DELETE'): Seed<'load_balancer'> => ({
  provisioning_status: status,
  generation: 2,
  settled_generation: 1,
  pending_deadline: FAR,
});

let db: Db;
let lab: Lab;
const open = async (options: LabOptions = {}): Promise<void> => {
  lab = await startLab(db, options);
};
beforeEach(async () => {
  db = await openTestDatabase();
});
afterEach(async () => {
  await lab.close();
  await db.destroy();
});

const statusOf = async (table: string, id: string): Promise<string | undefined> =>
  (await db(table).where({ id }).first())?.provisioning_status;

describe('without engines (the no-op drivers)', () => {
  beforeEach(() => open({ bootsNothing: true }));

  it('settles a create in one run, in three statements', async () => {
    const lb = await insertLoadBalancer(db, claimed('PENDING_CREATE'));
    const statements: string[] = [];
    db.on('query', ({ sql }: { sql: string }) => statements.push(sql));

    expect(await reconcileLoadBalancer(lab.parts(), lb.id)).toEqual({ kind: 'settled' });

    expect(statements.length).toBeLessThanOrEqual(3);
    expect(await lab.row(lb.id)).toMatchObject({
      provisioning_status: 'ACTIVE',
      operating_status: 'OFFLINE',
      settled_generation: 2,
      pending_deadline: null,
      lease_owner: null,
    });
  });

  it('makes a whole tree ACTIVE; monitors, policies and rules are ONLINE if enabled', async () => {
    const lb = await insertLoadBalancer(db, claimed('PENDING_CREATE'));
    const pending = { provisioning_status: 'PENDING_CREATE' } as const;
    const pool = await insertPool(db, { load_balancer_id: lb.id, ...pending });
    const member = await insertMember(db, { pool_id: pool.id, operating_status: 'NO_MONITOR', ...pending });
    await insertMonitor(db, { pool_id: pool.id, ...pending });
    const listener = await insertListener(db, { load_balancer_id: lb.id, default_pool_id: pool.id, ...pending });
    const policy = await insertPolicy(db, { listener_id: listener.id, ...pending });
    await insertRule(db, { l7policy_id: policy.id, enabled: 0, ...pending });

    await reconcileLoadBalancer(lab.parts(), lb.id);

    expect(await loadTree(db, lb.id)).toMatchObject({
      provisioningStatus: 'ACTIVE',
      listeners: [
        {
          provisioningStatus: 'ACTIVE',
          operatingStatus: 'OFFLINE',
          policies: [
            {
              provisioningStatus: 'ACTIVE',
              operatingStatus: 'ONLINE',
              rules: [{ provisioningStatus: 'ACTIVE', operatingStatus: 'OFFLINE' }],
            },
          ],
        },
      ],
      pools: [
        {
          provisioningStatus: 'ACTIVE',
          operatingStatus: 'OFFLINE',
          members: [{ id: member.id, provisioningStatus: 'ACTIVE', operatingStatus: 'NO_MONITOR' }],
          monitor: { provisioningStatus: 'ACTIVE', operatingStatus: 'ONLINE' },
        },
      ],
    });
  });

  it('removes deleted children with their parts and tags, and gives their quota back', async () => {
    const lb = await insertLoadBalancer(db, claimed('PENDING_UPDATE'));
    const deleting = { provisioning_status: 'PENDING_DELETE', deleting: 1 } as const;
    const pool = await insertPool(db, { load_balancer_id: lb.id, ...deleting });
    await insertMember(db, { pool_id: pool.id });
    await insertMonitor(db, { pool_id: pool.id });
    await db('session_persistence').insert({ pool_id: pool.id, type: 'SOURCE_IP' });
    await db('tags').insert({ resource_id: pool.id, tag: 'x' });
    const listener = await insertListener(db, {
      load_balancer_id: lb.id,
      default_pool_id: pool.id,
      provisioning_status: 'PENDING_UPDATE',
    });
    await db('quotas').insert({
      project_id: 'project-1',
      ...Object.fromEntries(
        ['load_balancer', 'listener', 'pool', 'member', 'health_monitor', 'l7policy', 'l7rule'].map((kind) => [
          `in_use_${kind}`,
          5,
        ]),
      ),
    });

    await reconcileLoadBalancer(lab.parts(), lb.id);

    for (const table of ['pool', 'member', 'health_monitor', 'session_persistence', 'tags'])
      expect(await db(table).select('*')).toEqual([]);
    expect(await db('listener').where({ id: listener.id }).first()).toMatchObject({
      default_pool_id: null,
      provisioning_status: 'ACTIVE',
    });
    expect(await db('quotas').first()).toMatchObject({
      in_use_pool: 4,
      in_use_member: 4,
      in_use_health_monitor: 4,
      in_use_listener: 5,
      in_use_load_balancer: 5,
    });
  });

  it('keeps policy positions dense, and members of a pool that lost its monitor read NO_MONITOR', async () => {
    const lb = await insertLoadBalancer(db, claimed('PENDING_UPDATE'));
    const pool = await insertPool(db, { load_balancer_id: lb.id });
    const member = await insertMember(db, { pool_id: pool.id, operating_status: 'ONLINE' });
    await insertMonitor(db, { pool_id: pool.id, deleting: 1 });
    const listener = await insertListener(db, { load_balancer_id: lb.id });
    await insertPolicy(db, { listener_id: listener.id, position: 1 });
    await insertPolicy(db, { listener_id: listener.id, position: 2, deleting: 1 });
    const third = await insertPolicy(db, { listener_id: listener.id, position: 3 });

    await reconcileLoadBalancer(lab.parts(), lb.id);

    expect(await db('l7policy').where({ id: third.id }).first()).toMatchObject({ position: 2 });
    expect(await db('member').where({ id: member.id }).first()).toMatchObject({ operating_status: 'NO_MONITOR' });
  });

  it('deletes a load balancer from ERROR, with everything under it; its row stays as DELETED', async () => {
    const lb = await insertLoadBalancer(db, {
      ...claimed('PENDING_DELETE'),
      provisioning_status: 'ERROR',
      deleting: 1,
    });
    const pool = await insertPool(db, { load_balancer_id: lb.id });
    await insertMember(db, { pool_id: pool.id });
    await insertListener(db, { load_balancer_id: lb.id, default_pool_id: pool.id });
    await db('tags').insert({ resource_id: lb.id, tag: 'x' });

    await reconcileLoadBalancer(lab.parts(), lb.id);

    const row = await lab.row(lb.id);
    expect(row).toMatchObject({ provisioning_status: 'DELETED', settled_generation: 2 });
    expect(row.deleted_at).not.toBeNull();
    for (const table of ['pool', 'member', 'listener', 'tags']) expect(await db(table).select('*')).toEqual([]);
  });

  it('a hint for a load balancer that is settled, or is not there, changes nothing', async () => {
    const lb = await insertLoadBalancer(db);
    const before = await lab.row(lb.id);
    expect(await reconcileLoadBalancer(lab.parts(), lb.id)).toEqual({ kind: 'settled' });
    expect(await reconcileLoadBalancer(lab.parts(), 'nobody')).toEqual({ kind: 'settled' });
    expect(await lab.row(lb.id)).toEqual({ ...before, lease_epoch: 1 });
  });
});

describe('with one engine', () => {
  beforeEach(() => open());

  it('places a new load balancer, tells the engine, and settles when the engine has confirmed', async () => {
    await lab.startWorker();
    const lb = await insertLoadBalancer(db, claimed('PENDING_CREATE'));
    await lab.hint(lb.id);
    await lab.reaches(lb.id, 'ACTIVE');
    expect(await db('placement').first()).toMatchObject({
      load_balancer_id: lb.id,
      service_engine_id: lab.engineId,
      role: 'primary',
      wanted_generation: 2,
      confirmed_generation: 2,
    });
    expect(await db('service_engine').first()).toMatchObject({ slots_used: 1 });
    expect(lab.health.serves(lab.engineId)).toEqual([lb.id]);
    expect(lab.health.told.get(lab.engineId)?.length).toBe(1);
  });

  it('deletes: the engine forgets first, then the slot is free and the row DELETED', async () => {
    await lab.startWorker();
    const lb = await insertLoadBalancer(db, claimed('PENDING_CREATE'));
    await lab.hint(lb.id);
    await lab.reaches(lb.id, 'ACTIVE');
    await db('load_balancer')
      .where({ id: lb.id })
      .update({ ...claimed('PENDING_DELETE'), generation: 3, deleting: 1 });
    await lab.hint(lb.id);
    await lab.reaches(lb.id, 'DELETED');
    expect(await db('placement').select('*')).toEqual([]);
    expect(await db('service_engine').first()).toMatchObject({ slots_used: 0 });
    expect(lab.health.serves(lab.engineId)).toEqual([]);
  });

  it('an object the engine refuses is in ERROR, its parents are not, and it heals when the refusal goes', async () => {
    await lab.startWorker();
    const lb = await insertLoadBalancer(db, claimed('PENDING_UPDATE'));
    const good = await insertListener(db, { load_balancer_id: lb.id, protocol_port: 1 });
    const bad = await insertListener(db, {
      load_balancer_id: lb.id,
      protocol_port: 2,
      provisioning_status: 'PENDING_CREATE',
    });
    const refusals = [{ kind: 'listener', id: bad.id, reason: 'port 2 is taken' }];
    lab.health.behave(lab.engineId, { answer: 'confirm', refusals });

    await lab.hint(lb.id);
    await lab.reaches(lb.id, 'ACTIVE');
    expect(await statusOf('listener', bad.id)).toBe('ERROR');
    expect(await statusOf('listener', good.id)).toBe('ACTIVE');
    expect(await lab.events('OBJECT_REFUSED')).toEqual([{ resource_id: bad.id, message: 'port 2 is taken' }]);

    lab.health.behave(lab.engineId, { answer: 'confirm' });
    await lab.health.answerAgain(lab.engineId, lb.id);
    await waitUntil('it heals', 3_000, async () => (await statusOf('listener', bad.id)) === 'ACTIVE');
    expect(await lab.events('OBJECT_HEALED')).toMatchObject([{ resource_id: bad.id }]);
    expect(await lab.row(lb.id)).toMatchObject({ provisioning_status: 'ACTIVE', generation: 2 });
  });

  it('a change that all engines refuse ends in ERROR of its object, stays wanted, and heals', async () => {
    await lab.startWorker();
    const lb = await insertLoadBalancer(db, claimed('PENDING_UPDATE'));
    const pool = await insertPool(db, { load_balancer_id: lb.id, provisioning_status: 'PENDING_UPDATE' });
    const listener = await insertListener(db, {
      load_balancer_id: lb.id,
      default_pool_id: pool.id,
      provisioning_status: 'PENDING_UPDATE',
    });
    const member = await insertMember(db, { pool_id: pool.id, provisioning_status: 'PENDING_CREATE' });
    const refusals = [{ kind: 'listener', id: 'x', reason: 'no space left on device' }];
    lab.health.behave(lab.engineId, { answer: 'refuse', refusals });

    await lab.hint(lb.id);
    await lab.reaches(lb.id, 'ACTIVE');
    expect(await statusOf('member', member.id)).toBe('ERROR');
    expect(await statusOf('pool', pool.id)).toBe('ACTIVE');
    expect(await statusOf('listener', listener.id)).toBe('ACTIVE');
    expect(await lab.row(lb.id)).toMatchObject({ settled_generation: 1, pending_deadline: null });
    expect(await lab.events('CHANGE_FAILED')).toEqual([{ resource_id: member.id, message: 'no space left on device' }]);

    lab.health.behave(lab.engineId, { answer: 'confirm' });
    await lab.settles(lb.id);
    expect(await statusOf('member', member.id)).toBe('ACTIVE');
    expect(await lab.events('CHANGE_FAILED')).toHaveLength(1);
  });

  it("the load balancer itself is in ERROR when its own create is refused, and ACTIVE once it isn't", async () => {
    await lab.startWorker();
    lab.health.behave(lab.engineId, { answer: 'refuse' });
    const lb = await insertLoadBalancer(db, claimed('PENDING_CREATE'));
    await lab.hint(lb.id);
    await lab.reaches(lb.id, 'ERROR');
    lab.health.behave(lab.engineId, { answer: 'confirm' });
    await lab.reaches(lb.id, 'ACTIVE');
    expect(await lab.events('OBJECT_HEALED')).toMatchObject([{ resource_id: lb.id }]);
  });

  it('a deadline that passes without an answer ends in ERROR, and the work goes on', async () => {
    await lab.startWorker();
    lab.health.behave(lab.engineId, { answer: 'silent' });
    const lb = await insertLoadBalancer(db, { ...claimed('PENDING_UPDATE'), pending_deadline: PAST });
    const listener = await insertListener(db, { load_balancer_id: lb.id, provisioning_status: 'PENDING_UPDATE' });
    await lab.hint(lb.id);
    await lab.reaches(lb.id, 'ACTIVE');
    expect(await statusOf('listener', listener.id)).toBe('ERROR');
    expect(await lab.events('DEADLINE_EXPIRED')).toMatchObject([{ resource_id: listener.id }]);

    lab.health.behave(lab.engineId, { answer: 'confirm' });
    await lab.health.answerAgain(lab.engineId, lb.id);
    await lab.settles(lb.id);
    expect(await statusOf('listener', listener.id)).toBe('ACTIVE');
  });

  it('a delete whose deadline passes shows ERROR, and is carried on with until it is done', async () => {
    await lab.startWorker();
    lab.health.behave(lab.engineId, { answer: 'silent' });
    const lb = await insertLoadBalancer(db, { ...claimed('PENDING_DELETE'), deleting: 1, pending_deadline: PAST });
    await insertPlacement(db, { load_balancer_id: lb.id, service_engine_id: lab.engineId });
    await lab.hint(lb.id);
    await lab.reaches(lb.id, 'ERROR');
    lab.health.behave(lab.engineId, { answer: 'confirm' });
    await lab.reaches(lb.id, 'DELETED');
  });

  it('a delete does not wait for an engine that is silent', async () => {
    await lab.startWorker();
    lab.health.behave(lab.engineId, { answer: 'silent' });
    await db('service_engine').update({ status: 'DOWN', connected_to: null, slots_used: 1 });
    const lb = await insertLoadBalancer(db, { ...claimed('PENDING_DELETE'), deleting: 1 });
    await insertPlacement(db, { load_balancer_id: lb.id, service_engine_id: lab.engineId, stale: 1 });
    await lab.hint(lb.id);
    await lab.reaches(lb.id, 'DELETED');
    expect(await db('service_engine').first()).toMatchObject({ slots_used: 0 });
  });

  it('with no engine within reach it waits for the deadline, then shows ERROR; nothing heals before one answers', async () => {
    await db('service_engine').update({ status: 'DOWN', connected_to: null });
    lab.health.behave(lab.engineId, { answer: 'silent' });
    const lb = await insertLoadBalancer(db, claimed('PENDING_UPDATE'));
    await insertPlacement(db, { load_balancer_id: lb.id, service_engine_id: lab.engineId, stale: 1 });
    const listener = await insertListener(db, { load_balancer_id: lb.id, provisioning_status: 'PENDING_UPDATE' });
    const parts = lab.parts();
    for (let run = 0; run < 3; run += 1)
      expect(await reconcileLoadBalancer(parts, lb.id)).toMatchObject({ kind: 'waiting' });
    expect(await statusOf('listener', listener.id)).toBe('PENDING_UPDATE');
    await db('load_balancer').update({ pending_deadline: PAST });
    expect(await reconcileLoadBalancer(parts, lb.id)).toMatchObject({ kind: 'failed' });
    expect(await lab.row(lb.id)).toMatchObject({ provisioning_status: 'ACTIVE', settled_generation: 1 });
    for (let run = 0; run < 3; run += 1) await reconcileLoadBalancer(parts, lb.id);
    expect(await statusOf('listener', listener.id)).toBe('ERROR');
    expect(await lab.events('DEADLINE_EXPIRED')).toHaveLength(1);
  });

  it('a look at a settled load balancer whose engine is away changes nothing', async () => {
    await db('service_engine').update({ status: 'DOWN', connected_to: null });
    const lb = await insertLoadBalancer(db);
    await insertPlacement(db, { load_balancer_id: lb.id, service_engine_id: lab.engineId, stale: 1 });
    const listener = await insertListener(db, { load_balancer_id: lb.id, provisioning_status: 'ERROR' });
    expect(await reconcileLoadBalancer(lab.parts(), lb.id)).toEqual({ kind: 'settled' });
    expect(await statusOf('listener', listener.id)).toBe('ERROR');
  });

  describe('before a step', () => {
    /** A lease that the database says has ended, though nobody else has taken it. */
    const aLease = async () => {
      const { id } = await insertLoadBalancer(db, { lease_owner: 'w', lease_epoch: 3, lease_until: PAST });
      return { table: 'load_balancer', id, owner: 'w', epoch: 3 } as const;
    };
    const guard = (lease: Lease, stepSeconds: number) => {
      const parts = lab.parts();
      const settings = { ...parts.settings, leaseSeconds: 30, stepSeconds };
      return guardSteps({ parts: { ...parts, settings }, lease, takenAt: performance.now() });
    };

    it('the lease is renewed if the step might outlast it, and only then', async () => {
      const lease = await aLease();
      await guard(lease, 20)('short');
      expect(await lab.row(lease.id)).toMatchObject({ lease_until: PAST });
      await guard(lease, 40)('long');
      expect((await lab.row(lease.id)).lease_until).not.toBe(PAST);
    });

    it('a lease that was lost stops the run', async () => {
      const lease = await aLease();
      await db('load_balancer').where({ id: lease.id }).update({ lease_epoch: 4 });
      await expect(guard(lease, 40)('long')).rejects.toThrow(LeaseLostError);
    });
  });

  it('a failover with nowhere else to go tells the engine again, with a higher version', async () => {
    await lab.startWorker();
    const lb = await insertLoadBalancer(db, claimed('PENDING_UPDATE'));
    await insertPlacement(db, {
      load_balancer_id: lb.id,
      service_engine_id: lab.engineId,
      request: 'failover',
      request_id: 'req-1',
    });
    await lab.hint(lb.id);
    await lab.reaches(lb.id, 'ACTIVE');
    expect(await db('placement').select('*')).toMatchObject([
      { service_engine_id: lab.engineId, request: null, confirmed_generation: 2 },
    ]);
    const [spec] = lab.health.told.get(lab.engineId) ?? [];
    expect(spec).toMatchObject({ generation: 2 });
    expect(spec?.epoch).toBeGreaterThanOrEqual(1);
  });

  it('waits without a word when no group or no room is there, and gets on when there is', async () => {
    await lab.startWorker();
    await db('service_engine').update({ slots: 0 });
    const lb = await insertLoadBalancer(db, claimed('PENDING_CREATE'));
    await lab.hint(lb.id);
    await waitUntil('it is known to be full', 3_000, async () => (await lab.events('GROUP_FULL')).length === 1);
    await db('service_engine').update({ slots: 1 });
    await lab.reaches(lb.id, 'ACTIVE');
    expect(await lab.events('GROUP_FULL')).toHaveLength(1);
  });
});

describe('with several engines', () => {
  beforeEach(() => open({ group: { maxEngines: 3, slotsPerEngine: 2 } }));

  it('a failover makes before it breaks: the old engine goes once the new one has confirmed', async () => {
    const other = await insertEngine(db, { service_engine_group_id: lab.groupId });
    await db('service_engine').where({ id: lab.engineId }).update({ slots_used: 1 });
    const lb = await insertLoadBalancer(db, claimed('PENDING_UPDATE'));
    await insertPlacement(db, { load_balancer_id: lb.id, service_engine_id: lab.engineId, request: 'failover' });
    lab.health.behave(other.id, { answer: 'silent' });
    await lab.startWorker();
    await lab.hint(lb.id);
    await waitUntil('the old engine has the new generation', 3_000, async () => {
      const row = await db('placement').where({ service_engine_id: lab.engineId }).first();
      return row.confirmed_generation === 2;
    });
    expect(await db('placement').where({ deleting: 0 }).select('*')).toHaveLength(2);
    expect(await lab.row(lb.id)).toMatchObject({ provisioning_status: 'PENDING_UPDATE' });

    lab.health.behave(other.id, { answer: 'confirm' });
    await lab.health.answerAgain(other.id, lb.id);
    await lab.reaches(lb.id, 'ACTIVE');
    await waitUntil('the old one is gone', 3_000, async () => (await db('placement').select('*')).length === 1);
    expect(await db('placement').first()).toMatchObject({
      service_engine_id: other.id,
      role: 'primary',
      request: null,
    });
    expect(await db('service_engine').where({ id: lab.engineId }).first()).toMatchObject({ slots_used: 0 });
  });

  it('asks for an engine when none has room, and gives those that wait for it time', async () => {
    await db('service_engine').update({ slots_used: 10 });
    const lb = await insertLoadBalancer(db, claimed('PENDING_CREATE'));
    expect(await reconcileLoadBalancer(lab.parts(), lb.id)).toMatchObject({ kind: 'waiting' });
    const made = await db('service_engine').whereNot({ id: lab.engineId }).first();
    expect(made).toMatchObject({ status: 'BUILDING', slots: 2, slots_used: 1, settled_generation: 0 });
    expect(await lab.events('ENGINE_REQUESTED')).toHaveLength(1);

    const second = await insertLoadBalancer(db, claimed('PENDING_CREATE'));
    await reconcileLoadBalancer(lab.parts(), second.id);
    expect(await db('service_engine').count({ n: '*' }).first()).toEqual({ n: 2 });
    expect(await db('service_engine').where({ id: made.id }).first()).toMatchObject({ slots_used: 2 });

    await lab.startWorker();
    await db('service_engine')
      .where({ id: made.id })
      .update({ status: 'READY', connected_to: 'h', connection_epoch: 1 });
    await lab.health.answerAgain(made.id, lb.id);
    await lab.reaches(lb.id, 'ACTIVE');
  });

  it('one engine that refuses what the other serves is at fault; the change is settled', async () => {
    const other = await insertEngine(db, { service_engine_group_id: lab.groupId });
    const lb = await insertLoadBalancer(db, { ...claimed('PENDING_CREATE'), topology: 'ACTIVE_STANDBY' });
    lab.health.behave(other.id, { answer: 'refuse' });
    await lab.startWorker();
    await lab.hint(lb.id);
    await lab.reaches(lb.id, 'ACTIVE');
    expect(await db('event').where({ name: 'ENGINE_REFUSED' }).first()).toMatchObject({ service_engine_id: other.id });
    expect((await db('placement').select('role')).map(({ role }) => role).sort()).toEqual(['primary', 'standby']);
  });

  it('a silent engine holds nothing up', async () => {
    const other = await insertEngine(db, { service_engine_group_id: lab.groupId, status: 'DOWN', connected_to: null });
    const lb = await insertLoadBalancer(db, { ...claimed('PENDING_UPDATE'), topology: 'ACTIVE_STANDBY' });
    await insertPlacement(db, { load_balancer_id: lb.id, service_engine_id: lab.engineId });
    await insertPlacement(db, { load_balancer_id: lb.id, service_engine_id: other.id, role: 'standby', stale: 1 });
    lab.health.behave(other.id, { answer: 'silent' });
    await lab.startWorker();
    await lab.hint(lb.id);
    await lab.reaches(lb.id, 'ACTIVE');
    expect(await db('placement').where({ service_engine_id: other.id }).first()).toMatchObject({
      wanted_generation: 2,
      confirmed_generation: 1,
    });
  });
});
