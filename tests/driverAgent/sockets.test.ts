import { randomUUID } from 'node:crypto';
import { existsSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { pino } from 'pino';
import type { Db } from '../../driver/db/connect';
import type { Tables } from '../../driver/db/rows';
import { serveSocket } from '../../driver/driverAgent/socketServer';
import { describeOnDatabases } from '../support/database';
import {
  insertListener,
  insertLoadBalancer,
  insertMember,
  insertMonitor,
  insertPolicy,
  insertPool,
  insertRule,
} from '../support/rows';
import { waitUntil } from '../support/wait';
import { type DriverAgentSite, startDriverAgent } from './site';

describeOnDatabases('the sockets of the driver agent', (database) => {
  let db: Db;
  let site: DriverAgentSite;

  beforeEach(async () => {
    db = await database.open();
    site = await startDriverAgent(db, 'get_request_timeout = 0.3\nget_max_processes = 2');
  });
  afterEach(async () => {
    await site.stop();
    await db.destroy();
  });

  const row = async <T extends keyof Tables>(table: T, id: string): Promise<Tables[T] | undefined> =>
    db(table).where({ id }).first();
  /** A listener with a policy and a pool with a member and a monitor, all pending, of somebody else's provider. */
  const plant = async (provider = 'theirs') => {
    const pending = { provisioning_status: 'PENDING_CREATE', project_id: 'project-1' } as const;
    const lb = await insertLoadBalancer(db, { ...pending, provider, generation: 3, settled_generation: 2 });
    const pool = await insertPool(db, { ...pending, load_balancer_id: lb.id });
    const listener = await insertListener(db, { ...pending, load_balancer_id: lb.id, default_pool_id: pool.id });
    const member = await insertMember(db, { ...pending, pool_id: pool.id });
    const monitor = await insertMonitor(db, { ...pending, pool_id: pool.id });
    const first = await insertPolicy(db, { ...pending, listener_id: listener.id, position: 1 });
    const policy = await insertPolicy(db, {
      ...pending,
      listener_id: listener.id,
      position: 2,
      action: 'REDIRECT_TO_POOL',
      redirect_pool_id: pool.id,
    });
    const rule = await insertRule(db, { ...pending, l7policy_id: policy.id });
    const used = { load_balancer: 1, listener: 1, pool: 1, member: 1, health_monitor: 1, l7policy: 2, l7rule: 1 };
    const columns = Object.entries(used).flatMap(([kind, n]) => [
      [kind, null],
      [`in_use_${kind}`, n],
    ]);
    await db('quotas').insert({ project_id: 'project-1', ...Object.fromEntries(columns) });
    return { lb, pool, listener, member, monitor, first, policy, rule };
  };

  it('writes the statuses of somebody else’s load balancer, object by object', async () => {
    const { lb, listener, member, rule } = await plant();

    const reply = await site.ask('status', {
      loadbalancers: [{ id: lb.id, provisioning_status: 'ACTIVE', operating_status: 'ONLINE' }],
      listeners: [{ id: listener.id, provisioning_status: 'ERROR' }],
      members: [{ id: member.id, operating_status: 'NO_MONITOR' }],
      l7rules: [{ id: rule.id, provisioning_status: 'ACTIVE' }],
    });

    expect(reply).toEqual({ status_code: 200 });
    expect(await row('load_balancer', lb.id)).toMatchObject({
      provisioning_status: 'ACTIVE',
      operating_status: 'ONLINE',
      settled_generation: 3,
      pending_deadline: null,
    });
    expect(await row('listener', listener.id)).toMatchObject({
      provisioning_status: 'ERROR',
      operating_status: 'OFFLINE',
    });
    expect(await row('member', member.id)).toMatchObject({
      provisioning_status: 'PENDING_CREATE',
      operating_status: 'NO_MONITOR',
    });
    expect((await row('l7rule', rule.id))?.provisioning_status).toBe('ACTIVE');
    expect(site.settled).toEqual([lb.id]);
  });

  it('refuses to write about load balancers of ours, and writes nothing', async () => {
    const { lb, listener } = await plant('octavia');

    const reply = await site.ask('status', {
      listeners: [{ id: listener.id, provisioning_status: 'ACTIVE' }],
      loadbalancers: [{ id: lb.id, provisioning_status: 'DELETED' }],
    });

    expect(reply).toEqual({
      status_code: 500,
      fault_string: expect.stringContaining('external_providers'),
      status_object: 'listeners',
      status_object_id: listener.id,
    });
    expect((await row('listener', listener.id))?.provisioning_status).toBe('PENDING_CREATE');
    expect(await site.ask('stats', { listeners: [{ ...COUNTS, id: listener.id }] })).toMatchObject({
      status_code: 500,
      stats_object: 'listeners',
    });
    expect(await db('listener_statistics').select('*')).toEqual([]);
    expect(site.deletedPorts).toEqual([]);
  });

  it('keeps what came before the item that cannot be written, and names that item', async () => {
    const { pool, member, listener } = await plant();

    const reply = await site.ask('status', {
      pools: [{ id: pool.id, provisioning_status: 'SHINY' }],
      members: [{ id: member.id, provisioning_status: 'ACTIVE' }],
      listeners: [{ id: listener.id, provisioning_status: 'ACTIVE' }],
    });

    expect(reply).toMatchObject({ status_code: 500, status_object: 'pools', status_object_id: pool.id });
    expect((await row('member', member.id))?.provisioning_status).toBe('ACTIVE');
    expect((await row('listener', listener.id))?.provisioning_status).toBe('PENDING_CREATE');
  });

  it('passes over unknown ids, but not an unknown listener, nor an item without id', async () => {
    const id = randomUUID();
    const change = { id, provisioning_status: 'ACTIVE' };

    expect(await site.ask('status', { members: [change], pools: [change], loadbalancers: [change] })).toEqual({
      status_code: 200,
    });
    expect(await site.ask('status', { listeners: [{ id, provisioning_status: 'DELETED' }] })).toEqual({
      status_code: 200,
    });
    expect(await site.ask('status', { listeners: [change] })).toMatchObject({ status_code: 500, status_object_id: id });
    expect(await site.ask('status', { pools: [{ provisioning_status: 'ACTIVE' }] })).toMatchObject({
      status_code: 500,
      status_object: 'pools',
    });
  });

  it('removes a deleted pool with its parts, loosens what refers to it and gives the quota back', async () => {
    const { pool, listener, member, monitor, policy } = await plant();

    expect(await site.ask('status', { pools: [{ id: pool.id, provisioning_status: 'DELETED' }] })).toEqual({
      status_code: 200,
    });

    expect(await row('pool', pool.id)).toBeUndefined();
    expect(await row('member', member.id)).toBeUndefined();
    expect(await row('health_monitor', monitor.id)).toBeUndefined();
    expect((await row('listener', listener.id))?.default_pool_id).toBeNull();
    expect((await row('l7policy', policy.id))?.redirect_pool_id).toBeNull();
    expect(await db('quotas').first()).toMatchObject({
      in_use_pool: 0,
      in_use_member: 0,
      in_use_health_monitor: 0,
      in_use_listener: 1,
      in_use_load_balancer: 1,
    });
  });

  it('closes the gap that a deleted policy leaves', async () => {
    const { first, policy, rule } = await plant();

    await site.ask('status', { l7policies: [{ id: first.id, provisioning_status: 'DELETED' }] });

    expect((await row('l7policy', policy.id))?.position).toBe(1);
    expect(await row('l7rule', rule.id)).toBeDefined();
  });

  it('keeps a deleted load balancer as DELETED, gives up the port that was made for it, and all that was below', async () => {
    const { lb, listener } = await plant();

    expect(await site.ask('status', { loadbalancers: [{ id: lb.id, provisioning_status: 'DELETED' }] })).toEqual({
      status_code: 200,
    });

    expect(site.deletedPorts).toEqual([`port-${lb.id.slice(0, 8)}`]);
    const left = await row('load_balancer', lb.id);
    expect(left?.provisioning_status).toBe('DELETED');
    expect(left?.deleted_at).not.toBeNull();
    expect(await row('listener', listener.id)).toBeUndefined();
    const quota = await db('quotas').first();
    const usage = Object.entries(quota).filter(([column]) => column.startsWith('in_use_'));
    expect(usage.map(([, used]) => used)).toEqual(usage.map(() => 0));
    expect(await site.ask('status', { loadbalancers: [{ id: lb.id, provisioning_status: 'DELETED' }] })).toEqual({
      status_code: 200,
    });
  });

  it('replaces the counters of a listener, also downwards, under its own id', async () => {
    const { lb, listener } = await plant();
    const high = { ...COUNTS, id: listener.id, bytes_in: 9_007_199_254_740_991 };

    expect(await site.ask('stats', { listeners: [high] })).toEqual({ status_code: 200 });
    expect(
      await site.ask('stats', {
        listeners: [
          { ...COUNTS, id: listener.id },
          { ...COUNTS, id: 'gone' },
        ],
      }),
    ).toEqual({
      status_code: 200,
    });

    const rows = await db('listener_statistics').select('*');
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({
      listener_id: listener.id,
      amphora_id: listener.id,
      load_balancer_id: lb.id,
      bytes_in: 2,
      bytes_out: 3,
      active_connections: 1,
      request_errors: 4,
      total_connections: 5,
    });
  });

  it('wants all six keys of counters', async () => {
    const { listener } = await plant();
    const { request_errors: _, ...five } = COUNTS;

    expect(await site.ask('stats', { listeners: [{ ...five, id: listener.id }] })).toMatchObject({
      status_code: 500,
      fault_string: expect.stringContaining('request_errors'),
    });
  });

  it('gives any object with all that is below it, whoever its provider is', async () => {
    const { lb, listener, pool, member, monitor, policy, rule } = await plant('slipstream');

    const found = await site.ask('get', { object: 'loadbalancers', id: lb.id });

    expect(found).toMatchObject({
      loadbalancer_id: lb.id,
      vip_address: '127.80.0.10',
      flavor: null,
      listeners: [
        {
          listener_id: listener.id,
          loadbalancer_id: lb.id,
          default_pool: { pool_id: pool.id },
          default_tls_container_data: null,
          l7policies: [{}, { l7policy_id: policy.id, redirect_pool_id: pool.id, rules: [{ l7rule_id: rule.id }] }],
        },
      ],
      pools: [
        {
          pool_id: pool.id,
          listener_id: listener.id,
          healthmonitor: { healthmonitor_id: monitor.id, max_retries: 2 },
          members: [{ member_id: member.id, address: '127.0.0.1' }],
        },
      ],
    });
    expect(await site.ask('get', { object: 'members', id: member.id })).toMatchObject({ member_id: member.id });
    expect(await site.ask('get', { object: 'l7rules', id: rule.id })).toMatchObject({ l7policy_id: policy.id });
    expect(await site.ask('get', { object: 'healthmonitors', id: monitor.id })).toMatchObject({ pool_id: pool.id });
    expect(await site.ask('get', { object: 'pools', id: listener.id })).toEqual({});
  });

  it('ends a connection that sends no request, without an answer, and goes on with others', async () => {
    const { lb } = await plant();
    const broken = ['GET / HTTP/1.1\r\n\r\n', '99999999999\n{}', '2\n{]', '\n{}', '30\n{"object":'];

    for (const text of broken) expect(await site.exchange('get', text)).toBe('');

    expect(await site.ask('get', { object: 'loadbalancers', id: lb.id })).toMatchObject({ loadbalancer_id: lb.id });
  });

  it('answers more clients than it serves at a time, also behind ones that say nothing', async () => {
    const { lb } = await plant();
    const silent = [1, 2].map(() => createConnection(site.socket('get')));
    const asked = Array.from({ length: 20 }, () => site.ask('get', { object: 'loadbalancers', id: lb.id }));

    const answers = await Promise.all(asked);

    expect(answers.map((answer) => answer['loadbalancer_id'])).toEqual(asked.map(() => lb.id));
    for (const connection of silent) connection.destroy();
  });
});

const COUNTS = { active_connections: 1, bytes_in: 2, bytes_out: 3, request_errors: 4, total_connections: 5 };

describe('a socket of the driver agent', () => {
  const log = pino({ level: 'silent' });
  const service = (path: string) => ({ path, timeout: 1000, concurrency: 1, answer: async () => ({}) });
  const path = `/tmp/ss-da-${process.pid}-${randomUUID().slice(0, 8)}.sock`;

  it('takes the place of a file that a killed process left, and goes when it ends', async () => {
    const dead = createServer();
    await new Promise<void>((resolve) => dead.listen(path, resolve));
    // Closing removes the file; a killed process leaves it.
    renameSync(path, `${path}.kept`);
    await new Promise((resolve) => dead.close(resolve));
    renameSync(`${path}.kept`, path);

    const running = await serveSocket(service(path), log);
    expect(statSync(path).mode & 0o777).toBe(0o660);
    await expect(serveSocket(service(path), log)).rejects.toThrow('served by another process');
    await running.close();

    await waitUntil('the file is gone', 1000, () => !existsSync(path));
  });

  it('does not remove a file that is no socket', async () => {
    const file = `${path}.txt`;
    writeFileSync(file, 'mine');

    await expect(serveSocket(service(file), log)).rejects.toThrow('is no socket');

    expect(existsSync(file)).toBe(true);
    rmSync(file);
  });
});
