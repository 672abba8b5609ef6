import { type ApiResponse, startTestApi, type TestApi } from '../../support/api';
import { describeOnDatabases } from '../../support/database';
import { createTree, type Tree } from './tree';

/** What pools, members and health monitors may be. */

describeOnDatabases('writes of pools', ({ open }) => {
  let api: TestApi;
  let tree: Tree;
  beforeAll(async () => {
    api = await startTestApi({ open });
    tree = await createTree(api);
  });
  afterAll(() => api.close());
  afterEach(() => api.settle());

  const fault = ({ status, body }: ApiResponse): string => `${status} ${body.faultstring}`;
  const INVALID = '400 Validation failure: ';
  let port = 1000;
  const postPool = (body: object) =>
    api.post('/v2/lbaas/pools', {
      pool: { protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN', loadbalancer_id: tree.lb, ...body },
    });
  const putPool = (body: object) => api.put(`/v2/lbaas/pools/${tree.pool}`, { pool: body });
  const postMember = (body: object) =>
    api.post(`/v2/lbaas/pools/${tree.pool}/members`, {
      member: { address: '10.0.1.1', protocol_port: ++port, ...body },
    });
  const postMonitor = (poolId: string, body: object) =>
    api.post('/v2/lbaas/healthmonitors', {
      healthmonitor: { pool_id: poolId, type: 'TCP', delay: 5, timeout: 1, max_retries: 1, ...body },
    });

  describe('a pool', () => {
    it('is made the default of the listener given, once', async () => {
      const { body } = await postPool({ loadbalancer_id: null, listener_id: tree.bystander });
      await api.settle();

      expect(body.pool.listeners).toEqual([{ id: tree.bystander }]);
      expect(fault(await postPool({ listener_id: tree.bystander }))).toBe(
        '409 This listener already has a default pool',
      );
    });

    it('keeps the type of its persistence where a PUT names none, and loses it by null', async () => {
      await putPool({ session_persistence: { type: 'APP_COOKIE', cookie_name: 'a' } });
      await api.settle();
      const renamed = (await putPool({ session_persistence: { cookie_name: 'b' } })).body.pool;
      await api.settle();
      const other = (await putPool({ session_persistence: { type: 'SOURCE_IP' } })).body.pool;
      await api.settle();
      const none = (await putPool({ session_persistence: null })).body.pool;
      await api.settle();

      expect(renamed.session_persistence).toMatchObject({ type: 'APP_COOKIE', cookie_name: 'b' });
      expect(other.session_persistence).toMatchObject({ type: 'SOURCE_IP', cookie_name: null });
      expect(none.session_persistence).toBeNull();
      expect(fault(await putPool({ session_persistence: {} }))).toBe(`${INVALID}Invalid session_persistence provided.`);
    });

    it('that an L7 policy redirects to cannot be deleted', async () => {
      expect(fault(await api.delete(`/v2/lbaas/pools/${tree.pool}`))).toBe(
        `409 Pool ${tree.pool} is in use by L7 policy ${tree.policy}`,
      );
    });

    it.each<[object, string]>([
      [
        { session_persistence: { type: 'APP_COOKIE' } },
        'Field "cookie_name" must be specified when using the "APP_COOKIE" session persistence type.',
      ],
      [
        { session_persistence: { type: 'SOURCE_IP', cookie_name: 'c' } },
        'Field "cookie_name" can only be specified with session persistence of type "APP_COOKIE".',
      ],
      [{ session_persistence: { type: 'APP_COOKIE', cookie_name: 'b@d' } }, 'Supplied "cookie_name" is invalid.'],
      [{ session_persistence: { type: 'APP_COOKIE', cookie_name: 'a,b' } }, 'Supplied "cookie_name" is invalid.'],
      [
        { session_persistence: { type: 'SOURCE_IP', persistence_timeout: 3 } },
        'persistence_timeout and persistence_granularity is only for UDP and SCTP protocol pools.',
      ],
      [
        { protocol: 'UDP', session_persistence: { type: 'HTTP_COOKIE' } },
        'Session persistence of type HTTP_COOKIE is not supported for UDP/SCTP protocol pools.',
      ],
      [{ crl_container_ref: 'r' }, 'A CA reference is required to specify a certificate revocation list.'],
      [{ loadbalancer_id: null }, 'Must provide at least one of: loadbalancer_id, listener_id'],
    ])('%j is refused', async (body, text) => {
      expect(fault(await postPool(body))).toBe(INVALID + text);
    });
  });

  describe('a member', () => {
    it('has defaults for what is null', async () => {
      const { body } = await postMember({ weight: null, backup: null });

      expect(body.member).toMatchObject({ weight: 1, backup: false, monitor_port: null, operating_status: 'OFFLINE' });
    });

    it('is refused where it is, where it may not be, and where its pool has no such VIP', async () => {
      expect(fault(await postMember({ address: '10.0.0.1', protocol_port: 80 }))).toBe(
        '409 Another member on this pool is already using ip 10.0.0.1 on protocol_port 80',
      );
      expect(fault(await postMember({ address: '169.254.169.254' }))).toBe(
        '400 169.254.169.254 is not a valid option for member address',
      );
      expect(fault(await postMember({ request_sriov: true }))).toBe(
        '400 The load balancer flavor does not allow SR-IOV member ports.',
      );
      const { id } = (await postPool({ protocol: 'UDP' })).body.pool;
      await api.settle();
      const answer = await api.post(`/v2/lbaas/pools/${id}/members`, {
        member: { address: 'fd00::1', protocol_port: 1 },
      });
      expect(answer.status).toBe(501);
    });
  });

  describe('a health monitor', () => {
    it('is the only one of its pool', async () => {
      expect(fault(await postMonitor(tree.pool, {}))).toBe('409 This pool already has a health monitor');
    });

    it('has its HTTP version as a float, in every answer that shows it', async () => {
      const { id } = (await postPool({})).body.pool;
      await api.settle();
      const name = '"http_version":1,';
      const made = await postMonitor(id, { name, type: 'HTTP', http_version: '1.0' });
      const path = `/v2/lbaas/healthmonitors/${made.body.healthmonitor.id}`;
      const healthmonitor = { type: 'HTTP', delay: 1, timeout: 1, max_retries: 1, http_version: 1 };
      const pools = [{ name: 'p', protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN', healthmonitor }];
      const loadbalancer = { vip_subnet_id: api.changes.deps.newId(), pools };

      expect(made.headers.get('content-type')).toBe('application/json; charset=utf-8');
      expect(made.text).toContain('"http_version":1.0,"domain_name"');
      expect(made.body.healthmonitor.name).toBe(name);
      expect((await api.get(`${path}?fields=http_version`)).text).toBe('{"healthmonitor":{"http_version":1.0}}');
      expect((await api.get('/v2/lbaas/healthmonitors')).text).toContain('"http_version":1.0,');
      expect((await api.post('/v2/lbaas/loadbalancers', { loadbalancer })).text).toContain('"http_version":1.0,');
    });

    it('goes back to the defaults of its type by null', async () => {
      const { id } = (await postPool({})).body.pool;
      await api.settle();
      const set = { type: 'HTTP', url_path: '/x', expected_codes: '204', http_method: 'HEAD', max_retries_down: 9 };
      const monitor = (await postMonitor(id, set)).body.healthmonitor;
      await api.settle();
      const nulls = { url_path: null, expected_codes: null, http_method: null, max_retries_down: null };
      const answer = await api.put(`/v2/lbaas/healthmonitors/${monitor.id}`, { healthmonitor: nulls });

      expect(monitor).toMatchObject(set);
      expect(answer.body.healthmonitor).toMatchObject({
        url_path: '/',
        expected_codes: '200',
        http_method: 'GET',
        max_retries_down: 3,
      });
    });

    it.each<[object, string]>([
      [{ delay: null }, '400 None is not a valid option for delay'],
      [{ url_path: '/' }, '400 url_path is not a valid option for health monitors of type TCP'],
      [
        { type: 'HTTP', domain_name: 'a.b' },
        `${INVALID}'http_version' must be specified when 'domain_name' is provided.`,
      ],
      [
        { type: 'HTTP', domain_name: 'a.b', http_version: 1.0 },
        '400 http_version 1.0 is not a valid option for health monitors HTTP 1.1 domain name health check',
      ],
      [{ type: 'UDP-CONNECT' }, `${INVALID}The UDP-CONNECT type is only supported for pools of type UDP/SCTP.`],
    ])('%j is refused', async (body, text) => {
      expect(fault(await postMonitor(tree.spare, body))).toBe(text);
    });

    it('of a UDP pool has few types and a least delay', async () => {
      const { id } = (await postPool({ protocol: 'UDP' })).body.pool;
      await api.settle();

      expect(fault(await postMonitor(id, { type: 'PING' }))).toBe(
        `${INVALID}The associated pool protocol is UDP, so only a UDP-CONNECT/SCTP/TCP/HTTP health monitor is supported.`,
      );
      expect(fault(await postMonitor(id, { type: 'UDP-CONNECT', delay: 2 }))).toBe(
        `${INVALID}The request delay value 2 should be larger than 3 for UDP-CONNECT health monitor type.`,
      );
    });
  });
});
