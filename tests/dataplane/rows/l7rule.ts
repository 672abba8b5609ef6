import type { Schemas } from '../../../api/openapi/schemas';
import { ask } from '../clients/web';
import { addPolicy, type RuleGiven, startsWith } from '../policies';
import type { Row } from '../row';
import type { Served } from '../stage';

type Compare = NonNullable<Schemas['L7RuleCreate']['compare_type']>;

interface Request {
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Case {
  readonly compare_type: Compare;
  readonly value: string;
  readonly matches: Request;
  readonly fails: Request;
}

const host = (name: string): Request => ({ headers: { host: name } });
const header = (value: string): Request => ({ headers: { 'X-Kind': value } });
const cookie = (text: string): Request => ({ headers: { cookie: text } });
const path = (text: string): Request => ({ path: text });

/** For each type one case for each way to compare that it knows: a request that matches, and one that nearly does. */
const CASES: Readonly<Record<'HOST_NAME' | 'PATH' | 'FILE_TYPE' | 'HEADER' | 'COOKIE', readonly Case[]>> = {
  HOST_NAME: [
    { compare_type: 'EQUAL_TO', value: 'www.a.example', matches: host('www.a.example'), fails: host('b.example') },
    { compare_type: 'STARTS_WITH', value: 'www', matches: host('www.a.example'), fails: host('a.www.example') },
    { compare_type: 'ENDS_WITH', value: '.org', matches: host('a.org'), fails: host('a.org.example') },
    { compare_type: 'CONTAINS', value: 'shop', matches: host('my.shop.example'), fails: host('my.example') },
    { compare_type: 'REGEX', value: '^[a-c]+\\.example$', matches: host('abc.example'), fails: host('abcd.example') },
  ],
  PATH: [
    { compare_type: 'EQUAL_TO', value: '/a', matches: path('/a?b=c'), fails: path('/a/b') },
    { compare_type: 'STARTS_WITH', value: '/a', matches: path('/a/b'), fails: path('/b/a') },
    { compare_type: 'ENDS_WITH', value: '/z', matches: path('/a/z?q'), fails: path('/z/a') },
    { compare_type: 'CONTAINS', value: '/mid/', matches: path('/a/mid/z'), fails: path('/a/mi/d') },
    { compare_type: 'REGEX', value: '^/v[0-9]+/', matches: path('/v12/a'), fails: path('/vx/a') },
  ],
  FILE_TYPE: [
    { compare_type: 'EQUAL_TO', value: 'jpg', matches: path('/a/b.jpg'), fails: path('/jpg/b.png') },
    { compare_type: 'REGEX', value: 'jpe?g$', matches: path('/b.jpeg'), fails: path('/b.gif') },
  ],
  HEADER: [
    { compare_type: 'EQUAL_TO', value: 'big', matches: header('big'), fails: header('bigger') },
    { compare_type: 'STARTS_WITH', value: 'big', matches: header('bigger'), fails: header('not-big') },
    { compare_type: 'ENDS_WITH', value: 'ger', matches: header('bigger'), fails: header('gerbil') },
    { compare_type: 'CONTAINS', value: 'gg', matches: header('bigger'), fails: header('big') },
    { compare_type: 'REGEX', value: '^b.g$', matches: header('bug'), fails: header('bugs') },
  ],
  COOKIE: [
    { compare_type: 'EQUAL_TO', value: 'red', matches: cookie('a=b; kind=red'), fails: cookie('kind=redder') },
    { compare_type: 'STARTS_WITH', value: 're', matches: cookie('kind=red'), fails: cookie('kind=ored') },
    { compare_type: 'ENDS_WITH', value: 'ed', matches: cookie('kind=red'), fails: cookie('kind=edge') },
    { compare_type: 'CONTAINS', value: 'e', matches: cookie('kind=red'), fails: cookie('e=e; kind=blau') },
    { compare_type: 'REGEX', value: '^r.d$', matches: cookie('kind=rod'), fails: cookie('kind=rods') },
  ],
};
const KEYS = { HEADER: 'X-Kind', COOKIE: 'kind' } as const;

const rejected = async (served: Served, request: Request) => (await ask({ ...served, ...request })).status === 403;

function typeRow(type: keyof typeof CASES): Row {
  const cases = CASES[type];
  const compared = cases.map(({ compare_type }) => `l7rule.compare_type=${compare_type}` as const);
  const key = type === 'HEADER' || type === 'COOKIE' ? KEYS[type] : null;
  return {
    proves: [
      ...(['POST l7rule.type', 'POST l7rule.compare_type', 'POST l7rule.value'] as const),
      ...(['PUT l7rule.compare_type', 'PUT l7rule.value'] as const),
      ...(key === null ? [] : (['POST l7rule.key'] as const)),
      ...[`l7rule.type=${type}` as const, ...compared],
    ],
    title: `a rule of type ${type} matches by ${cases.map(({ compare_type }) => compare_type).join(', ')}`,
    async run(stage) {
      const one = await stage.web('one');
      const served = await stage.serve({ members: [{ backend: one }] });
      const ruleOf = ({ compare_type, value }: Case): RuleGiven => ({ type, key, compare_type, value });
      const [first, ...others] = cases as readonly [Case, ...Case[]];
      const { policy, rules } = await addPolicy(stage, served, { action: 'REJECT', rules: [ruleOf(first)] });
      const check = async ({ compare_type, matches, fails }: Case) => {
        expect([compare_type, await rejected(served, matches)]).toEqual([compare_type, true]);
        expect([compare_type, await rejected(served, fails)]).toEqual([compare_type, false]);
      };
      await check(first);
      for (const other of others) {
        const { compare_type, value } = other;
        await stage.update(served, `l7policies/${policy}/rules/${rules[0]}`, { rule: { compare_type, value } });
        await check(other);
      }
    },
  };
}

/** Which requests rules match. */
export const l7RuleRows: readonly Row[] = [
  ...(Object.keys(CASES) as (keyof typeof CASES)[]).map(typeRow),
  {
    proves: ['PUT l7rule.type', 'PUT l7rule.key'],
    title: 'a rule looks at something else after a change',
    async run(stage) {
      const one = await stage.web('one');
      const served = await stage.serve({ members: [{ backend: one }] });
      const { policy, rules } = await addPolicy(stage, served, {
        ...{ action: 'REJECT', rules: [{ type: 'HEADER', key: 'X-One', compare_type: 'EQUAL_TO', value: 'a' }] },
      });
      const rule = `l7policies/${policy}/rules/${rules[0]}`;
      expect(await rejected(served, { headers: { 'X-One': 'a' } })).toBe(true);
      await stage.update(served, rule, { rule: { key: 'X-Two' } });
      expect(await rejected(served, { headers: { 'X-One': 'a' } })).toBe(false);
      expect(await rejected(served, { headers: { 'X-Two': 'a' } })).toBe(true);
      await stage.update(served, rule, { rule: { type: 'COOKIE' } });
      expect(await rejected(served, { headers: { 'X-Two': 'a' } })).toBe(false);
      expect(await rejected(served, { headers: { cookie: 'X-Two=a' } })).toBe(true);
    },
  },
  {
    proves: ['POST l7rule.invert', 'PUT l7rule.invert'],
    title: 'an inverted rule matches what it would not',
    async run(stage) {
      const one = await stage.web('one');
      const served = await stage.serve({ members: [{ backend: one }] });
      const { policy, rules } = await addPolicy(stage, served, {
        ...{ action: 'REJECT', rules: [{ ...startsWith('/open'), invert: true }] },
      });
      expect([await rejected(served, path('/open')), await rejected(served, path('/'))]).toEqual([false, true]);
      await stage.update(served, `l7policies/${policy}/rules/${rules[0]}`, { rule: { invert: false } });
      expect([await rejected(served, path('/open')), await rejected(served, path('/'))]).toEqual([true, false]);
    },
  },
  {
    proves: ['POST l7rule.admin_state_up', 'PUT l7rule.admin_state_up', 'DELETE l7rule'],
    title: 'all enabled rules of a policy must match, and without any it does nothing',
    async run(stage) {
      const one = await stage.web('one');
      const served = await stage.serve({ members: [{ backend: one }] });
      const beta: RuleGiven = { type: 'HEADER', key: 'X-Beta', compare_type: 'EQUAL_TO', value: 'yes' };
      const { policy, rules } = await addPolicy(stage, served, {
        ...{ action: 'REJECT', rules: [startsWith('/new'), { ...beta, admin_state_up: false }] },
      });
      const [first, second] = rules.map((id) => `l7policies/${policy}/rules/${id}`) as [string, string];
      const both: Request = { path: '/new', headers: { 'X-Beta': 'yes' } };
      const seen = async () => [await rejected(served, path('/new')), await rejected(served, both)];
      expect(await seen()).toEqual([true, true]);
      await stage.update(served, second, { rule: { admin_state_up: true } });
      expect(await seen()).toEqual([false, true]);
      await stage.update(served, second, { rule: { admin_state_up: false } });
      expect(await seen()).toEqual([true, true]);
      await stage.remove(served, first);
      expect(await seen()).toEqual([false, false]);
    },
  },
];
