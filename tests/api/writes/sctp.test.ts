import { type ApiResponse, startTestApi, type TestApi } from '../../support/api';
import { createTree, type Tree } from './tree';

const REFUSED =
  "501 Provider 'slipstream' does not support a requested option: SCTP is not enabled in this deployment.";

describe.each([false, true])('with [service_engine] sctp = %s', (sctp) => {
  let api: TestApi;
  let tree: Tree;
  let udpPool: string;
  beforeAll(async () => {
    api = await startTestApi({ changes: { sctp } });
    tree = await createTree(api);
    const udp = { protocol: 'UDP', lb_algorithm: 'ROUND_ROBIN', loadbalancer_id: tree.lb };
    udpPool = (await api.create('/v2/lbaas/pools', 'pool', udp))['id'];
    await api.settle();
  });
  afterAll(() => api.close());

  const outcome = ({ status, body }: ApiResponse) => (status === 201 ? '201' : `${status} ${body.faultstring}`);
  const expected = sctp ? '201' : REFUSED;
  const listener = (over: object = {}) => ({
    protocol: 'SCTP',
    protocol_port: 9000,
    loadbalancer_id: tree.lb,
    ...over,
  });
  const pool = () => ({ protocol: 'SCTP', lb_algorithm: 'SOURCE_IP', loadbalancer_id: tree.lb });
  const monitor = () => ({ pool_id: udpPool, type: 'SCTP', delay: 5, timeout: 1, max_retries: 1 });

  it(sctp ? 'takes listeners, pools and monitors of it' : 'refuses listeners, pools and monitors of it', async () => {
    const found: string[] = [];
    for (const [path, body] of [
      ['listeners', { listener: listener() }],
      ['pools', { pool: pool() }],
      ['healthmonitors', { healthmonitor: monitor() }],
    ] as const) {
      found.push(outcome(await api.post(`/v2/lbaas/${path}`, body)));
      await api.settle();
    }
    expect(found).toEqual([expected, expected, expected]);
  });

  it('says the same of a load balancer with all below it', async () => {
    const { protocol, protocol_port, lb_algorithm } = { ...listener(), ...pool() };
    const loadbalancer = {
      vip_subnet_id: api.changes.deps.newId(),
      listeners: [{ protocol, protocol_port, default_pool: { name: 'p', protocol, lb_algorithm } }],
    };
    expect(outcome(await api.post('/v2/lbaas/loadbalancers', { loadbalancer }))).toBe(expected);
    await api.settle();
  });

  it('finds all other faults first, and a busy load balancer', async () => {
    const tcp = { type: 'SCTP', pool_id: tree.spare };
    expect(outcome(await api.post('/v2/lbaas/healthmonitors', { healthmonitor: { ...monitor(), ...tcp } }))).toMatch(
      /^400 .*SCTP type is only supported for pools of type UDP\/SCTP/,
    );
    const foreign = listener({ protocol_port: 9001, default_pool_id: tree.spare });
    expect(outcome(await api.post('/v2/lbaas/listeners', { listener: foreign }))).toMatch(/^400 .*pool protocol/);

    await api.put(`/v2/lbaas/loadbalancers/${tree.lb}`, { loadbalancer: { name: 'busy' } });
    expect(outcome(await api.post('/v2/lbaas/listeners', { listener: listener({ protocol_port: 9002 }) }))).toMatch(
      /^409 /,
    );
    await api.settle();
  });

  it('leaves nothing behind of what was refused', async () => {
    const kinds = (await api.get('/v2/lbaas/listeners?protocol=SCTP')).body.listeners.length;
    expect(kinds > 0).toBe(sctp);
    expect((await api.get(`/v2/lbaas/loadbalancers/${tree.lb}`)).body.loadbalancer.provisioning_status).toBe('ACTIVE');
  });
});
