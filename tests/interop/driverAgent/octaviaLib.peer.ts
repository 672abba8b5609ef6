import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Db } from '../../../driver/db/connect';
import { type DriverAgentSite, startDriverAgent } from '../../driverAgent/site';
import { openTestDatabase } from '../../support/database';
import {
  insertListener,
  insertLoadBalancer,
  insertMember,
  insertPolicy,
  insertPool,
  insertRule,
} from '../../support/rows';

/** Debian's interpreter, which python3-octavia-lib is for; another `python3` may come first in PATH. */
const PYTHON = '/usr/bin/python3';

type Call = readonly [method: string, argument: unknown];

describe("octavia-lib's driver library at our sockets", () => {
  let db: Db;
  let site: DriverAgentSite;

  beforeAll(() => {
    const { status } = spawnSync(PYTHON, ['-c', 'import octavia_lib']);
    if (status !== 0) throw new Error('octavia-lib is not installed: install the package python3-octavia-lib');
  });
  beforeEach(async () => {
    db = await openTestDatabase();
    site = await startDriverAgent(db);
  });
  afterEach(async () => {
    await site.stop();
    await db.destroy();
  });

  /** The calls' results, in their order. */
  async function callLibrary(calls: readonly Call[]): Promise<Record<string, unknown>[]> {
    const sockets = (['status', 'stats', 'get'] as const).map((name) => site.socket(name));
    const child = spawn(PYTHON, [join(__dirname, 'library.py'), ...sockets], { stdio: ['pipe', 'pipe', 'inherit'] });
    child.stdin.end(calls.map((call) => `${JSON.stringify(call)}\n`).join(''));
    const results: Record<string, unknown>[] = [];
    for await (const line of createInterface(child.stdout)) results.push(JSON.parse(line) as Record<string, unknown>);
    return results;
  }

  const plant = async (provider: string) => {
    const lb = await insertLoadBalancer(db, { provider, name: 'lb', provisioning_status: 'PENDING_UPDATE' });
    const pool = await insertPool(db, { load_balancer_id: lb.id, name: 'pool' });
    const listener = await insertListener(db, { load_balancer_id: lb.id, default_pool_id: pool.id });
    const member = await insertMember(db, { pool_id: pool.id });
    const policy = await insertPolicy(db, { listener_id: listener.id });
    const rule = await insertRule(db, { l7policy_id: policy.id });
    return { lb, pool, listener, member, policy, rule };
  };

  it('reads every kind of object into its data models', async () => {
    const { lb, pool, listener, member, policy, rule } = await plant('slipstream');

    const [ofLb, ofListener, ofPool, ofMember, ofPolicy, ofRule, ofNothing] = await callLibrary([
      ['get_loadbalancer', lb.id],
      ['get_listener', listener.id],
      ['get_pool', pool.id],
      ['get_member', member.id],
      ['get_l7policy', policy.id],
      ['get_l7rule', rule.id],
      ['get_healthmonitor', randomUUID()],
    ]);

    expect(ofLb?.['result']).toMatchObject({
      class: 'LoadBalancer',
      loadbalancer_id: lb.id,
      name: 'lb',
      vip_address: '127.80.0.10',
      pools: [{ pool_id: pool.id, members: [{ member_id: member.id }] }],
      listeners: [{ listener_id: listener.id, l7policies: [{ rules: [{ l7rule_id: rule.id }] }] }],
    });
    expect(ofListener?.['result']).toMatchObject({ class: 'Listener', default_pool: { name: 'pool' } });
    expect(ofPool?.['result']).toMatchObject({ class: 'Pool', listener_id: listener.id });
    expect(ofMember?.['result']).toMatchObject({ class: 'Member', address: '127.0.0.1' });
    expect(ofPolicy?.['result']).toMatchObject({ class: 'L7Policy', position: 1 });
    expect(ofRule?.['result']).toMatchObject({ class: 'L7Rule', compare_type: 'STARTS_WITH' });
    expect(ofNothing).toEqual({ result: null });
  });

  it('writes statuses and counters of an external provider', async () => {
    const { lb, listener, member } = await plant('theirs');
    const statuses = {
      loadbalancers: [{ id: lb.id, provisioning_status: 'ACTIVE', operating_status: 'ONLINE' }],
      members: [{ id: member.id, provisioning_status: 'DELETED' }],
    };
    const counts = { active_connections: 1, bytes_in: 2, bytes_out: 3, request_errors: 4, total_connections: 5 };

    const results = await callLibrary([
      ['update_loadbalancer_status', statuses],
      ['update_listener_statistics', { listeners: [{ id: listener.id, ...counts }] }],
    ]);

    expect(results).toEqual([{ result: null }, { result: null }]);
    expect(await db('load_balancer').first()).toMatchObject({ provisioning_status: 'ACTIVE' });
    expect(await db('member').select('*')).toEqual([]);
    expect(await db('listener_statistics').first()).toMatchObject({ bytes_out: 3, total_connections: 5 });
  });

  it('is told what it may not write, and which object that is', async () => {
    const { listener } = await plant('slipstream');

    const [status, statistics] = await callLibrary([
      ['update_loadbalancer_status', { listeners: [{ id: listener.id, provisioning_status: 'ACTIVE' }] }],
      ['update_listener_statistics', { listeners: [{ id: listener.id }] }],
    ]);

    expect(status).toEqual({
      error: 'UpdateStatusError',
      fault: expect.stringContaining('external_providers'),
      object: 'listeners',
      id: listener.id,
    });
    expect(statistics).toMatchObject({ error: 'UpdateStatisticsError', object: 'listeners' });
  });
});
