import fc from 'fast-check';
import { type ApiDocument, loadDocument, resolveSchema, type Schema } from '../../api/openapi/document';
import type { Db } from '../../driver/db/connect';
import { PROJECT, startTestApi, type TestApi } from '../support/api';
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

/**
 * Whatever a client sends, the answer is no 5xx (501 is an answer), and what is refused leaves nothing behind. Bodies
 * follow the schemas for the most part, so that they get far.
 */
const document: ApiDocument = loadDocument();
const RUNS = Number(process.env['FUZZ_RUNS'] ?? 20);
const own = { project_id: PROJECT };

let api: TestApi;
let ids: Record<string, string>;

async function insertTree(db: Db): Promise<Record<string, string>> {
  const { id: loadbalancer_id } = await insertLoadBalancer(db, own);
  const { id: pool_id } = await insertPool(db, { ...own, load_balancer_id: loadbalancer_id });
  const { id: listener_id } = await insertListener(db, { ...own, load_balancer_id: loadbalancer_id });
  const { id: member_id } = await insertMember(db, { ...own, pool_id });
  const { id: healthmonitor_id } = await insertMonitor(db, { ...own, pool_id });
  const { id: l7policy_id } = await insertPolicy(db, { ...own, listener_id });
  const { id: rule_id } = await insertRule(db, { ...own, l7policy_id });
  return { loadbalancer_id, pool_id, listener_id, member_id, healthmonitor_id, l7policy_id, rule_id };
}

const JUNK = fc.oneof(
  fc.constantFrom(
    null,
    '',
    0,
    -1,
    1e300,
    true,
    [],
    {},
    '\u0000',
    '%s',
    "'; drop table pool; --",
    '\ud800',
    '🙂'.repeat(40),
  ),
  fc.string({ maxLength: 300 }),
  fc.integer(),
  fc.double(),
  fc.array(fc.string(), { maxLength: 3 }),
);

const BY_FORMAT: Record<string, fc.Arbitrary<unknown>> = {
  ip: fc.oneof(fc.ipV4(), fc.ipV6()),
  cidr: fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 33 })).map(([address, bits]) => `${address}/${bits}`),
  'absolute-url': fc.webUrl(),
  'url-path': fc.webPath(),
  alpn: fc.constantFrom('h2', 'http/1.1'),
};

/** A value that fits, mostly; `name` chooses an id that is there. */
function anyOf(schema: Schema, name: string, depth: number): fc.Arbitrary<unknown> {
  const resolved = resolveSchema(document, schema);
  const good = fitting(resolved, name, depth);
  return fc.oneof(
    { weight: 40, arbitrary: good },
    { weight: 1, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: JUNK },
  );
}

function fitting(schema: Schema, name: string, depth: number): fc.Arbitrary<unknown> {
  const types = Array.isArray(schema.type) ? schema.type : [schema.type];
  if (schema.enum) return fc.constantFrom(...schema.enum);
  if (schema.properties) return depth > 4 ? fc.constant(null) : objectOf(schema, depth);
  if (types.includes('array'))
    return fc.array(anyOf(schema.items ?? {}, name, depth + 1), { maxLength: depth > 2 ? 1 : 3 });
  if (types.includes('integer'))
    return fc.integer({
      min: schema.minimum ?? 0,
      max: Math.max(schema.minimum ?? 0, Math.min(schema.maximum ?? 10, 1000)),
    });
  if (types.includes('boolean')) return fc.boolean();
  if (types.includes('object')) return fc.dictionary(fc.constantFrom('X-Forwarded-For', 'X-Bad'), fc.string());
  if (schema.format === 'uuid')
    return fc.constantFrom(ids[name] ?? ids['pool_id'] ?? '', ids['pool_id'] ?? '', PROJECT);
  return (schema.format && BY_FORMAT[schema.format]) || fc.oneof(fc.string({ maxLength: 20 }), fc.constant('200'));
}

function objectOf(schema: Schema, depth: number): fc.Arbitrary<unknown> {
  const properties = Object.entries(schema.properties ?? {});
  const arbitraries = Object.fromEntries(properties.map(([key, one]) => [key, anyOf(one, key, depth + 1)]));
  const requiredKeys = (schema.required ?? []) as string[];
  return fc.record(arbitraries, { requiredKeys });
}

const TABLES = [
  'load_balancer',
  'listener',
  'pool',
  'member',
  'health_monitor',
  'l7policy',
  'l7rule',
  'flavor',
  'outbox',
];

async function rowCounts(): Promise<unknown[]> {
  const counts = TABLES.map((table) => api.db(table).count({ rows: '*' }).first());
  return Promise.all(counts);
}

const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  (['post', 'put'] as const).flatMap((method) => {
    const operation = item[method] as
      | { requestBody?: { content: { 'application/json': { schema: Schema } } } }
      | undefined;
    const schema = operation?.requestBody?.content['application/json'].schema;
    return schema ? [[method.toUpperCase(), path, schema] as const] : [];
  }),
);

const NAMES = [
  'name',
  'limit',
  'marker',
  'sort',
  'sort_key',
  'sort_dir',
  'fields',
  'tags',
  'not-tags-any',
  'page_reverse',
];
const query = fc
  .array(fc.tuple(fc.oneof(fc.constantFrom(...NAMES, 'id', 'created_at', 'protocol_port'), fc.string()), fc.string()))
  .map((pairs) => new URLSearchParams(pairs).toString());

describeOnDatabases('fuzz', (database) => {
  beforeAll(async () => {
    const db = await database.open();
    ids = await insertTree(db);
    api = await startTestApi({ db });
  });
  afterAll(() => api.close());

  it.each(operations)(
    '%s %s never falls over',
    async (method, template, schema) => {
      const path = template.replace(/\{(\w+)\}/g, (_, name: string) => ids[name] ?? 'some');
      await fc.assert(
        fc.asyncProperty(objectOf(schema, 0), async (body) => {
          await api.changes.deps.publisher.idle();
          const before = await rowCounts();
          const answer = await api.request(method, path, { body });
          await api.changes.deps.publisher.idle();
          if (answer.status >= 500 && answer.status !== 501) throw new Error(`${answer.status} ${answer.text}`);
          if (answer.status >= 400) expect(await rowCounts()).toEqual(before);
          await api.db('load_balancer').update({ provisioning_status: 'ACTIVE' });
          for (const table of ['listener', 'pool', 'l7policy'])
            await api.db(table).update({ provisioning_status: 'ACTIVE' });
        }),
        { numRuns: RUNS },
      );
    },
    120_000,
  );

  it.each(Object.keys(document.paths).filter((path) => document.paths[path]?.['get']))(
    'GET %s takes any query',
    async (template) => {
      const path = template.replace(/\{(\w+)\}/g, (_, name: string) => ids[name] ?? 'some');
      await fc.assert(
        fc.asyncProperty(query, async (text) => {
          expect((await api.get(`${path}?${text}`)).status).toBeLessThan(500);
        }),
        { numRuns: RUNS },
      );
    },
    120_000,
  );

  it('takes any path', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.string(), fc.constantFrom('v2', 'lbaas', 'pools', '%', '..'))),
        async (parts) => {
          const path = `/${parts.map((part) => encodeURIComponent(part)).join('/')}`;
          expect((await api.get(path.replaceAll('//', '/'))).status).toBeLessThan(500);
        },
      ),
      { numRuns: RUNS },
    );
  });
});
