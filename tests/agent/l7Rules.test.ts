import type { OutgoingHttpHeaders } from 'node:http';
import type { L7PolicySpec, L7RuleSpec } from '../../driver/protocol/spec';
import { type FakeController, startController } from '../support/agentController';
import { createEngine, type EngineUnderTest } from '../support/agentEngine';
import { aListener, aMember, aPolicy, aPool, aRule, aSpec } from '../support/agentSpecs';
import { ask } from '../support/ask';
import { startWeb, type WebBackend } from '../support/backends/web';

const VIP = '127.80.203.7';
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

describe('L7 rules', () => {
  let controller: FakeController;
  let engine: EngineUnderTest;
  let web: WebBackend;

  beforeAll(async () => {
    [controller, web] = await Promise.all([startController(), startWeb('web')]);
    engine = createEngine([controller.url]);
    await engine.start();
    const listeners = [aListener({ port: PORT, l7Policies: CASES.map(policyOf) })];
    const pools = [aPool({ members: [aMember({ port: web.port })] })];
    const ack = await controller.put(aSpec({ vips: [VIP], listeners, pools }));
    expect(ack).toMatchObject({ outcome: 'applied', refusals: [] });
  });
  afterAll(async () => {
    await engine.dispose();
    await Promise.all([controller.close(), web.stop()]);
  });

  it.each(CASES.map((one, index) => [JSON.stringify(one.rule), one, index] as const))(
    'match what Octavia would: %s',
    async (_title, { matching, others }, index) => {
      const outcomes = async (requests: readonly Request[]) => {
        const where = { host: VIP, port: PORT };
        const all = requests.map((one) => ask(where, one.path, { ...one.headers, 'X-Case': index }));
        return (await Promise.all(all)).map(({ status }) => status);
      };
      expect(await outcomes(matching)).toEqual(matching.map(() => 302));
      expect(await outcomes(others)).toEqual(others.map(() => 200));
    },
  );
});
