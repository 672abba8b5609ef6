import { loadDocument, resolveSchema, type Schema } from '../../../api/openapi/document';
import { PROJECT, startTestApi, type TestApi } from '../../support/api';
import { insertListener, insertLoadBalancer, insertPolicy, insertPool } from '../../support/rows';

/** How the cost of a body grows with its length, and that what is larger or deeper than it can be meant is refused. */

const document = loadDocument();
/** Four times this is about the largest body there may be. */
const SMALL = 25_000;
const TIMES = 4;
/** A cost that grows with the square of the length makes 16. */
const MOST_TIMES = 10;
/** Milliseconds of CPU that nobody need account for. */
const NOISE = 8;
const REPETITIONS = 4;

let api: TestApi;
let pool: string;
let policy: string;
beforeAll(async () => {
  api = await startTestApi();
  const own = { project_id: PROJECT };
  const { id: load_balancer_id } = await insertLoadBalancer(api.db, own);
  const { id: listener_id } = await insertListener(api.db, { ...own, load_balancer_id });
  pool = (await insertPool(api.db, { ...own, load_balancer_id })).id;
  policy = (await insertPolicy(api.db, { ...own, listener_id })).id;
});
afterAll(() => api.close());

const pathOf = (template: string): string =>
  template.replace(/\{(\w+)\}/g, (_, name) => ({ pool_id: pool, l7policy_id: policy })[name as string] ?? PROJECT);

async function cpuOf(method: string, path: string, raw: string): Promise<{ status: number; ms: number }> {
  const before = process.cpuUsage();
  const { status } = await api.request(method, path, { raw });
  const { user, system } = process.cpuUsage(before);
  return { status, ms: (user + system) / 1000 };
}

/** The least of some tries: everything else is what the machine did besides. */
async function leastCpu(method: string, path: string, raw: string) {
  let least = await cpuOf(method, path, raw);
  for (let n = 1; n < REPETITIONS; n += 1) {
    const { status, ms } = await cpuOf(method, path, raw);
    least = { status, ms: Math.min(ms, least.ms) };
  }
  return least;
}

const repeat = (unit: string, bytes: number): string => unit.repeat(Math.floor(bytes / unit.length));
const list = (bytes: number, item: (n: number) => string): string => {
  const { length } = item(1000);
  return Array.from({ length: Math.floor(bytes / (length + 1)) }, (_, n) => item(n)).join(',');
};

/** Bodies of a given length, to be refused. */
const SHAPES: Readonly<Record<string, (root: string, bytes: number) => string>> = {
  'a list of values': (root, bytes) => `{"${root}": {"tags": [${list(bytes, (n) => `${n}`)}]}}`,
  'a list of objects': (root, bytes) => `{"${root}": {"tags": [${list(bytes, (n) => `{"a${n}": {}}`)}]}}`,
  'lists in a list': (root, bytes) => `{"${root}": {"tags": [${list(bytes, () => '[[]]')}]}}`,
  'a long text': (root, bytes) => `{"${root}": {"name": "${repeat('a', bytes)}"}}`,
  'a text of escapes': (root, bytes) => `{"${root}": {"name": "${repeat('\\ud83d\\ude00', bytes)}"}}`,
  'many attributes': (root, bytes) => `{"${root}": {${list(bytes, (n) => `"a${n}": 1`)}}}`,
  'many roots': (root, bytes) => `{"${root}": {}, ${list(bytes, (n) => `"a${n}": 1`)}}`,
  'one attribute over and over': (root, bytes) => `{"${root}": {${list(bytes, () => '"name": 1')}}}`,
  'brackets in brackets': (root, bytes) => `{"${root}": ${repeat('[', bytes / 2)}${repeat(']', bytes / 2)}}`,
  'maps in maps': (root, bytes) => `{"${root}": ${repeat('{"a":', bytes / 6)}1${repeat('}', bytes / 6 / 5)}`,
  'brackets that nobody closes': (_, bytes) => repeat('[', bytes),
  'quotes that nobody closes': (root, bytes) => `{"${root}": "${repeat('\\"', bytes)}`,
  blanks: (root, bytes) => `{${repeat(' ', bytes)}"${root}": {"tags": 1}}`,
};

const OPERATIONS = [
  ['POST', '/v2/lbaas/loadbalancers', 'loadbalancer'],
  ['PUT', '/v2/lbaas/pools/{pool_id}/members', 'members'],
  ['POST', '/v2/lbaas/l7policies/{l7policy_id}/rules', 'rule'],
] as const;

describe.each(OPERATIONS)('%s %s', (method, template, root) => {
  it.each(Object.entries(SHAPES))('costs in proportion to the length of %s', async (_, shape) => {
    const small = await leastCpu(method, pathOf(template), shape(root, SMALL));
    const large = await leastCpu(method, pathOf(template), shape(root, SMALL * TIMES));

    expect([small.status, large.status]).toEqual([400, 400]);
    expect(large.ms).toBeLessThan(small.ms * MOST_TIMES + NOISE);
  });
});

/** Bodies that are as they should be up to the last part. */
const TREES: Readonly<Record<string, readonly [path: string, body: (count: number) => unknown]>> = {
  members: [
    '/v2/lbaas/pools/{pool_id}/members',
    (count) => ({ members: Array.from({ length: count }, () => ({ address: '10.0.0.1', protocol_port: 1 })) }),
  ],
  listeners: [
    '/v2/lbaas/loadbalancers',
    (count) => ({
      loadbalancer: {
        vip_subnet_id: PROJECT,
        listeners: Array.from({ length: count }, (_, n) => ({
          protocol: 'HTTP',
          protocol_port: n + 2 === count ? count : n + 1,
          default_pool: { name: `p${n}`, protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN' },
        })),
      },
    }),
  ],
  rules: [
    '/v2/lbaas/listeners',
    (count) => ({
      listener: {
        loadbalancer_id: PROJECT,
        protocol: 'HTTP',
        protocol_port: 1,
        l7policies: Array.from({ length: count }, () => ({
          action: 'REJECT',
          rules: [{ type: 'PATH', compare_type: 'REGEX', value: '(' }],
        })),
      },
    }),
  ],
};

it.each(Object.entries(TREES))('a tree of many %s costs in proportion to them', async (_, [template, bodyOf]) => {
  const method = template.endsWith('members') ? 'PUT' : 'POST';
  const small = await leastCpu(method, pathOf(template), JSON.stringify(bodyOf(100)));
  const large = await leastCpu(method, pathOf(template), JSON.stringify(bodyOf(100 * TIMES)));

  expect([400, 404, 409]).toContain(small.status);
  expect(large.status).toBe(small.status);
  expect(large.ms).toBeLessThan(small.ms * MOST_TIMES + NOISE);
});

interface List {
  readonly method: string;
  readonly template: string;
  /** Names of attributes; `0` for what is in a list. */
  readonly steps: readonly string[];
  readonly most: number | undefined;
}

function listsBelow(schema: Schema, found: Omit<List, 'most'>): List[] {
  const { items, properties, maxItems } = resolveSchema(document, schema);
  const { steps } = found;
  if (items) return [{ ...found, most: maxItems }, ...listsBelow(items, { ...found, steps: [...steps, '0'] })];
  return Object.entries(properties ?? {}).flatMap(([name, below]) =>
    listsBelow(below, { ...found, steps: [...steps, name] }),
  );
}

interface WithBody {
  readonly requestBody?: { readonly content: { readonly 'application/json': { readonly schema: Schema } } };
}

const lists = Object.entries(document.paths).flatMap(([template, item]) =>
  ['post', 'put'].flatMap((method) => {
    const schema = (item[method] as WithBody | undefined)?.requestBody?.content['application/json'].schema;
    return schema ? listsBelow(schema, { method: method.toUpperCase(), template, steps: [] }) : [];
  }),
);

it('every list in every body has a greatest length, and is refused beyond it in so many words', async () => {
  expect(lists.length).toBeGreaterThan(50);
  const wrong: unknown[] = [];
  for (const { method, template, steps, most } of lists) {
    const tooMany = Array.from({ length: (most ?? 50_000) + 1 }, () => 0);
    const body = steps.reduceRight<unknown>((inner, step) => (step === '0' ? [inner] : { [step]: inner }), tooMany);
    const answer = await api.request(method, pathOf(template), { body });
    const text: string = answer.body?.faultstring ?? '';
    if (answer.status !== 400 || !/is too long: \d+ are allowed/.test(text)) {
      wrong.push({ method, template, steps, most, status: answer.status, text: text.slice(0, 300) });
    }
  }
  expect(wrong).toEqual([]);
});

it.each([
  ['lists', '[', ']'],
  ['maps', '{"a":', '}'],
])('%s nested a thousand times over are refused in so many words, wherever they stand', async (_, open, close) => {
  const deep = `${open.repeat(1_000)}1${close.repeat(1_000)}`;
  const bodies = [
    deep,
    `{"pool": ${deep}}`,
    `{"pool": {"name": ${deep}}}`,
    `{"pool": {"session_persistence": ${deep}}}`,
  ];
  for (const raw of bodies) {
    const { status, body } = await api.request('POST', '/v2/lbaas/pools', { raw });

    expect([status, body.faultcode]).toEqual([400, 'Client']);
    expect(body.faultstring.length).toBeLessThan(1_000);
  }
});

it('a body beyond the limit is refused whether it says how long it is or not', async () => {
  const said = await api.request('POST', '/v2/lbaas/pools', { raw: ' '.repeat(114_689) });
  const chunks = (async function* () {
    for (let n = 0; n < 200; n += 1) yield Buffer.alloc(1_000, ' ');
  })();
  const unsaid = await fetch(`${api.url}/v2/lbaas/pools`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-project-id': PROJECT },
    body: chunks as unknown as ReadableStream,
    duplex: 'half',
  } as RequestInit);

  expect([said.status, unsaid.status]).toEqual([413, 413]);
});
