import type { OutgoingHttpHeaders } from 'node:http';
import type { L7PolicySpec, ListenerSpec, PoolSpec } from '../../driver/protocol/spec';
import { type FakeController, startController } from '../support/agentController';
import { createEngine, type EngineUnderTest } from '../support/agentEngine';
import { aListener, aMember, aPolicy, aPool, aRule, aSpec } from '../support/agentSpecs';
import { ask as askAt } from '../support/ask';
import { type Arrival, startWeb, type WebBackend } from '../support/backends/web';

const VIP = '127.80.203.1';
const PORT = 20_080;
const ask = (path?: string, headers?: OutgoingHttpHeaders) => askAt({ host: VIP, port: PORT }, path, headers);

describe('L7 policies', () => {
  let controller: FakeController;
  let engine: EngineUnderTest;
  let web: WebBackend;
  let api: WebBackend;
  let generation = 0;

  beforeAll(async () => {
    [controller, web, api] = await Promise.all([startController(), startWeb('web'), startWeb('api')]);
    engine = createEngine([controller.url]);
    await engine.start();
  });
  afterAll(async () => {
    await engine.dispose();
    await Promise.all([controller.close(), web.stop(), api.stop()]);
  });

  const serve = (
    l7Policies: readonly L7PolicySpec[],
    over: { listener?: Partial<ListenerSpec>; pool?: Partial<PoolSpec>; api?: Partial<PoolSpec> } = {},
  ) => {
    generation += 1;
    const pool = (id: string, { port }: WebBackend, more: Partial<PoolSpec> = {}) =>
      aPool({ id, members: [aMember({ id: `member-${id}`, port })], ...more });
    return controller.put(
      aSpec({
        generation,
        vips: [VIP],
        listeners: [aListener({ port: PORT, l7Policies: [...l7Policies], ...over.listener })],
        pools: [pool('pool-1', web, over.pool), pool('pool-api', api, over.api)],
      }),
    );
  };
  const toApi = (over: Partial<L7PolicySpec> = {}) =>
    aPolicy({ id: 'to-api', action: 'REDIRECT_TO_POOL', redirectPoolId: 'pool-api', ...over });
  const rule = (id: string, value: string) => [aRule({ id, value })];

  it('reject with 403', async () => {
    await serve([aPolicy()]);
    expect(await ask('/api')).toMatchObject({ status: 403 });
    expect(await ask('/')).toMatchObject({ status: 200 });
  });

  it.each<[number | null, number]>([
    [null, 302],
    [301, 301],
    [302, 302],
    [303, 303],
    [307, 307],
    [308, 308],
  ])('redirect to a URL and by prefix with the code %s', async (redirectHttpCode, status) => {
    const redirectUrl = "https://www.example.org/100%25?q='%[src]'&$HOME";
    const redirectPrefix = 'https://new.example.org/v%2';
    await serve([
      aPolicy({ id: 'url', action: 'REDIRECT_TO_URL', redirectUrl, redirectHttpCode }),
      aPolicy({
        id: 'prefix',
        action: 'REDIRECT_PREFIX',
        redirectPrefix,
        redirectHttpCode,
        rules: rule('old', '/old'),
      }),
    ]);
    expect(await ask('/api')).toMatchObject({ status, headers: { location: redirectUrl } });
    expect(await ask('/old/a?b=c')).toMatchObject({ status, headers: { location: `${redirectPrefix}/old/a?b=c` } });
  });

  it('redirect to a pool, which is then reported like any other', async () => {
    await serve([toApi()]);
    expect(await backendOf('/api')).toBe('api');
    expect(await backendOf('/')).toBe('web');
    await controller.waitFor('both pools are reported', () => controller.report('lb-1')?.generation === generation);
    expect(controller.report('lb-1')?.pools).toEqual({
      'pool-1': { state: 'UP', members: { 'member-pool-1': 'NO_CHECK' } },
      'pool-api': { state: 'UP', members: { 'member-pool-api': 'NO_CHECK' } },
    });
  });

  it('redirect to a pool where the listener has none itself', async () => {
    await serve([toApi()], { listener: { defaultPoolId: null } });
    expect(await backendOf('/api')).toBe('api');
    expect(await ask('/')).toMatchObject({ status: 503 });
  });

  it('do nothing when their pool is disabled: the request goes where it would without them', async () => {
    await serve([toApi()], { api: { enabled: false } });
    expect(await backendOf('/api')).toBe('web');
  });

  it('answer 503 when their pool is one the engine cannot serve', async () => {
    const { refusals } = await serve([toApi()], { api: { protocol: 'SCTP' } });
    expect(refusals).toEqual([expect.objectContaining({ kind: 'pool', id: 'pool-api' })]);
    expect(await ask('/api')).toMatchObject({ status: 503 });
    expect(await backendOf('/')).toBe('web');
  });

  it('come in the order of rejections, redirections, pools, and by position among each', async () => {
    const redirect = (id: string, value: string): L7PolicySpec =>
      aPolicy({ id, action: 'REDIRECT_TO_URL', redirectUrl: `http://${id}/`, rules: rule(`rule-${id}`, value) });
    await serve([
      toApi({ id: 'first', redirectPoolId: 'pool-1', rules: rule('rule-1', '/pools/1') }),
      toApi({ id: 'second', rules: rule('rule-2', '/pools') }),
      toApi({ id: 'third', redirectPoolId: 'pool-1', rules: rule('rule-3', '/') }),
      redirect('one', '/pools/url/1'),
      redirect('two', '/pools/url'),
      aPolicy({ id: 'prefix', action: 'REDIRECT_PREFIX', redirectPrefix: 'http://p', rules: rule('r', '/pools/url') }),
      aPolicy({ id: 'reject', rules: rule('rule-reject', '/pools/url/1/no') }),
    ]);
    expect(await backendOf('/pools/1')).toBe('web');
    expect(await backendOf('/pools/2')).toBe('api');
    expect(await backendOf('/')).toBe('web');
    expect(await ask('/pools/url/1')).toMatchObject({ status: 302, headers: { location: 'http://one/' } });
    expect(await ask('/pools/url/2')).toMatchObject({ status: 302, headers: { location: 'http://two/' } });
    expect(await ask('/pools/url/1/no')).toMatchObject({ status: 403 });
  });

  it('need all of their rules, fifty if there are so many', async () => {
    const rules = Array.from({ length: 50 }, (_, index) =>
      aRule({ id: `0123456789abcdef-0123456789abcdef-${index}`, value: '/'.padEnd(index + 1, 'x') }),
    );
    await serve([toApi({ rules })]);
    expect(await backendOf(`/${'x'.repeat(49)}`)).toBe('api');
    expect(await backendOf(`/${'x'.repeat(48)}`)).toBe('web');
  });

  it('look at what the client sent, not at what the listener inserts', async () => {
    const byHeader = [aRule({ type: 'HEADER', key: 'X-Real-IP', compareType: 'STARTS_WITH', value: '127.' })];
    await serve([toApi({ rules: byHeader })], { listener: { insertHeaders: { 'X-Real-IP': 'true' } } });
    expect(await arrivalOf('/')).toMatchObject({ backend: 'web', headers: { 'x-real-ip': '127.0.0.1' } });
    expect(await arrivalOf('/', { 'x-real-ip': '127.9.9.9' })).toMatchObject({
      backend: 'api',
      headers: { 'x-real-ip': '127.0.0.1' },
    });
  });

  it('keep a client at its member of each pool, whatever it asks for in between', async () => {
    const members = [aMember({ id: 'one', port: api.port }), aMember({ id: 'two', port: web.port })];
    const persistence = { type: 'HTTP_COOKIE', cookieName: null, timeout: null, granularity: null } as const;
    await serve([toApi()], { api: { members, persistence }, pool: { members, persistence } });
    const jar: string[] = [];
    const visit = async (target: string) => {
      const { body, headers } = await ask(target, { cookie: jar.join('; ') });
      for (const set of headers['set-cookie'] ?? []) jar.push(set.split(';')[0] ?? '');
      return (JSON.parse(body) as Arrival).backend;
    };
    const first = [await visit('/'), await visit('/api')];
    for (let count = 0; count < 4; count += 1) expect([await visit('/'), await visit('/api')]).toEqual(first);
    expect(jar).toHaveLength(2);
  });

  it('are left out, with the rule named, when haproxy refuses its regex; the others serve', async () => {
    const { outcome, refusals } = await serve([
      aPolicy({ id: 'bad', rules: [aRule({ id: 'bad-rule', compareType: 'REGEX', value: '^/(' }), aRule()] }),
      toApi({ rules: rule('good-rule', '/api') }),
    ]);
    expect({ outcome, refusals }).toEqual({
      outcome: 'applied',
      refusals: [{ kind: 'l7rule', id: 'bad-rule', reason: expect.stringContaining("regex '^/(' is invalid") }],
    });
    expect(await backendOf('/api')).toBe('api');
  });

  it('insert every header that is asked for, in place of what the client says', async () => {
    const names = ['X-Forwarded-Port', 'X-Forwarded-Proto', 'X-Forwarded-IP', 'X-Client-IP', 'X-Real-IP'];
    const forged = Object.fromEntries(names.map((name) => [name, 'forged']));
    const insertHeaders = Object.fromEntries(['X-Forwarded-For', ...names].map((name) => [name, 'True']));
    await serve([], { listener: { insertHeaders } });
    const { headers } = await arrivalOf('/', { ...forged, 'X-Forwarded-For': '192.0.2.1' });
    expect(headers).toMatchObject({
      'x-forwarded-for': expect.stringMatching(/^192\.0\.2\.1, ?127\.0\.0\.1$/),
      'x-forwarded-port': String(PORT),
      'x-forwarded-proto': 'http',
      'x-forwarded-ip': '127.0.0.1',
      'x-client-ip': '127.0.0.1',
      'x-real-ip': '127.0.0.1',
    });

    await serve([], { listener: { insertHeaders: { 'X-Real-IP': 'false', 'X-SSL-Client-Verify': 'true' } } });
    const plain = (await arrivalOf('/')).headers;
    expect(Object.keys(plain).filter((name) => name.startsWith('x-'))).toEqual([]);
  });

  const backendOf = async (target: string, headers: OutgoingHttpHeaders = {}) =>
    (await arrivalOf(target, headers)).backend;
  const arrivalOf = async (target: string, headers: OutgoingHttpHeaders = {}) => {
    const { status, body } = await ask(target, headers);
    expect(status).toBe(200);
    return JSON.parse(body) as Arrival;
  };
});
