import { pino } from 'pino';
import { createPublisher } from '../../../api/changes/publisher';
import { createMemoryBus } from '../../../driver/bus/memory';
import { type BusMessage, PROVISIONING_TOPIC } from '../../../driver/bus/port';
import { insertOutbox, type OutboxMessage } from '../../../driver/db/outbox';
import { startTestApi, type TestApi } from '../../support/api';
import { describeOnDatabases } from '../../support/database';
import { createTree, type Tree } from './tree';

/** What goes out after a change: Octavia's casts. */

describeOnDatabases('hints', ({ open }) => {
  let api: TestApi;
  let tree: Tree;
  const heard: BusMessage[] = [];
  beforeAll(async () => {
    api = await startTestApi({ open });
    tree = await createTree(api);
    await api.bus.subscribe(PROVISIONING_TOPIC, (message) => {
      heard.push(message);
    });
  });
  afterAll(() => api.close());

  async function castOf(run: () => Promise<unknown>): Promise<BusMessage> {
    await api.changes.deps.publisher.idle();
    heard.length = 0;
    await run();
    await api.changes.deps.publisher.idle();
    await api.settle();
    const [message, ...others] = heard;
    expect(others).toEqual([]);
    if (!message) throw new Error('nothing went out');
    expect(message.loadBalancerId).toBe(tree.lb);
    return message;
  }

  const put = (path: string, body: object) => api.put(`/v2/lbaas/${path}`, body);

  it('creates carry the object under the names of providers, unset lists and all', async () => {
    const listener = { loadbalancer_id: tree.lb, protocol: 'TCP', protocol_port: 99, allowed_cidrs: ['10.0.0.0/8'] };
    const { method, args } = await castOf(() => api.post('/v2/lbaas/listeners', { listener }));

    expect(method).toBe('create_listener');
    expect(args['listener']).toMatchObject({
      loadbalancer_id: tree.lb,
      admin_state_up: true,
      allowed_cidrs: ['10.0.0.0/8'],
      default_tls_container_ref: null,
      insert_headers: {},
      sni_container_refs: [],
    });
  });

  it.each<[string, () => Promise<unknown>, object]>([
    [
      'update_load_balancer',
      () =>
        put(`loadbalancers/${tree.lb}`, {
          loadbalancer: { admin_state_up: false, name: 'n', vip_qos_policy_id: tree.pool },
        }),
      { load_balancer_updates: { enabled: false, name: 'n', vip: { qos_policy_id: expect.any(String) } } },
    ],
    [
      'update_listener',
      () => put(`listeners/${tree.listener}`, { listener: { admin_state_up: false, tags: ['t'] } }),
      { listener_updates: { listener_id: expect.any(String), admin_state_up: false } },
    ],
    [
      'update_pool',
      () => put(`pools/${tree.pool}`, { pool: { admin_state_up: false, tls_container_ref: 'r' } }),
      { pool_updates: { enabled: false, tls_certificate_id: 'r' } },
    ],
    [
      'update_member',
      () => put(`pools/${tree.pool}/members/${tree.member}`, { member: { admin_state_up: false, weight: 3 } }),
      { member_updates: { enabled: false, weight: 3 } },
    ],
    [
      'update_health_monitor',
      () => put(`healthmonitors/${tree.monitor}`, { healthmonitor: { max_retries: 2, max_retries_down: 4, delay: 6 } }),
      { health_monitor_updates: { rise_threshold: 2, fall_threshold: 4, delay: 6 } },
    ],
    [
      'update_l7policy',
      () => put(`l7policies/${tree.policy}`, { l7policy: { admin_state_up: false } }),
      { l7policy_updates: { enabled: false } },
    ],
    [
      'update_l7rule',
      () => put(`l7policies/${tree.policy}/rules/${tree.rule}`, { rule: { value: '/v', admin_state_up: false } }),
      { l7rule_updates: { enabled: false, value: '/v' } },
    ],
  ])('%s carries what was asked for, under Octavia s odd names', async (method, run, updates) => {
    const message = await castOf(run);

    expect(message.method).toBe(method);
    const [[key, value] = ['', {}]] = Object.entries(updates);
    expect(message.args[key]).toEqual(value);
  });

  it('a batch tells new, changed and old members apart', async () => {
    const members = [
      { address: '10.0.0.1', protocol_port: 80, weight: 2 },
      { address: '10.0.0.2', protocol_port: 80 },
    ];
    const first = await castOf(() => put(`pools/${tree.pool}/members`, { members }));
    const second = await castOf(() => put(`pools/${tree.pool}/members`, { members: members.slice(0, 1) }));

    expect(first.args).toMatchObject({
      new_members: [{ address: '10.0.0.2', admin_state_up: true }],
      updated_members: [{ id: tree.member, weight: 2 }],
      old_members: [],
    });
    expect(second.args['old_members']).toMatchObject([{ ip_address: '10.0.0.2', enabled: 1 }]);
  });

  it('failover and delete name the load balancer', async () => {
    const failover = await castOf(() => put(`loadbalancers/${tree.lb}/failover`, {}));
    const removal = await castOf(() => api.delete(`/v2/lbaas/loadbalancers/${tree.lb}?cascade=true`));

    expect([failover.method, failover.args]).toEqual(['failover_load_balancer', { load_balancer_id: tree.lb }]);
    expect(removal).toMatchObject({
      method: 'delete_load_balancer',
      args: { cascade: true, loadbalancer: { loadbalancer_id: tree.lb } },
    });
  });

  describe('the outbox', () => {
    const message = (id: string): OutboxMessage => ({ id, topic: 't', method: 'm', args: {}, loadBalancerId: null });
    const log = pino({ level: 'silent' });

    it('is empty once everything is published', async () => {
      await api.changes.deps.publisher.idle();

      expect(await api.db('outbox')).toEqual([]);
    });

    it('keeps what the bus did not take, for the relay', async () => {
      const messages = [message('lost'), message('taken')];
      await insertOutbox(api.db, messages);
      const bus = createMemoryBus({ log });
      const moody: typeof bus = {
        ...bus,
        publish: async (topic, sent) => {
          if (sent.method === 'lost') throw new Error('no broker');
          await bus.publish(topic, sent);
        },
      };
      const publisher = createPublisher({ db: api.db, bus: moody, log });

      publisher.publish(messages.map((one) => ({ ...one, method: one.id })));
      await publisher.idle();

      expect(await api.db('outbox').pluck('id')).toEqual(['lost']);
    });
  });
});
