import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http';
import type { L7PolicySpec, L7RuleSpec, ListenerSpec, PoolSpec } from '../../driver/protocol/spec';
import { type FakeController, startController } from '../support/agentController';
import { createEngine, type EngineUnderTest } from '../support/agentEngine';
import { aListener, aMember, aPolicy, aPool, aRule, aSpec } from '../support/agentSpecs';
import { type Arrival, startWeb, type WebBackend } from '../support/backends/web';

const VIP = '127.80.203.1';
const PORT = 20_080;

interface Request {
  readonly path?: string;
  readonly headers?: OutgoingHttpHeaders;
}

interface RuleCase {
  readonly rule: Partial<L7RuleSpec>;
  readonly matching: readonly Request[];
  readonly others: readonly Request[];
}

const host = (name: string): Request => ({ headers: { host: name } });
const path = (text: string): Request => ({ path: text });
const kind = (value: string | string[]): Request => ({ headers: { 'X-Kind': value } });
const cookie = (text: string): Request => ({ headers: { cookie: text } });

const CASES: readonly RuleCase[] = [
  {
    rule: { type: 'HOST_NAME', compareType: 'EQUAL_TO', value: 'www.example.org' },
    matching: [host('www.example.org'), host('WWW.Example.ORG'), host('www.example.org:20080')],
    others: [host('www.example.com'), host('x.www.example.org')],
  },
  {
    rule: { type: 'HOST_NAME', compareType: 'EQUAL_TO', value: 'www.example.org:81' },
    matching: [host('www.example.org:81')],
    others: [host('www.example.org'), host('www.example.org:80')],
  },
  {
    rule: { type: 'HOST_NAME', compareType: 'STARTS_WITH', value: 'api.' },
    matching: [host('api.example.org'), host('API.example.org:81')],
    others: [host('www.api.example.org')],
  },
  {
    rule: { type: 'HOST_NAME', compareType: 'ENDS_WITH', value: '.example.org' },
    matching: [host('www.example.org'), host('www.example.org:20080')],
    others: [host('example.org'), host('www.example.org.test')],
  },
  {
    rule: { type: 'HOST_NAME', compareType: 'CONTAINS', value: 'shop' },
    matching: [host('my-SHOP.example.org')],
    others: [host('sho.p')],
  },
  {
    rule: { type: 'HOST_NAME', compareType: 'REGEX', value: '^(a|b)\\d+\\.example\\.org$' },
    matching: [host('a1.example.org'), host('B22.example.org:20080')],
    others: [host('c1.example.org'), host('a1xexample.org')],
  },
  {
    rule: { type: 'PATH', compareType: 'EQUAL_TO', value: '/a' },
    matching: [path('/a'), path('/a?b=c')],
    others: [path('/A'), path('/a/')],
  },
  {
    rule: { type: 'PATH', compareType: 'STARTS_WITH', value: '/api' },
    matching: [path('/api'), path('/apitude/x')],
    others: [path('/v1/api'), path('/?/api')],
  },
  {
    rule: { type: 'PATH', compareType: 'ENDS_WITH', value: '/end' },
    matching: [path('/the/end'), path('/the/end?not')],
    others: [path('/the/end/not'), path('/?/end')],
  },
  {
    rule: { type: 'PATH', compareType: 'CONTAINS', value: '-f' },
    matching: [path('/a-file')],
    others: [path('/a-File')],
  },
  {
    rule: { type: 'PATH', compareType: 'REGEX', value: '^/(img|css)/\\w+\\.(?!php)' },
    matching: [path('/img/a.png'), path('/css/b.css')],
    others: [path('/img/a.php'), path('/js/a.js')],
  },
  {
    rule: { type: 'PATH', compareType: 'REGEX', value: '(?i)^/(?P<twice>a|b)(?P=twice)$' },
    matching: [path('/aa'), path('/BB')],
    others: [path('/ab')],
  },
  {
    rule: { type: 'FILE_TYPE', compareType: 'EQUAL_TO', value: 'jpg' },
    matching: [path('/a.jpg'), path('/a.b/c.d.jpg?x=y')],
    others: [path('/jpg'), path('/a.jpg/b'), path('/a.jpeg'), path('/a?x.jpg')],
  },
  {
    rule: { type: 'FILE_TYPE', compareType: 'REGEX', value: '^(jpe?g|png)$' },
    matching: [path('/a.jpg'), path('/a.b/c.png?x')],
    others: [path('/jpg'), path('/a.gif'), path('/a.jpg/b')],
  },
  {
    rule: { type: 'FILE_TYPE', compareType: 'REGEX', value: '\\.(jpe?g|png)$' },
    matching: [path('/a.jpeg')],
    others: [path('/jpg'), path('/a.gif')],
  },
  {
    rule: { type: 'HEADER', key: 'X-Kind', compareType: 'EQUAL_TO', value: 'blue' },
    matching: [kind('blue'), kind('red, blue'), kind(['red', 'blue'])],
    others: [kind('Blue'), kind('bluest'), {}],
  },
  {
    rule: { type: 'HEADER', key: 'x-kind', compareType: 'EQUAL_TO', value: '"a, b"' },
    matching: [kind('a, b')],
    others: [kind('a'), kind('"a, b"')],
  },
  {
    rule: { type: 'HEADER', key: 'X-Kind', compareType: 'STARTS_WITH', value: 'bl' },
    matching: [kind('blue')],
    others: [kind('a bl')],
  },
  {
    rule: { type: 'HEADER', key: 'X-Kind', compareType: 'ENDS_WITH', value: 'ue' },
    matching: [kind('blue')],
    others: [kind('uer')],
  },
  {
    rule: { type: 'HEADER', key: 'X-Kind', compareType: 'CONTAINS', value: "l'u" },
    matching: [kind("bl'ue")],
    others: [kind('blue')],
  },
  {
    rule: { type: 'HEADER', key: 'User-Agent', compareType: 'REGEX', value: 'Android [0-9]{1,2}\\b' },
    matching: [{ headers: { 'user-agent': 'Mozilla/5.0 (Linux; Android 14; x)' } }],
    others: [{ headers: { 'user-agent': 'Mozilla/5.0 (Linux; Android 140)' } }],
  },
  {
    rule: { type: 'COOKIE', key: 'color', compareType: 'EQUAL_TO', value: 'blue' },
    matching: [cookie('a=b; color=blue')],
    others: [cookie('color=red'), cookie('xcolor=blue'), {}],
  },
  {
    rule: { type: 'COOKIE', key: 'color', compareType: 'STARTS_WITH', value: 'b' },
    matching: [cookie('color=blue')],
    others: [cookie('color=red')],
  },
  {
    rule: { type: 'COOKIE', key: 'color', compareType: 'ENDS_WITH', value: 'e' },
    matching: [cookie('color=blue')],
    others: [cookie('color=red')],
  },
  {
    rule: { type: 'COOKIE', key: 'color', compareType: 'CONTAINS', value: 'lu' },
    matching: [cookie('color=blue')],
    others: [cookie('color=red')],
  },
  {
    rule: { type: 'COOKIE', key: 'color', compareType: 'REGEX', value: '^b.+e$' },
    matching: [cookie('color=blue')],
    others: [cookie('color=blues')],
  },
  {
    rule: { type: 'PATH', compareType: 'EQUAL_TO', value: '/a', invert: true },
    matching: [path('/b')],
    others: [path('/a')],
  },
  {
    rule: { type: 'HEADER', key: 'X-Kind', compareType: 'EQUAL_TO', value: 'blue', invert: true },
    matching: [kind('red'), {}],
    others: [kind('blue'), kind('red, blue')],
  },
  {
    rule: { type: 'SSL_CONN_HAS_CERT', compareType: 'EQUAL_TO', value: 'True', invert: true },
    matching: [{}],
    others: [],
  },
];

/** All cases in one listener: a request says by a header which of them it is about, in a rule that must match as well. */
function policyOf({ rule }: RuleCase, index: number): L7PolicySpec {
  const key = `case-${index}`;
  return aPolicy({
    id: key,
    action: 'REDIRECT_TO_URL',
    redirectUrl: 'http://matched/',
    rules: [
      aRule({ id: `${key}-a`, type: 'HEADER', key: 'X-Case', compareType: 'EQUAL_TO', value: String(index) }),
      aRule({ ...rule, id: `${key}-b` }),
    ],
  });
}

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

  describe('rules', () => {
    beforeAll(async () => {
      expect(await serve(CASES.map(policyOf))).toMatchObject({ outcome: 'applied', refusals: [] });
    });

    it.each(CASES.map((one, index) => [JSON.stringify(one.rule), one, index] as const))(
      'match what Octavia would: %s',
      async (_title, { matching, others }, index) => {
        const outcomes = async (requests: readonly Request[]) => {
          const all = requests.map((one) => ask(one.path, { ...one.headers, 'X-Case': index }));
          return (await Promise.all(all)).map(({ status }) => status);
        };
        expect(await outcomes(matching)).toEqual(matching.map(() => 302));
        expect(await outcomes(others)).toEqual(others.map(() => 200));
      },
    );
  });

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

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** One request on a connection of its own. */
function ask(target = '/', headers: OutgoingHttpHeaders = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: VIP, port: PORT, path: target, headers, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        body += chunk;
      });
      response.once('error', reject).once('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
      });
    });
    sent.once('error', reject).end();
  });
}
