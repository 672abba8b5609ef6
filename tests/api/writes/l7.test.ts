import { type ApiResponse, startTestApi, type TestApi } from '../../support/api';
import { describeOnDatabases } from '../../support/database';
import { createTree, type Tree } from './tree';

/** What L7 policies and rules may be, and where policies stand. */

describeOnDatabases('writes of L7 objects', ({ open }) => {
  let api: TestApi;
  let tree: Tree;
  beforeAll(async () => {
    api = await startTestApi({ open });
    tree = await createTree(api);
  });
  afterAll(() => api.close());
  afterEach(() => api.settle());

  const fault = ({ status, body }: ApiResponse): string => `${status} ${body.faultstring}`;
  let port = 1000;
  const postListener = (body: object) =>
    api.post('/v2/lbaas/listeners', {
      listener: { protocol: 'HTTP', protocol_port: ++port, loadbalancer_id: tree.lb, ...body },
    });
  const postPolicy = (body: object) =>
    api.post('/v2/lbaas/l7policies', { l7policy: { listener_id: tree.redirecting, action: 'REJECT', ...body } });
  const postRule = (body: object) =>
    api.post(`/v2/lbaas/l7policies/${tree.policy}/rules`, {
      rule: { type: 'PATH', compare_type: 'EQUAL_TO', value: '/', ...body },
    });

  describe('an L7 policy', () => {
    const positions = async () =>
      (
        await api.db('l7policy').where({ listener_id: tree.listener }).orderBy('position').select('name', 'position')
      ).map((row: { name: string; position: number }) => `${row.position} ${row.name}`);
    const put = (id: string, body: object) => api.put(`/v2/lbaas/l7policies/${id}`, { l7policy: body });

    it('has its place, dense from 1', async () => {
      const ids: Record<string, string> = {};
      for (const [name, position] of [['a'], ['b'], ['c', 1], ['d', 99], ['e', 2]] as [string, number?][]) {
        const place = position === undefined ? {} : { position };
        ids[name] = (await postPolicy({ listener_id: tree.listener, name, ...place })).body.l7policy.id;
        await api.settle();
      }
      expect(await positions()).toEqual(['1 c', '2 e', '3 a', '4 b', '5 d']);

      await put(ids['c'] ?? '', { position: 4 });
      await api.settle();
      expect(await positions()).toEqual(['1 e', '2 a', '3 b', '4 c', '5 d']);

      await put(ids['d'] ?? '', { position: 2 });
      await api.settle();
      expect(await positions()).toEqual(['1 e', '2 d', '3 a', '4 b', '5 c']);

      const { body } = await put(ids['a'] ?? '', { position: null, name: 'A' });
      expect(body.l7policy).toMatchObject({ name: 'A', position: 3 });
    });

    it('has its listener among those of the pool it leads to, once it has a rule and as long as it is enabled', async () => {
      const pool = { name: 'there', protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN', loadbalancer_id: tree.lb };
      const redirectPool = (await api.post('/v2/lbaas/pools', { pool })).body.pool.id;
      await api.settle();
      const listeners = async () => (await api.get(`/v2/lbaas/pools/${redirectPool}`)).body.pool.listeners;
      const wanted = { action: 'REDIRECT_TO_POOL', redirect_pool_id: redirectPool };
      const { id } = (await postPolicy(wanted)).body.l7policy;
      await api.settle();
      expect(await listeners()).toEqual([]);

      const rule = { type: 'PATH', compare_type: 'EQUAL_TO', value: '/' };
      await api.post(`/v2/lbaas/l7policies/${id}/rules`, { rule });
      await api.settle();
      expect(await listeners()).toEqual([{ id: tree.redirecting }]);

      await put(id, { admin_state_up: false });
      await api.settle();
      expect(await listeners()).toEqual([]);
    });

    it('becomes what the target that is given makes of it', async () => {
      const { id } = (await postPolicy({ action: 'REDIRECT_TO_URL', redirect_url: 'http://a.b/' })).body.l7policy;
      await api.settle();
      const toPool = (await put(id, { redirect_pool_id: tree.spare })).body.l7policy;
      await api.settle();
      const toPrefix = (await put(id, { redirect_prefix: 'https://c.d' })).body.l7policy;
      await api.settle();
      const rejects = (await put(id, { action: 'REJECT' })).body.l7policy;

      const nothing = { redirect_pool_id: null, redirect_url: null, redirect_prefix: null, redirect_http_code: null };
      expect(toPool).toMatchObject({ ...nothing, action: 'REDIRECT_TO_POOL', redirect_pool_id: tree.spare });
      expect(toPrefix).toMatchObject({
        ...nothing,
        action: 'REDIRECT_PREFIX',
        redirect_prefix: 'https://c.d',
        redirect_http_code: 302,
      });
      expect(rejects).toMatchObject({ ...nothing, action: 'REJECT' });
    });

    it.each<[object, string]>([
      [{ action: 'REDIRECT_TO_URL' }, '400 Invalid L7 Policy arguments: redirect_url must not be None'],
      [{ action: 'REDIRECT_PREFIX' }, '400 Invalid L7 Policy arguments: redirect_prefix must not be None'],
      [
        { action: 'REDIRECT_TO_POOL' },
        '400 Invalid L7 Policy arguments: redirect_pool_id or redirect_pool must not be None',
      ],
      [
        { action: 'REDIRECT_TO_POOL', redirect_pool_id: '99999999-9999-4999-8999-999999999999' },
        '404 Pool 99999999-9999-4999-8999-999999999999 not found.',
      ],
    ])('%j is refused', async (body, text) => {
      expect(fault(await postPolicy(body))).toBe(text);
    });

    it('an empty update, and a listener that reads no HTTP, are refused', async () => {
      expect(fault(await put(tree.policy, {}))).toBe('400 Invalid L7 Policy arguments: Invalid update options');
      const { id } = (await postListener({ protocol: 'TCP' })).body.listener;
      await api.settle();

      expect((await postPolicy({ listener_id: id })).status).toBe(501);
    });
  });

  describe('an L7 rule', () => {
    const parse = (text: string): string => `400 Error parsing L7Rule: ${text}`;

    it.each<[object, string]>([
      [{ value: null }, 'Invalid L7 Rule: L7 rule type requires a value'],
      [{ value: 'a b' }, 'Invalid characters in comparison value'],
      [{ compare_type: 'REGEX', value: '(' }, 'Unable to parse regular expression: '],
      [{ type: 'HEADER' }, 'Invalid L7 Rule: L7 rule type requires a key'],
      [{ type: 'HEADER', key: 'a:b' }, 'Invalid characters in key'],
      [{ type: 'HEADER', key: 'a', value: '"open' + ' end' }, 'Invalid characters in header value'],
      [{ type: 'COOKIE', key: 'a', value: 'a;b' }, 'Invalid characters in cookie value'],
      [
        { type: 'FILE_TYPE', compare_type: 'CONTAINS', value: 'jpg' },
        'Invalid L7 Rule: invalid comparison type for rule type',
      ],
      [{ type: 'SSL_CONN_HAS_CERT', value: 'no' }, 'Invalid L7 Rule: L7rule value no is not a boolean True string.'],
      [
        { type: 'SSL_VERIFY_RESULT', value: '-1' },
        'Invalid L7 Rule: L7rule type SSL_VERIFY_RESULT needs a int value, which is >= 0',
      ],
      [{ type: 'SSL_DN_FIELD', key: 'a_b', value: 'x' }, 'Invalid L7 Rule: Invalid L7rule distinguished name field.'],
    ])('%j is refused', async (body, text) => {
      expect(fault(await postRule(body))).toContain(parse(text));
    });

    it.each<object>([
      { type: 'HEADER', key: 'X-A', value: '"two words"' },
      { type: 'COOKIE', key: 'a', value: 'b', compare_type: 'ENDS_WITH' },
      { compare_type: 'REGEX', value: '^/(a|b)' },
      { compare_type: 'REGEX', value: '(?i)^/(?P<name>a|b)(?P=name)(?#why)(?-i:c)d++(?>e)(?!f)' },
      { type: 'SSL_CONN_HAS_CERT', value: 'tRuE' },
      { type: 'SSL_DN_FIELD', key: 'CN', value: 'a b' },
    ])('%j is taken', async (body) => {
      expect((await postRule(body)).body.rule).toMatchObject(body);
    });

    it('is checked as it is after an update', async () => {
      const rule = `/v2/lbaas/l7policies/${tree.policy}/rules/${tree.rule}`;

      expect(fault(await api.put(rule, { rule: { type: 'HEADER' } }))).toBe(
        parse('Invalid L7 Rule: L7 rule type requires a key'),
      );
      expect((await api.put(rule, { rule: { invert: null, value: '/new' } })).body.rule).toMatchObject({
        type: 'PATH',
        compare_type: 'STARTS_WITH',
        value: '/new',
        invert: false,
      });
    });

    it('is one of at most fifty', async () => {
      const { id } = (await postPolicy({})).body.l7policy;
      await api.settle();
      const row = await api.db('l7rule').where({ id: tree.rule }).first();
      const copies = Array.from({ length: 50 }, (_, index) => ({ ...row, id: `copy-${index}`, l7policy_id: id }));
      for (const copy of copies) await api.db('l7rule').insert(copy);
      const rule = { type: 'PATH', compare_type: 'EQUAL_TO', value: '/' };

      expect(fault(await api.post(`/v2/lbaas/l7policies/${id}/rules`, { rule }))).toBe(
        `409 Too many rules on L7 policy ${id}`,
      );
    });
  });
});
