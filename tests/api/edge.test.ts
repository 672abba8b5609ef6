import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT, startTestApi, type TestApi } from '../support/api';
import { describeOnDatabases } from '../support/database';
import { insertLoadBalancer, insertPool } from '../support/rows';

const UNKNOWN = '99999999-9999-4999-8999-999999999999';

describeOnDatabases('the edge of the API', ({ open }) => {
  let api: TestApi;
  let lb: string;
  let pool: string;
  beforeAll(async () => {
    api = await startTestApi({ open });
    lb = (await insertLoadBalancer(api.db, { project_id: PROJECT })).id;
    pool = (await insertPool(api.db, { project_id: PROJECT, load_balancer_id: lb })).id;
  });
  afterAll(() => api.close());

  function faultOf(text: string, server = false) {
    return { faultcode: server ? 'Server' : 'Client', faultstring: text, debuginfo: null };
  }

  describe('paths', () => {
    it.each(['/v2/lbaas', '/v2', '/v2.0/lbaas', '/v2.0', '/load-balancer/v2.0/lbaas'])('below %s', async (prefix) => {
      for (const suffix of ['', '/', '.json', '.json/']) {
        const answer = await api.get(`${prefix}/loadbalancers/${lb}${suffix}`);

        expect([answer.status, answer.body.loadbalancer?.id]).toEqual([200, lb]);
      }
    });

    it.each(['/v2', '/v2/', '/v2.0', '/v2/lbaas', '/v2.0/octavia/'])('GET %s answers the version', async (path) => {
      expect((await api.get(path)).text).toBe('"v2"');
    });

    it.each(['/v2/lbaas/nothing', '/v3', '/v2/lbaas/pools/a/b/c/d', '/favicon.ico'])('GET %s is 404', async (path) => {
      const answer = await api.get(path);

      expect([answer.status, answer.body]).toEqual([404, { code: 404, title: 'Not Found', description: '' }]);
    });

    it.each([
      ['PATCH', '/v2/lbaas/loadbalancers', 'GET, POST'],
      ['HEAD', '/v2/lbaas/loadbalancers', 'GET, POST'],
      ['PATCH', '/v2/lbaas/pools/x', 'GET, PUT, DELETE'],
      ['POST', '/v2/lbaas/loadbalancers/x/stats', 'GET'],
    ])('%s %s is 405 and says what is allowed', async (method, path, allow) => {
      const answer = await api.request(method, path);

      expect([answer.status, answer.headers.get('allow')]).toEqual([405, allow]);
      if (method !== 'HEAD') expect(answer.body).toEqual({ code: 405, title: 'Method Not Allowed', description: '' });
    });

    it.each([
      ['PUT', 'loadbalancers'],
      ['DELETE', 'listeners'],
      ['PUT', 'healthmonitors'],
      ['DELETE', `pools/${'x'}/members`],
    ])('%s of the collection %s lacks an id', async (method, path) => {
      const answer = await api.request(method, `/v2/lbaas/${path}`, method === 'PUT' ? { body: {} } : {});

      expect([answer.status, answer.body]).toEqual([400, faultOf('Missing argument: "id"')]);
    });

    it('answers for what is not there in the shape that belongs to the place', async () => {
      const object = await api.get(`/v2/lbaas/pools/${UNKNOWN}`);
      const parent = await api.get(`/v2/lbaas/pools/${UNKNOWN}/members/${UNKNOWN}`);
      const list = await api.get(`/v2/lbaas/l7policies/${UNKNOWN}/rules`);
      const post = await api.post(`/v2/lbaas/pools/${UNKNOWN}/members`, 'no object at all');
      const member = await api.get(`/v2/lbaas/pools/${pool}/members/${UNKNOWN}`);
      const name = await api.get('/v2/lbaas/loadbalancers/SEAN-CONNERY');

      expect(object.body).toEqual(faultOf(`Pool ${UNKNOWN} not found.`));
      expect(parent.body).toEqual({ code: 404, title: 'Bad Request', description: `Pool ${UNKNOWN} not found.` });
      expect(list.body).toEqual({ code: 404, title: 'Bad Request', description: `L7Policy ${UNKNOWN} not found.` });
      expect(post.status).toBe(404);
      expect(member.body).toEqual(faultOf(`Member ${UNKNOWN} not found.`));
      expect([name.status, name.body]).toEqual([404, faultOf('Load Balancer SEAN-CONNERY not found.')]);
    });
  });

  describe('the root', () => {
    it.each(['GET', 'POST'])('%s answers the 31 versions without a token', async (method) => {
      const { status, body } = await api.request(method, '/', { headers: { host: 'api.example:9876' } });

      expect(status).toBe(200);
      expect(body.versions).toHaveLength(31);
      expect(body.versions[7]).toMatchObject({ id: 'v2.7', updated: '2018-01-25T12:00:00Z', status: 'SUPPORTED' });
      expect(body.versions.filter((one: { status: string }) => one.status === 'CURRENT')).toEqual([body.versions[30]]);
      expect(body.versions[30]).toEqual({
        id: 'v2.30',
        status: 'CURRENT',
        updated: '2025-02-26T00:00:00Z',
        links: [{ href: expect.stringMatching(/^http:\/\/[^/]+\/v2$/), rel: 'self' }],
      });
    });

    it('points below the place it is mounted at', async () => {
      const { body } = await api.get('/load-balancer');

      expect(body.versions[0].links[0].href).toMatch(/^http:\/\/[^/]+\/load-balancer\/v2$/);
    });

    it('takes the words of a proxy only where the configuration says so', async () => {
      const headers = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'lb.example' };
      const trusting = await startTestApi({ open, edge: { proxyHeaders: true } });
      const fixed = await startTestApi({ open, edge: { baseUri: 'https://fixed.example/' } });

      expect((await api.get('/', headers)).body.versions[0].links[0].href).toMatch(/^http:\/\/127/);
      expect((await trusting.get('/', headers)).body.versions[0].links[0].href).toBe('https://lb.example/v2');
      expect((await fixed.get('/', headers)).body.versions[0].links[0].href).toBe('https://fixed.example/v2');
      await Promise.all([trusting.close(), fixed.close()]);
    });
  });

  describe('headers', () => {
    it('gives every answer a request id of its own', async () => {
      const inbound = `req-${UNKNOWN}`;
      const first = await api.get('/v2', { 'x-openstack-request-id': inbound });
      const second = await api.get('/v2/lbaas/nothing');

      for (const { headers } of [first, second]) {
        expect(headers.get('x-openstack-request-id')).toMatch(/^req-[0-9a-f-]{36}$/);
        expect(headers.get('x-openstack-request-id')).not.toBe(inbound);
      }
    });

    it.each(['application/json', '*/*', 'text/html, application/*;q=0.5', ''])('takes Accept: %p', async (accept) => {
      expect((await api.get('/v2', { accept })).status).toBe(200);
    });

    it.each(['/', '/v2/lbaas/pools'])('refuses at %s who takes no JSON', async (path) => {
      const answer = await api.get(path, { accept: 'text/html' });

      expect([answer.status, answer.body]).toEqual([
        406,
        { code: 406, title: 'Not Acceptable', description: 'Only content type application/json is accepted.' },
      ]);
    });

    it('does not look at the content type of a GET', async () => {
      expect((await api.get('/v2', { 'content-type': 'text/plain' })).status).toBe(200);
    });

    it('answers OPTIONS to everybody, and origins that are allowed', async () => {
      const cors = await startTestApi({ open, edge: { allowedOrigins: ['https://horizon'] } });
      const answer = await cors.request('OPTIONS', '/v2/lbaas/pools', { headers: { origin: 'https://horizon' } });
      const foreign = await cors.request('OPTIONS', '/v2/lbaas/pools', { headers: { origin: 'https://elsewhere' } });

      expect([answer.status, answer.text]).toEqual([200, '']);
      expect(answer.headers.get('access-control-allow-origin')).toBe('https://horizon');
      expect(answer.headers.get('access-control-allow-headers')).toBe('X-Auth-Token, X-Openstack-Request-Id');
      expect(foreign.headers.get('access-control-allow-origin')).toBeNull();
      await cors.close();
    });
  });

  describe('bodies', () => {
    const path = '/v2/lbaas/listeners';

    it.each(['', undefined])('an empty one lacks its argument', async (raw) => {
      const headers = { 'content-type': 'application/json' };
      const answer = await api.request('POST', path, raw === undefined ? { headers } : { headers, raw });

      expect([answer.status, answer.body]).toEqual([400, faultOf('Missing argument: "listener_"')]);
    });

    it.each(['{', 'nothing', '{"listener": {},}', '\u0000'])('%p is no JSON', async (raw) => {
      const answer = await api.request('POST', path, { raw });

      expect([answer.status, answer.body]).toEqual([400, faultOf('Request is not in valid JSON format')]);
    });

    it.each(['null', '[]', '5', '"text"', '{}', '{"listener": []}', '{"listener": "x"}', '{"listener": null}'])(
      '%s is refused',
      async (raw) => {
        const answer = await api.request('POST', path, { raw });

        expect([answer.status, answer.body.faultcode]).toEqual([400, 'Client']);
      },
    );

    it('of another type is refused', async () => {
      const answer = await api.request('POST', path, { raw: 'a=b', headers: { 'content-type': 'text/plain' } });

      expect([answer.status, answer.body]).toEqual([415, faultOf('Unknown mimetype: text/plain')]);
    });

    it('may name a charset', async () => {
      const headers = { 'content-type': 'Application/JSON; charset=UTF-8' };

      expect((await api.request('POST', path, { raw: '{"listener": {}}', headers })).status).toBe(400);
    });

    it('beyond the limit is refused in plain text, before anybody asks who sends it', async () => {
      const answer = await api.request('POST', path, { raw: `"${'x'.repeat(114_688)}"` });

      expect([answer.status, answer.headers.get('content-type')]).toEqual([413, 'text/plain; charset=utf-8']);
      expect(answer.headers.get('x-openstack-request-id')).toBeNull();
    });

    it('deeply nested costs nothing', async () => {
      const raw = `{"listener": {"insert_headers": ${'['.repeat(50_000)}${']'.repeat(50_000)}}}`;
      const answer = await api.request('POST', path, { raw });

      expect(answer.status).toBe(400);
      expect(answer.text.length).toBeLessThan(5_000);
    });

    it('with a flood of items is refused at once', async () => {
      const raw = `{"loadbalancer": {"listeners": [${new Array(35_000).fill('{}').join(',')}]}}`;
      const answer = await api.request('POST', '/v2/lbaas/loadbalancers', { raw });

      expect([answer.status, answer.body.faultstring]).toEqual([
        400,
        'A list of 35000 items is too long: 512 are allowed.',
      ]);
    });

    it.each([
      ['POST', '/v2/lbaas/listeners'],
      ['PUT', '/v2/lbaas/loadbalancers/x'],
      ['DELETE', '/v2/lbaas/loadbalancers/x'],
    ])('%s %s with a query argument nobody knows is refused', async (method, target) => {
      const answer = await api.request(method, `${target}?x=1`, method === 'DELETE' ? {} : { body: {} });

      expect([answer.status, answer.body]).toEqual([400, faultOf('Unknown argument: "x"')]);
    });
  });

  describe('beside the API', () => {
    it('says that it is well, in the form asked for', async () => {
      const get = (accept: string) => api.get('/healthcheck', { accept });

      expect((await get('*/*')).text).toBe('OK');
      expect((await get('application/json')).body).toEqual({ detailed: false, reasons: ['OK'] });
      expect((await get('text/html')).text).toContain('OK');
      expect((await api.request('HEAD', '/load-balancer/healthcheck')).status).toBe(204);
      expect((await api.request('PUT', '/healthcheck')).status).toBe(405);
    });

    it('says that the database is away', async () => {
      const broken = await startTestApi({ open });
      await broken.db.destroy();
      const answer = await broken.get('/healthcheck');
      const list = await broken.get('/v2/lbaas/pools');

      expect([answer.status, answer.text]).toEqual([503, 'The Octavia database is unavailable.']);
      expect(list.status).toBeGreaterThanOrEqual(500);
      expect(list.body.faultcode).toBe('Server');
      await broken.close();
    });

    it('does not serve the health check when told so', async () => {
      const closed = await startTestApi({ open, edge: { healthcheckEnabled: false } });

      expect((await closed.get('/healthcheck')).status).toBe(404);
      await closed.close();
    });

    it('counts requests by the route of the document', async () => {
      await api.get(`/v2/lbaas/pools/${pool}`);
      const { text } = await api.get('/metrics');

      expect(text).toContain(
        'slipstream_api_request_duration_seconds_count{method="GET",route="/v2/lbaas/pools/{pool_id}",status="200"}',
      );
    });
  });

  it('has types that follow from the document', () => {
    const generated = readFileSync(join(__dirname, '../../api/openapi/schema.gen.ts'), 'utf8');

    expect(generated).toContain('LoadBalancerCreate: {');
  });
});
