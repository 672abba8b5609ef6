import { pino } from 'pino';
import { createNoopCompute } from '../../../driver/clouds/compute/noop';
import { openEmbeddedNetwork } from '../../../driver/clouds/network/memory';
import { createNetwork } from '../../../driver/clouds/network/model/networks';
import { createSubnet } from '../../../driver/clouds/network/model/subnets';
import { createMemoryStore } from '../../../driver/clouds/network/store';
import { configFromText } from '../../../driver/config/config';
import type { Db } from '../../../driver/db/connect';
import type { RunningProcess } from '../../../driver/domain/process';
import { runWorker } from '../../../driver/worker/main';
import { PROJECT, startTestApi, type TestApi } from '../../support/api';
import { describeOnDatabases } from '../../support/database';
import { waitUntil } from '../../support/wait';

/** Changes and the worker that settles them, on one bus and database, with the embedded Neutron and no engines. */
describeOnDatabases('changes that a worker settles', ({ open }) => {
  let db: Db;
  let api: TestApi;
  let worker: RunningProcess;
  let subnetId: string;
  beforeEach(async () => {
    db = await open();
    const { driver: network, model } = await openEmbeddedNetwork({ store: createMemoryStore() });
    const { id: networkId } = await createNetwork(model, { name: '', projectId: PROJECT });
    subnetId = (await createSubnet(model, { name: '', projectId: PROJECT, networkId, cidr: '10.1.0.0/24' })).id;
    api = await startTestApi({ db, network, changes: { immutableWait: 30 } });
    worker = await runWorker({
      config: configFromText(''),
      db,
      bus: api.bus,
      network,
      compute: createNoopCompute(),
      log: pino({ level: 'silent' }),
    });
  });
  afterEach(async () => {
    await api.close();
    await worker.close();
    await db.destroy();
  });

  const get = async (path: string) => (await api.get(`/v2/lbaas/${path}`)).body;
  const settled = (id: string, status = 'ACTIVE') =>
    waitUntil(`${id} is ${status}`, 40_000, async () => {
      const row = await db('load_balancer').where({ id }).first('provisioning_status');
      return row?.provisioning_status === status;
    });
  const createLoadBalancer = async (body: object = {}): Promise<string> => {
    const { id } = await api.create('/v2/lbaas/loadbalancers', 'loadbalancer', {
      vip_subnet_id: subnetId,
      ...body,
    });
    return id;
  };

  it('a storm of writes is done without a single 409', async () => {
    const id = await createLoadBalancer();
    const ports = Array.from({ length: 20 }, (_, index) => 8000 + index);

    const answers = await Promise.all(
      ports.map((port) =>
        api.post('/v2/lbaas/listeners', { listener: { loadbalancer_id: id, protocol: 'TCP', protocol_port: port } }),
      ),
    );
    await settled(id);

    expect(answers.map(({ status }) => status)).toEqual(ports.map(() => 201));
    const { listeners } = await get('listeners');
    expect(listeners).toHaveLength(20);
    expect(new Set(listeners.map((one: { provisioning_status: string }) => one.provisioning_status))).toEqual(
      new Set(['ACTIVE']),
    );
    expect(await db('load_balancer').first()).toMatchObject({ generation: 21, settled_generation: 21 });
  });

  it('a whole tree is created, changed and deleted, and leaves neither rows nor usage nor port', async () => {
    const pool = {
      protocol: 'HTTP',
      lb_algorithm: 'ROUND_ROBIN',
      members: [{ address: '10.0.0.1', protocol_port: 1 }],
    };
    const rules = [{ type: 'PATH', compare_type: 'EQUAL_TO', value: '/' }];
    const id = await createLoadBalancer({
      listeners: [
        { protocol: 'HTTP', protocol_port: 80, default_pool: pool, l7policies: [{ action: 'REJECT', rules }] },
      ],
    });
    await settled(id);
    const [{ id: poolId }] = (await get('pools')).pools;
    await api.put(`/v2/lbaas/pools/${poolId}/members`, { members: [{ address: '10.0.0.2', protocol_port: 2 }] });
    await settled(id);
    expect((await get(`pools/${poolId}/members`)).members).toMatchObject([{ address: '10.0.0.2' }]);

    await api.delete(`/v2/lbaas/loadbalancers/${id}?cascade=true`);
    await settled(id, 'DELETED');

    for (const table of ['listener', 'pool', 'member', 'l7policy', 'l7rule']) expect(await db(table)).toEqual([]);
    const { project_id: _, ...quota } = await db('quotas').first();
    expect(Object.values(quota).filter((value) => value !== null && Number(value) !== 0)).toEqual([]);
    expect(await api.network.listPorts({})).toEqual([]);
    expect((await api.get(`/v2/lbaas/loadbalancers/${id}`)).status).toBe(404);
  });

  it('a delete may follow on the heels of everything before it', async () => {
    const id = await createLoadBalancer();
    const listener = { loadbalancer_id: id, protocol: 'HTTP', protocol_port: 80 };
    const { id: listenerId } = (await api.post('/v2/lbaas/listeners', { listener })).body.listener;

    const first = await api.delete(`/v2/lbaas/listeners/${listenerId}`);
    const second = await api.delete(`/v2/lbaas/loadbalancers/${id}`);
    await settled(id, 'DELETED');

    expect([first.status, second.status]).toEqual([204, 204]);
  });
});
