import { pino } from 'pino';
import type { Db } from '../../driver/db/connect';
import { createProvisioning } from '../../driver/worker/provisioning';
import type { Wanted } from '../../driver/worker/units';
import { openTestDatabase } from '../support/database';
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

/** A whole tree: every object under the name of the argument that leads to it. */
interface Ids {
  readonly lb: string;
  readonly listener: string;
  readonly pool: string;
  readonly member: string;
  readonly monitor: string;
  readonly policy: string;
  readonly rule: string;
  readonly placement: string;
}

let db: Db;
let ids: Ids;
beforeAll(async () => {
  db = await openTestDatabase();
  const { id: lb } = await insertLoadBalancer(db);
  const { id: listener } = await insertListener(db, { load_balancer_id: lb });
  const { id: pool } = await insertPool(db, { load_balancer_id: lb });
  const { id: member } = await insertMember(db, { pool_id: pool });
  const { id: monitor } = await insertMonitor(db, { pool_id: pool });
  const { id: policy } = await insertPolicy(db, { listener_id: listener });
  const { id: rule } = await insertRule(db, { l7policy_id: policy });
  const { id: group } = await insertGroup(db);
  const { id: engine } = await insertEngine(db, { service_engine_group_id: group });
  const { id: placement } = await insertPlacement(db, { load_balancer_id: lb, service_engine_id: engine });
  ids = { lb, listener, pool, member, monitor, policy, rule, placement };
});
afterAll(() => db.destroy());

const taken: Wanted[] = [];
beforeEach(() => void taken.splice(0));

function request(method: string, args: Record<string, unknown>, loadBalancerId?: string): Promise<unknown> {
  const endpoint = createProvisioning({
    db,
    log: pino({ level: 'silent' }),
    take: (wanted) => void taken.push(wanted),
  });
  const run = endpoint.methods[method];
  if (!run) throw new Error(`no method ${method}`);
  return Promise.resolve(run({ method, args, context: {}, ...(loadBalancerId && { loadBalancerId }) }));
}

type ArgsOf = (ids: Ids) => Record<string, unknown>;
const METHODS: readonly (readonly [string, ArgsOf])[] = [
  [
    'create_load_balancer',
    ({ lb }) => ({ loadbalancer: { loadbalancer_id: lb }, flavor: null, availability_zone: null }),
  ],
  [
    'update_load_balancer',
    ({ lb }) => ({ original_load_balancer: { loadbalancer_id: lb }, load_balancer_updates: {} }),
  ],
  ['delete_load_balancer', ({ lb }) => ({ loadbalancer: { loadbalancer_id: lb }, cascade: true })],
  ['failover_load_balancer', ({ lb }) => ({ load_balancer_id: lb })],
  ['failover_amphora', ({ placement }) => ({ amphora_id: placement })],
  ['create_listener', ({ lb, listener }) => ({ listener: { listener_id: listener, loadbalancer_id: lb } })],
  ['update_listener', ({ listener }) => ({ original_listener: { listener_id: listener }, listener_updates: {} })],
  ['delete_listener', ({ listener }) => ({ listener: { listener_id: listener } })],
  ['create_pool', ({ pool, lb }) => ({ pool: { pool_id: pool, loadbalancer_id: lb } })],
  ['update_pool', ({ pool }) => ({ original_pool: { pool_id: pool }, pool_updates: { enabled: false } })],
  ['delete_pool', ({ pool }) => ({ pool: { pool_id: pool } })],
  ['create_health_monitor', ({ monitor, pool }) => ({ health_monitor: { healthmonitor_id: monitor, pool_id: pool } })],
  [
    'update_health_monitor',
    ({ monitor }) => ({ original_health_monitor: { healthmonitor_id: monitor }, health_monitor_updates: {} }),
  ],
  ['delete_health_monitor', ({ monitor }) => ({ health_monitor: { healthmonitor_id: monitor } })],
  ['create_member', ({ member, pool }) => ({ member: { member_id: member, pool_id: pool } })],
  ['update_member', ({ member }) => ({ original_member: { member_id: member }, member_updates: { weight: 2 } })],
  ['delete_member', ({ member }) => ({ member: { member_id: member } })],
  [
    'batch_update_members',
    ({ pool }) => ({ old_members: [], new_members: [{ member_id: 'new', pool_id: pool }], updated_members: [] }),
  ],
  [
    'batch_update_members',
    ({ member }) => ({ old_members: [], new_members: [], updated_members: [{ id: member, weight: 2 }] }),
  ],
  [
    'batch_update_members',
    ({ member }) => ({ old_members: [{ id: member, ip_address: '10.0.0.1' }], new_members: [], updated_members: [] }),
  ],
  ['create_l7policy', ({ policy, listener }) => ({ l7policy: { l7policy_id: policy, listener_id: listener } })],
  ['update_l7policy', ({ policy }) => ({ original_l7policy: { l7policy_id: policy }, l7policy_updates: {} })],
  ['delete_l7policy', ({ policy }) => ({ l7policy: { l7policy_id: policy } })],
  ['create_l7rule', ({ rule, policy }) => ({ l7rule: { l7rule_id: rule, l7policy_id: policy } })],
  ['update_l7rule', ({ rule }) => ({ original_l7rule: { l7rule_id: rule }, l7rule_updates: {} })],
  ['delete_l7rule', ({ rule }) => ({ l7rule: { l7rule_id: rule } })],
  ['update_amphora_agent_config', ({ placement }) => ({ amphora_id: placement })],
  ['delete_amphora', ({ placement }) => ({ amphora_id: placement })],
];

it.each(METHODS)('finds the load balancer %s is about', async (method, argsOf) => {
  expect(await request(method, argsOf(ids))).toBeNull();

  expect(taken.map(({ key }) => key)).toEqual([`load_balancer ${ids.lb}`]);
});

it('has Octavia’s 26 methods under its namespace and version', () => {
  const { methods, namespace, version } = createProvisioning({ db, log: pino({ level: 'silent' }), take: () => {} });

  expect({ namespace, version }).toEqual({ namespace: 'controller', version: '2.0' });
  expect(Object.keys(methods).sort()).toEqual([...new Set(METHODS.map(([method]) => method))].sort());
  expect(Object.keys(methods)).toHaveLength(26);
});

it('takes the project for its lane, where the message names it', async () => {
  await request('delete_load_balancer', { loadbalancer: { loadbalancer_id: 'lb', project_id: 'p' }, cascade: false });

  expect(taken).toEqual([{ key: 'load_balancer lb', lane: 'p' }]);
});

it('believes the sender who knows the load balancer', async () => {
  await request('delete_member', { member: {} }, 'lb-1');

  expect(taken.map(({ key }) => key)).toEqual(['load_balancer lb-1']);
});

it('takes an amphora that serves nothing for an engine', async () => {
  await request('failover_amphora', { amphora_id: 'spare' });

  expect(taken).toEqual([{ key: 'engine spare', lane: undefined }]);
});

it('drops what is about nothing known, and says which arguments are missing', async () => {
  expect(await request('delete_member', { member: { member_id: 'nobody', pool_id: 'nowhere' } })).toBeNull();
  expect(await request('create_pool', { pool: null })).toBeNull();
  await expect(request('update_pool', { pool: {} })).rejects.toThrow('original_pool, pool_updates');

  expect(taken).toEqual([]);
});
