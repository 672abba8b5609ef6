import type { Db } from '../../driver/db/connect';
import { loadTree } from '../../driver/db/tree';
import { describeOnDatabases } from '../support/database';
import {
  insertEngine,
  insertGroup,
  insertListener,
  insertLoadBalancer,
  insertMember,
  insertMonitor,
  insertPlacement,
  insertPolicy,
  insertPool,
  insertRule,
} from '../support/rows';

describeOnDatabases('loadTree', (database) => {
  let db: Db;
  beforeAll(async () => {
    db = await database.open();
  });

  it('loads a bare load balancer in one statement', async () => {
    const lb = await insertLoadBalancer(db, { name: 'web', generation: 7, settled_generation: 6 });
    const tree = await loadTree(db, lb.id);
    expect(tree).toMatchObject({
      id: lb.id,
      name: 'web',
      generation: 7,
      settledGeneration: 6,
      enabled: true,
      overdue: false,
      vip: { ipAddress: '127.80.0.10', octaviaOwned: true, securityGroupIds: [] },
      listeners: [],
      pools: [],
      placements: [],
    });
  });

  it('puts every child where it belongs', async () => {
    const lb = await insertLoadBalancer(db);
    const other = await insertLoadBalancer(db);
    await insertPool(db, { load_balancer_id: other.id });
    const pool = await insertPool(db, { load_balancer_id: lb.id });
    const [b, a] = [
      await insertMember(db, { id: 'bbbb', pool_id: pool.id, protocol_port: 2 }),
      await insertMember(db, { id: 'aaaa', pool_id: pool.id, protocol_port: 1 }),
    ];
    const monitor = await insertMonitor(db, { pool_id: pool.id, http_version: 1.1 });
    await db('session_persistence').insert({ pool_id: pool.id, type: 'APP_COOKIE', cookie_name: 'JSESSION' });
    const listener = await insertListener(db, {
      load_balancer_id: lb.id,
      default_pool_id: pool.id,
      insert_headers: '{"X-Forwarded-For":"true"}',
    });
    await db('listener_cidr').insert([
      { listener_id: listener.id, cidr: '10.0.0.0/8', position: 2 },
      { listener_id: listener.id, cidr: '192.0.2.0/24', position: 1 },
    ]);
    const policy = await insertPolicy(db, { listener_id: listener.id });
    const rule = await insertRule(db, { l7policy_id: policy.id });
    const group = await insertGroup(db);
    const engine = await insertEngine(db, { service_engine_group_id: group.id, connected_to: null });
    await insertPlacement(db, {
      load_balancer_id: lb.id,
      service_engine_id: engine.id,
      refusals: '[{"kind":"listener","id":"x","reason":"taken"}]',
    });
    await db('vip_security_group').insert({ load_balancer_id: lb.id, sg_id: 'sg-1' });
    await db('additional_vip').insert({
      load_balancer_id: lb.id,
      subnet_id: 'subnet-6',
      ip_address: 'fd00::5',
      position: 0,
    });

    expect(await loadTree(db, lb.id)).toMatchObject({
      vip: { securityGroupIds: ['sg-1'] },
      additionalVips: [{ ipAddress: 'fd00::5', subnetId: 'subnet-6' }],
      listeners: [
        {
          id: listener.id,
          defaultPoolId: pool.id,
          insertHeaders: { 'X-Forwarded-For': 'true' },
          allowedCidrs: ['192.0.2.0/24', '10.0.0.0/8'],
          policies: [{ id: policy.id, rules: [{ id: rule.id, invert: false }] }],
        },
      ],
      pools: [
        {
          id: pool.id,
          persistence: { type: 'APP_COOKIE', cookieName: 'JSESSION', timeout: null },
          members: [{ id: a.id }, { id: b.id }],
          monitor: { id: monitor.id, httpVersion: 1.1 },
        },
      ],
      placements: [
        {
          engineId: engine.id,
          refusals: [{ kind: 'listener', id: 'x', reason: 'taken' }],
          engine: { status: 'READY', connected: false, deleting: false },
        },
      ],
    });
  });

  it('tells by the clock of the database whether the deadline has passed', async () => {
    const past = await insertLoadBalancer(db, { pending_deadline: '2020-01-01 00:00:00.000' });
    const future = await insertLoadBalancer(db, { pending_deadline: '2099-01-01 00:00:00.000' });
    expect((await loadTree(db, past.id))?.overdue).toBe(true);
    expect((await loadTree(db, future.id))?.overdue).toBe(false);
  });

  it('finds neither what is DELETED nor what never was', async () => {
    const gone = await insertLoadBalancer(db, { provisioning_status: 'DELETED' });
    expect(await loadTree(db, gone.id)).toBeUndefined();
    expect(await loadTree(db, 'never')).toBeUndefined();
  });
});
