import { OTHER_PROJECT, PROJECT, startTestApi, type TestApi } from '../support/api';
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

const UNKNOWN = '99999999-9999-4999-8999-999999999999';
const own = { project_id: PROJECT };
const FORBIDDEN = 'Policy does not allow this request to be performed.';

describeOnDatabases('roles', ({ open }) => {
  let api: TestApi;
  const ids: Record<string, string> = {};
  beforeEach(async () => {
    api = await startTestApi({ open });
    const { db } = api;
    const { id: lb } = await insertLoadBalancer(db, own);
    const { id: pool } = await insertPool(db, { ...own, load_balancer_id: lb });
    const { id: bare } = await insertPool(db, { ...own, load_balancer_id: lb });
    const { id: listener } = await insertListener(db, { ...own, load_balancer_id: lb });
    const { id: member } = await insertMember(db, { ...own, pool_id: pool });
    const { id: monitor } = await insertMonitor(db, { ...own, pool_id: pool });
    const { id: policy } = await insertPolicy(db, { ...own, listener_id: listener });
    const { id: rule } = await insertRule(db, { ...own, l7policy_id: policy });
    Object.assign(ids, { lb, pool, bare, listener, member, monitor, policy, rule });
  });
  afterEach(() => api.close());

  interface Call {
    readonly method: string;
    readonly path: string;
    readonly body?: object;
    readonly ok: number;
  }

  const read = (path: string): Call => ({ method: 'GET', path, ok: 200 });
  const change = (path: string, root: string): Call => ({
    method: 'PUT',
    path,
    body: { [root]: { tags: [] } },
    ok: 200,
  });
  const remove = (path: string): Call => ({ method: 'DELETE', path, ok: 204 });
  const make = (path: string, root: string, fields: object): Call => ({
    method: 'POST',
    path,
    body: { [root]: fields },
    ok: 201,
  });

  /** Every operation on an object, and what it answers to whom it is allowed. */
  function calls(): { reads: Call[]; writes: Call[]; administration: Call[] } {
    const { lb, pool, bare, listener, member, monitor, policy, rule } = ids;
    const objects = [
      [`loadbalancers/${lb}`, 'loadbalancer'],
      [`listeners/${listener}`, 'listener'],
      [`pools/${pool}`, 'pool'],
      [`pools/${pool}/members/${member}`, 'member'],
      [`healthmonitors/${monitor}`, 'healthmonitor'],
      [`l7policies/${policy}`, 'l7policy'],
      [`l7policies/${policy}/rules/${rule}`, 'rule'],
    ] as const;
    const below = [
      `pools/${pool}/members`,
      `l7policies/${policy}/rules`,
      `loadbalancers/${lb}/status`,
      `loadbalancers/${lb}/statuses`,
      `loadbalancers/${lb}/stats`,
      `listeners/${listener}/stats`,
    ];
    const monitorFields = { pool_id: bare, type: 'TCP', delay: 1, timeout: 1, max_retries: 1 };
    return {
      reads: [...objects.map(([path]) => read(path)), ...below.map(read)],
      writes: [
        ...objects.map(([path, root]) => change(path, root)),
        ...objects.map(([path]) => (path.startsWith('loadb') ? remove(`${path}?cascade=true`) : remove(path))),
        make('listeners', 'listener', { loadbalancer_id: lb, protocol: 'TCP', protocol_port: 99 }),
        make('pools', 'pool', { loadbalancer_id: lb, protocol: 'TCP', lb_algorithm: 'ROUND_ROBIN' }),
        make('pools', 'pool', { listener_id: listener, protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN' }),
        make(`pools/${pool}/members`, 'member', { address: '10.0.0.7', protocol_port: 80 }),
        make('healthmonitors', 'healthmonitor', monitorFields),
        make('l7policies', 'l7policy', { listener_id: listener, action: 'REJECT' }),
        make(`l7policies/${policy}/rules`, 'rule', { type: 'PATH', compare_type: 'EQUAL_TO', value: '/' }),
        { method: 'PUT', path: `pools/${pool}/members`, body: { members: [] }, ok: 202 },
        { method: 'PUT', path: `pools/${pool}/members?additive_only=true`, body: { members: [] }, ok: 202 },
        make('loadbalancers', 'loadbalancer', { vip_subnet_id: UNKNOWN, project_id: PROJECT }),
      ],
      administration: [{ method: 'PUT', path: `loadbalancers/${lb}/failover`, ok: 202 }],
    };
  }

  async function answers(list: readonly Call[], headers: Record<string, string>): Promise<string[]> {
    const seen: string[] = [];
    for (const { method, path, body } of list) {
      const answer = await api.request(method, `/v2/lbaas/${path}`, { headers, ...(body ? { body } : {}) });
      seen.push(`${method} ${path}: ${answer.status}${answer.status === 403 ? ` ${answer.body.faultstring}` : ''}`);
      await makeMutable();
    }
    return seen;
  }

  /** Takes back what a change has done to the statuses, so that the next one is not in its way. */
  async function makeMutable(): Promise<void> {
    const { db } = api;
    await db('load_balancer').update({ provisioning_status: 'ACTIVE', deleting: 0 });
    for (const table of ['listener', 'pool', 'member', 'health_monitor', 'l7policy', 'l7rule']) {
      await db(table).update({ provisioning_status: 'ACTIVE', deleting: 0 });
    }
  }

  const allowed = (list: readonly Call[]) => list.map(({ method, path, ok }) => `${method} ${path}: ${ok}`);
  const refused = (list: readonly Call[]) => list.map(({ method, path }) => `${method} ${path}: 403 ${FORBIDDEN}`);

  it.each(['member', 'load-balancer_member'])('%s reads and writes the own project', async (role) => {
    const { reads, writes, administration } = calls();
    const headers = { 'x-roles': role };

    expect(await answers(reads, headers)).toEqual(allowed(reads));
    expect(await answers(writes, headers)).toEqual(allowed(writes));
    expect(await answers(administration, headers)).toEqual(refused(administration));
  });

  it.each(['reader', 'load-balancer_observer'])('%s only reads the own project', async (role) => {
    const { reads, writes, administration } = calls();
    const headers = { 'x-roles': role };

    expect(await answers(reads, headers)).toEqual(allowed(reads));
    expect(await answers([...writes, ...administration], headers)).toEqual(refused([...writes, ...administration]));
  });

  it('nobody of another project gets anywhere, and what is refused leaves nothing behind', async () => {
    const { reads, writes, administration } = calls();
    const everything = [...reads, ...writes, ...administration];
    const headers = { 'x-roles': 'member', 'x-project-id': OTHER_PROJECT };
    const before = await api.db('load_balancer').select('*');

    expect(await answers(everything, headers)).toEqual(refused(everything));
    expect(await api.db('load_balancer').select('*')).toEqual(before);
    expect(await api.db('outbox').select('*')).toEqual([]);
  });

  it('a global observer reads everything and writes nothing', async () => {
    const { reads, writes, administration } = calls();
    const headers = { 'x-roles': 'load-balancer_global_observer', 'x-project-id': OTHER_PROJECT };

    expect(await answers(reads, headers)).toEqual(allowed(reads));
    expect(await answers([...writes, ...administration], headers)).toEqual(refused([...writes, ...administration]));
  });

  it.each(['admin', 'load-balancer_admin'])('%s may do everything everywhere', async (role) => {
    const { reads, writes, administration } = calls();
    const headers = { 'x-roles': role, 'x-project-id': OTHER_PROJECT };
    const everything = [...reads, ...writes, ...administration];

    expect(await answers(everything, headers)).toEqual(allowed(everything));
  });

  it('looks for the object before it asks for permission', async () => {
    const nobody = { 'x-roles': 'nobody' };
    const path = `/v2/lbaas/listeners/${UNKNOWN}`;
    const post = { listener: { loadbalancer_id: UNKNOWN, protocol: 'TCP', protocol_port: 1 } };

    expect((await api.get(path, nobody)).status).toBe(404);
    expect((await api.put(path, { listener: {} }, nobody)).status).toBe(404);
    expect((await api.delete(path, nobody)).status).toBe(404);
    expect((await api.post('/v2/lbaas/listeners', post, nobody)).body.faultstring).toBe(
      `Load Balancer ${UNKNOWN} not found.`,
    );
  });

  it('takes a load balancer’s project from the body, its alias or the token, and needs one', async () => {
    const make = async (fields: object, headers: Record<string, string>) => {
      const body = { loadbalancer: { vip_subnet_id: UNKNOWN, ...fields } };
      const answer = await api.post('/v2/lbaas/loadbalancers', body, headers);
      return answer.body.loadbalancer?.project_id ?? answer.body.faultstring;
    };
    const admin = { 'x-roles': 'admin' };

    expect(await make({}, admin)).toBe(PROJECT);
    expect(await make({ project_id: OTHER_PROJECT }, admin)).toBe(OTHER_PROJECT);
    expect(await make({ tenant_id: OTHER_PROJECT }, admin)).toBe(OTHER_PROJECT);
    expect(await make({ project_id: null }, { ...admin, 'x-project-id': '' })).toMatch(
      /^Validation failure: Missing project/,
    );
  });
});
