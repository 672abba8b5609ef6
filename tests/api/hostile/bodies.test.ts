import { type ApiDocument, loadDocument, resolveSchema, type Schema } from '../../../api/openapi/document';
import { PROJECT, startTestApi, type TestApi } from '../../support/api';
import { openTestDatabase } from '../../support/database';
import { insertListener, insertLoadBalancer, insertPolicy, insertPool } from '../../support/rows';

const SIZE = 100_000;
/**
 * Processor time of this process for one request, in milliseconds. It takes some ten; what grows with the square of the
 * body takes many seconds.
 */
const MOST = 2_000;

const document: ApiDocument = loadDocument();

const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  (['post', 'put'] as const).flatMap((method) => {
    const operation = item[method] as
      | { requestBody?: { content: { 'application/json': { schema: Schema } } } }
      | undefined;
    const schema = operation?.requestBody?.content['application/json'].schema;
    return schema ? [{ method: method.toUpperCase(), path, schema }] : [];
  }),
);

/** Every field of every body, those of the objects in it too. */
function fieldsBelow(schema: Schema, steps: readonly string[]): (readonly string[])[] {
  const resolved = resolveSchema(document, schema);
  if (resolved.items) return [steps, ...fieldsBelow(resolved.items, [...steps, '0'])];
  const names = Object.entries(resolved.properties ?? {});
  return [steps, ...names.flatMap(([name, below]) => fieldsBelow(below, [...steps, name]))];
}

function bodyWith(steps: readonly string[], value: unknown): unknown {
  return steps.reduceRight((inner, step) => (step === '0' ? [inner] : { [step]: inner }), value);
}

const filled = (unit: string): string => unit.repeat(SIZE / unit.length);

/** Texts that regular expressions are slow to give up on. */
const TEXTS: Readonly<Record<string, string>> = {
  letters: `${filled('a')}!`,
  'labels of names': `${filled('a-')}!`,
  dots: `a${filled('.')}!`,
  blanks: `1${filled(' ')}x`,
  braces: `x${filled('{')}x`,
  digits: `${filled('1')}x`,
  'lists of codes': `${filled('200,')}x`,
  slashes: `${filled('/')} `,
  colons: `${filled('0:')}x`,
  'URL prefixes': `${filled('urn:')}x`,
};

/** Whole bodies that parsers and checks may choke on, by the root of the document. */
const SHAPES: Readonly<Record<string, (root: string) => string>> = {
  'brackets in brackets': (root) => `{"${root}": ${'['.repeat(SIZE / 2)}${']'.repeat(SIZE / 2)}}`,
  'maps in maps': (root) => `{"${root}": ${'{"a":'.repeat(SIZE / 7)}1${'}'.repeat(SIZE / 7)}}`,
  'a flood of unknown attributes': (root) => `{"${root}": {${numbers(8_000, (n) => `"x${n}": 1`)}}}`,
  'a flood of the same attribute': (root) => `{"${root}": {${numbers(8_000, () => '"name": ""')}}}`,
  'a flood of attributes beside the root': (root) => `{"${root}": {}, ${numbers(8_000, (n) => `"x${n}": 1`)}}`,
  'a list for the root': (root) => `{"${root}": [${numbers(20_000, () => '{}')}]}`,
  'a number without end': (root) => `{"${root}": {"name": ${'1'.repeat(SIZE)}}}`,
  'nothing but escapes': (root) => `{"${root}": {"name": "${'\\u0041'.repeat(SIZE / 6)}"}}`,
  'halves of surrogate pairs': (root) => `{"${root}": {"name": "${'\\ud83d'.repeat(SIZE / 6)}"}}`,
  blanks: (root) => `${' '.repeat(SIZE)}{"${root}": {}}`,
};

function numbers(count: number, text: (n: number) => string): string {
  return Array.from({ length: count }, (_, n) => text(n)).join(',');
}

/** A body of the largest size that is taken costs what its length costs. */
describe('hostile bodies', () => {
  let api: TestApi;
  /** Parents that must be there for a body to be looked at. */
  const parents: Record<string, string> = {};
  beforeAll(async () => {
    const db = await openTestDatabase();
    const own = { project_id: PROJECT };
    const { id: load_balancer_id } = await insertLoadBalancer(db, own);
    const { id: listener_id } = await insertListener(db, { ...own, load_balancer_id });
    parents['pool_id'] = (await insertPool(db, { ...own, load_balancer_id })).id;
    parents['l7policy_id'] = (await insertPolicy(db, { ...own, listener_id })).id;
    api = await startTestApi({ db });
  });
  afterAll(() => api.close());

  const costOf = async (method: string, template: string, raw: string) => {
    const path = template.replace(/\{(\w+)\}/g, (_, name: string) => parents[name] ?? PROJECT);
    const before = process.cpuUsage();
    const { status, text } = await api.request(method, path, { raw });
    const { user, system } = process.cpuUsage(before);
    return { status, text: text.slice(0, 300), ms: (user + system) / 1000 };
  };
  const rootOf = (schema: Schema): string => Object.keys(resolveSchema(document, schema).properties ?? {})[0] ?? '';

  it.each(Object.entries(SHAPES))('are answered at once when they are %s', async (_, shape) => {
    const slow: unknown[] = [];
    for (const { method, path, schema } of operations) {
      const { status, text, ms } = await costOf(method, path, shape(rootOf(schema)));
      if (ms > MOST || status >= 500) slow.push({ method, path, status, text, ms });
    }
    expect(slow).toEqual([]);
  });

  it('may be trees as large as a body can be', async () => {
    const pool = { protocol: 'TCP', lb_algorithm: 'ROUND_ROBIN', members: [{ address: '10.0.0.1', protocol_port: 1 }] };
    const listeners = Array.from({ length: 500 }, (_, n) => ({
      protocol: 'TCP',
      protocol_port: 1 + n,
      default_pool: pool,
    }));
    const raw = JSON.stringify({ loadbalancer: { vip_subnet_id: PROJECT, listeners } });
    const { status, text, ms } = await costOf('POST', '/v2/lbaas/loadbalancers', raw);
    expect([status, text]).toEqual([201, expect.any(String)]);
    expect(ms).toBeLessThan(MOST);
  });

  it.each(operations)(
    'are refused at once by $method $path when any field is a text beyond all measure',
    async ({ method, path, schema }) => {
      const slow: unknown[] = [];
      for (const steps of fieldsBelow(schema, [])) {
        for (const [name, value] of Object.entries(TEXTS)) {
          const { status, text, ms } = await costOf(method, path, JSON.stringify(bodyWith(steps, value)));
          if (ms > MOST || ![400, 404].includes(status)) slow.push({ steps, name, status, text, ms });
        }
      }
      expect(slow).toEqual([]);
    },
    120_000,
  );
});
