import { startTestApi, type TestApi } from '../support/api';
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

const UUID = '99999999-9999-4999-8999-999999999999';

describeOnDatabases('bodies', ({ open }) => {
  let api: TestApi;
  const paths: Record<string, string> = {};
  beforeAll(async () => {
    api = await startTestApi({ open });
    const { id: load_balancer_id } = await insertLoadBalancer(api.db);
    const pool = await insertPool(api.db, { load_balancer_id });
    const listener = await insertListener(api.db, { load_balancer_id });
    const member = await insertMember(api.db, { pool_id: pool.id });
    const monitor = await insertMonitor(api.db, { pool_id: pool.id });
    const policy = await insertPolicy(api.db, { listener_id: listener.id });
    const rule = await insertRule(api.db, { l7policy_id: policy.id });
    Object.assign(paths, {
      loadbalancer: `loadbalancers/${load_balancer_id}`,
      listener: `listeners/${listener.id}`,
      pool: `pools/${pool.id}`,
      member: `pools/${pool.id}/members/${member.id}`,
      healthmonitor: `healthmonitors/${monitor.id}`,
      l7policy: `l7policies/${policy.id}`,
      rule: `l7policies/${policy.id}/rules/${rule.id}`,
    });
  });
  afterAll(() => api.close());

  type Method = 'POST' | 'PUT';

  /** The faultstring of a refused body of one object. */
  async function refusal(method: Method, root: string, fields: unknown, beside: object = {}): Promise<string> {
    const one = `/v2/lbaas/${paths[root]}`;
    const path = method === 'PUT' ? one : one.slice(0, one.lastIndexOf('/'));
    const answer = await api.request(method, path, { body: { [root]: fields, ...beside } });
    expect([answer.status, answer.body.faultcode]).toEqual([400, 'Client']);
    return answer.body.faultstring;
  }

  describe('attributes that are not known', () => {
    it.each([
      ['POST', 'loadbalancer', 'load_balancer.loadbalancer'],
      ['PUT', 'loadbalancer', 'load_balancer.loadbalancer'],
      ['POST', 'listener', 'listener_.listener'],
      ['PUT', 'listener', 'listener_.listener'],
      ['POST', 'pool', 'pool_.pool'],
      ['PUT', 'pool', 'pool_.pool'],
      ['POST', 'member', 'member_.member'],
      ['PUT', 'member', 'member_.member'],
      ['POST', 'healthmonitor', 'health_monitor_.healthmonitor'],
      ['PUT', 'healthmonitor', 'health_monitor_.healthmonitor'],
      ['POST', 'l7policy', 'l7policy_.l7policy'],
      ['PUT', 'l7policy', 'l7policy_.l7policy'],
      ['POST', 'rule', 'rule_.rule'],
      ['PUT', 'rule', 'l7rule_.rule'],
    ] as const)('%s of a %s names them all', async (method, root, argument) => {
      expect(await refusal(method, root, { zz: 1, 'a/b': 2 })).toBe(
        `Unknown attributes for argument ${argument}: a/b, zz`,
      );
      expect(await refusal(method, root, { zz: null })).toBe(`Unknown attribute for argument ${argument}: zz`);
    });

    it.each([
      ['loadbalancer', 'vip_subnet_id'],
      ['listener', 'protocol'],
      ['listener', 'loadbalancer_id'],
      ['pool', 'protocol'],
      ['member', 'address'],
      ['healthmonitor', 'type'],
      ['l7policy', 'listener_id'],
    ])('PUT of a %s does not know %s any more', async (root, field) => {
      expect(await refusal('PUT', root, { [field]: 'x' })).toMatch(new RegExp(`: ${field}$`));
    });

    it('beside the root', async () => {
      const answer = await api.post('/v2/lbaas/listeners', { protocol: 'PROXY', protocol_port: 80 });

      expect(answer.body.faultstring).toBe('Unknown attributes for argument listener_: protocol, protocol_port');
    });

    it('deep inside a graph', async () => {
      const pools = [{ name: 'p', protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN', members: [{ x: 1 }] }];

      expect(await refusal('POST', 'loadbalancer', { vip_subnet_id: UUID, pools })).toBe(
        'Unknown attribute for argument load_balancer.loadbalancer.pools.members: x',
      );
    });

    it('goes for names that every object of JavaScript has', async () => {
      const raw = '{"pool": {"__proto__": 1, "constructor": 2}}';
      const answer = await api.request('POST', '/v2/lbaas/pools', { raw });

      expect(answer.body.faultstring).toBe('Unknown attributes for argument pool_.pool: __proto__, constructor');
    });
  });

  describe('values', () => {
    const listener = { loadbalancer_id: UUID, protocol: 'TCP', protocol_port: 80 };
    const member = { address: '10.0.0.1', protocol_port: 80 };
    const monitor = { pool_id: UUID, type: 'HTTP', delay: 1, timeout: 1, max_retries: 1 };

    it.each([
      ['POST', 'listener', { loadbalancer_id: UUID }, 'protocol', 'None', 'Mandatory field missing.'],
      ['POST', 'pool', { name: 'x' }, 'protocol', 'None', 'Mandatory field missing.'],
      ['POST', 'member', { name: 'x' }, 'address', 'None', 'Mandatory field missing.'],
      ['POST', 'healthmonitor', { pool_id: UUID }, 'type', 'None', 'Mandatory field missing.'],
      ['POST', 'l7policy', { listener_id: UUID }, 'action', 'None', 'Mandatory field missing.'],
      ['POST', 'loadbalancer', { vip_subnet_id: 'HI' }, 'vip_subnet_id', 'HI', 'Value should be UUID format'],
      ['POST', 'loadbalancer', { vip_subnet_id: '' }, 'vip_subnet_id', '', 'Value should be UUID format'],
      [
        'POST',
        'loadbalancer',
        { vip_address: '10.0.0' },
        'vip_address',
        '10.0.0',
        'Value should be IPv4 or IPv6 format',
      ],
      ['POST', 'loadbalancer', { name: 5 }, 'name', '5', 'Value should be string'],
      ['POST', 'loadbalancer', { vip_sg_ids: ['x'] }, 'vip_sg_ids', "['x']", 'Value should be UUID format'],
      [
        'POST',
        'listener',
        { ...listener, protocol_port: 0 },
        'protocol_port',
        '0',
        'Value should be greater or equal to 1',
      ],
      [
        'POST',
        'listener',
        { ...listener, protocol_port: '65536' },
        'protocol_port',
        '65536',
        'Value should be lower or equal to 65535',
      ],
      [
        'POST',
        'listener',
        { ...listener, connection_limit: -2 },
        'connection_limit',
        '-2',
        'Value should be greater or equal to -1',
      ],
      [
        'POST',
        'listener',
        { ...listener, allowed_cidrs: ['10.0.1.0/33', '::/0'] },
        'allowed_cidrs',
        "['10.0.1.0/33', '::/0']",
        'Value should be IPv4 or IPv6 CIDR format',
      ],
      [
        'POST',
        'listener',
        { ...listener, alpn_protocols: ['http/1.1', 'x'] },
        'alpn_protocols',
        "['http/1.1', 'x']",
        'Value should be a valid ALPN protocol ID',
      ],
      ['POST', 'listener', { ...listener, tags: [5] }, 'tags', '[5]', 'Value should be string'],
      ['POST', 'member', { ...member, weight: 257 }, 'weight', '257', 'Value should be lower or equal to 256'],
      ['PUT', 'member', { monitor_address: 'x' }, 'monitor_address', 'x', 'Value should be IPv4 or IPv6 format'],
      [
        'POST',
        'healthmonitor',
        { ...monitor, url_path: 'x y' },
        'url_path',
        'x y',
        'Value must be a valid URL Path string',
      ],
      [
        'PUT',
        'healthmonitor',
        { expected_codes: '20' },
        'expected_codes',
        '20',
        String.raw`Value should match the pattern ^(\d{3}(\s*,\s*\d{3})*)$|^(\d{3}-\d{3})$`,
      ],
      ['PUT', 'healthmonitor', { http_version: '2.0' }, 'http_version', '2.0', 'Value should be one of: 1.0, 1.1'],
      ['PUT', 'l7policy', { redirect_url: 'ftp://x' }, 'redirect_url', 'ftp://x', 'Value must be a valid URL string'],
      [
        'PUT',
        'l7policy',
        { redirect_http_code: 404 },
        'redirect_http_code',
        '404',
        'Value should be one of: 301, 302, 303, 307, 308',
      ],
      [
        'PUT',
        'pool',
        { session_persistence: { type: 'x' } },
        'type',
        'x',
        'Value should be one of: SOURCE_IP, HTTP_COOKIE, APP_COOKIE',
      ],
    ] as const)('%s of a %s with %j', async (method, root, fields, field, value, reason) => {
      expect(await refusal(method, root, fields)).toBe(
        `Invalid input for field/attribute ${field}. Value: '${value}'. ${reason}`,
      );
    });

    it('of the wrong protocol are told the right ones', async () => {
      expect(await refusal('POST', 'listener', { ...listener, protocol: 'PROXY' })).toMatch(
        /^Invalid input for field\/attribute protocol\. Value: 'PROXY'\. Value should be one of: /,
      );
    });

    it('too long are told how long they may be', async () => {
      const name = 'n'.repeat(256);

      expect(await refusal('PUT', 'loadbalancer', { name })).toBe(
        `Invalid input for field/attribute name. Value: '${name}'. Value should have a maximum character requirement of 255`,
      );
    });

    it.each([
      ['listener', { ...listener, protocol_port: 'abc' }, 'listener_', "invalid literal for int() with base 10: 'abc'"],
      ['listener', { ...listener, admin_state_up: 'maybe' }, 'listener_', 'Value not an unambiguous boolean: maybe'],
      ['listener', { ...listener, tags: 'abc' }, 'listener_', 'Value not a valid list: abc'],
    ])('of a %s that cannot be converted show the body', async (root, fields, argument, reason) => {
      const text = await refusal('POST', root, fields);

      expect(text.startsWith(`Invalid input for field/attribute ${argument}. Value: '{'${root}': {`)).toBe(true);
      expect(text.endsWith(`}}'. ${reason}`)).toBe(true);
    });

    it('are checked in the order of declaration, unknown attributes first', async () => {
      expect(await refusal('POST', 'listener', { protocol_port: 0, protocol: 'X' })).toMatch(/attribute protocol\./);
      expect(await refusal('POST', 'listener', { protocol_port: 0, x: 1 })).toMatch(/^Unknown attribute .*: x$/);
    });

    it('may all be null', async () => {
      const fields = Object.fromEntries(['name', 'tags', 'admin_state_up', 'vip_sg_ids'].map((name) => [name, null]));
      const answer = await api.put(`/v2/lbaas/loadbalancers/${UUID}`, { loadbalancer: fields });

      expect(answer.status).toBe(404);
    });

    it('of a listener that is null at all have a text of their own', async () => {
      expect(await refusal('PUT', 'listener', null)).toBe('Validation failure: No listener object supplied.');
    });
  });
});
