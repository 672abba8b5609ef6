import fc from 'fast-check';
import { loadBalancers as loadBalancerModel } from '../../../driver/db/read/loadBalancers';
import { members as memberModel } from '../../../driver/db/read/members';
import { startTestApi, type TestApi } from '../../support/api';
import { describeOnDatabases } from '../../support/database';
import { type LoadBalancerSeed, NAMES, populate, TAGS } from './population';

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 30);

interface Item {
  readonly id: string;
  readonly [attribute: string]: unknown;
}

interface Sorting {
  /** Which of the collections. */
  readonly collection: number;
  /** Any number stands for one of the collection's keys. */
  readonly picks: readonly (readonly [key: number, direction: string])[];
  readonly limit: number;
  /** `sort_key` and `sort_dir` instead of `sort`. */
  readonly oldStyle: boolean;
}

const sorting: fc.Arbitrary<Sorting> = fc.record({
  collection: fc.constantFrom(0, 1),
  picks: fc.array(fc.tuple(fc.nat(), fc.constantFrom('asc', 'desc')), { maxLength: 4 }),
  limit: fc.integer({ min: 1, max: 40 }),
  oldStyle: fc.boolean(),
});

/** Whatever the query asks for, each object is where it belongs: on one page, under each filter that fits. */
describeOnDatabases('hostile lists', (database) => {
  let api: TestApi;
  let seeds: readonly LoadBalancerSeed[];
  let collections: readonly { readonly path: string; readonly keys: readonly string[] }[];
  beforeAll(async () => {
    const db = await database.open();
    const { loadBalancers, poolId } = await populate(db);
    seeds = loadBalancers;
    api = await startTestApi({ db });
    collections = [
      { path: '/v2/lbaas/loadbalancers', keys: Object.keys(loadBalancerModel.attributes) },
      { path: `/v2/lbaas/pools/${poolId}/members`, keys: Object.keys(memberModel.attributes) },
    ];
  });
  afterAll(() => api.close());

  const fetchPage = async (path: string): Promise<{ items: Item[]; next?: string; previous?: string }> => {
    const { status, body, text } = await api.get(path);
    if (status !== 200) throw new Error(`${path}: ${status} ${text}`);
    const [items, links] = Object.values(body) as [Item[], { href: string; rel: string }[]];
    const linkOf = (rel: string) => links.find((link) => link.rel === rel)?.href.slice(api.url.length);
    const [next, previous] = [linkOf('next'), linkOf('previous')];
    return { items, ...(next && { next }), ...(previous && { previous }) };
  };
  const idsOf = (items: readonly Item[]): string[] => items.map(({ id }) => id);
  const list = async (query: URLSearchParams): Promise<string[]> =>
    idsOf((await fetchPage(`/v2/lbaas/loadbalancers?${query}`)).items);

  const queryOf = ({ picks, limit, oldStyle, collection }: Sorting): string => {
    const keys = collections[collection]?.keys ?? [];
    const chosen = picks.map(([n, direction]) => [keys[n % keys.length] ?? 'id', direction] as const);
    if (chosen.length === 0) return `limit=${limit}`;
    if (!oldStyle) return `limit=${limit}&sort=${chosen.map((pair) => pair.join(':')).join(',')}`;
    const part = (index: 0 | 1) => chosen.map((pair) => pair[index]).join(',');
    return `limit=${limit}&sort_key=${part(0)}&sort_dir=${part(1)}`;
  };

  it('show each object exactly once on the way forth and on the way back, in one order', async () => {
    await fc.assert(
      fc.asyncProperty(sorting, async (asked) => {
        const path = `${collections[asked.collection]?.path}?${queryOf(asked)}`;
        const whole = idsOf((await fetchPage(path.replace(/limit=\d+/, 'limit=1000'))).items);
        expect(new Set(whole).size).toBe(seeds.length);

        const pages: string[][] = [];
        let last = path;
        for (let at: string | undefined = path; at !== undefined; ) {
          const page: Awaited<ReturnType<typeof fetchPage>> = await fetchPage(at);
          if (page.items.length > 0) [last] = [at, pages.push(idsOf(page.items))];
          at = page.next;
        }
        expect(pages.flat()).toEqual(whole);

        const back: string[][] = [];
        for (let at = (await fetchPage(last)).previous; at !== undefined; ) {
          const page = await fetchPage(at);
          if (page.items.length > 0) back.unshift(idsOf(page.items));
          at = page.items.length > 0 ? page.previous : undefined;
        }
        expect(back.flat()).toEqual(pages.slice(0, -1).flat());
      }),
      { numRuns: RUNS },
    );
  }, 120_000);

  it('find by name exactly what has that name', async () => {
    // On MySQL blanks at the end do not count: docs/adr/0004.
    const known = (name: string) => (database.dialect === 'sqlite' ? name : name.replace(/ +$/, ''));
    const nearly = fc
      .tuple(fc.constantFrom(...NAMES), fc.constantFrom('\0', ' ', '%', "'"))
      .map((parts) => parts.join(''));
    const anyName = fc.oneof(fc.constantFrom(...NAMES), nearly, fc.string({ unit: 'grapheme' }));
    await fc.assert(
      fc.asyncProperty(anyName, async (name) => {
        const expected = seeds.filter((seed) => known(seed.name) === known(name)).map(({ id }) => id);
        expect((await list(new URLSearchParams({ name }))).sort()).toEqual(expected.sort());
      }),
      { numRuns: RUNS, examples: NAMES.map((name) => [name]) },
    );
  }, 60_000);

  const someTags = fc.array(fc.constantFrom(...TAGS, 'unknown'), { minLength: 1, maxLength: 4 });
  const TAG_FILTERS: Record<string, (has: readonly string[], wanted: readonly string[]) => boolean> = {
    tags: (has, wanted) => wanted.every((tag) => has.includes(tag)),
    'tags-any': (has, wanted) => wanted.some((tag) => has.includes(tag)),
    'not-tags': (has, wanted) => !wanted.every((tag) => has.includes(tag)),
    'not-tags-any': (has, wanted) => !wanted.some((tag) => has.includes(tag)),
  };

  it('find by tags what sets of tags would', async () => {
    const filters = fc.dictionary(fc.constantFrom(...Object.keys(TAG_FILTERS)), someTags, { maxKeys: 3 });
    await fc.assert(
      fc.asyncProperty(filters, fc.boolean(), async (wanted, repeated) => {
        const pairs = Object.entries(wanted).flatMap(([name, tags]): [string, string][] =>
          repeated ? tags.map((tag) => [name, tag]) : [[name, tags.join(',')]],
        );
        const fits = ({ tags }: LoadBalancerSeed) =>
          Object.entries(wanted).every(([name, asked]) => TAG_FILTERS[name]?.(tags, asked));
        const expected = seeds.filter(fits).map(({ id }) => id);
        expect((await list(new URLSearchParams(pairs))).sort()).toEqual(expected.sort());
      }),
      { numRuns: RUNS },
    );
  }, 60_000);

  it('show the fields that are asked for and are there, in their own order', async () => {
    const { items } = await fetchPage('/v2/lbaas/loadbalancers?limit=1');
    const all = Object.keys(items[0] ?? {}).filter((name) => name !== 'tenant_id');
    const names = fc.array(fc.oneof(fc.constantFrom(...all), fc.constantFrom('tenant_id', '__proto__'), fc.string()));
    await fc.assert(
      fc.asyncProperty(names, async (fields) => {
        const query = new URLSearchParams(fields.map((name): [string, string] => ['fields', name]));
        const page = await fetchPage(`/v2/lbaas/loadbalancers?${query}`);
        const expected = fields.length === 0 ? [...all, 'tenant_id'] : all.filter((name) => fields.includes(name));
        for (const item of page.items) expect(Object.keys(item)).toEqual(expected);
      }),
      { numRuns: RUNS },
    );
  }, 60_000);

  it('take any value for any argument, and any bytes for a query', async () => {
    const known = ['limit', 'marker', 'sort', 'sort_key', 'sort_dir', 'fields', 'page_reverse', 'tags', 'not-tags'];
    const anyName = fc.oneof(fc.constantFrom(...known, ...Object.keys(loadBalancerModel.attributes)), fc.string());
    const value = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('-1', '1e309', '9'.repeat(400), '%', '\u0000'),
    );
    const polite = fc.array(fc.tuple(anyName, value), { maxLength: 6 }).map((pairs) => `${new URLSearchParams(pairs)}`);
    const rude = fc.stringMatching(/^[!-"$-~]{0,60}$/);
    await fc.assert(
      fc.asyncProperty(fc.oneof(polite, rude), async (query) => {
        const { status, body } = await api.get(`/v2/lbaas/loadbalancers?${query}`);
        expect([200, 400]).toContain(status);
        if (status === 400) expect(Object.keys(body)).toHaveLength(3);
      }),
      { numRuns: 4 * RUNS },
    );
  }, 60_000);
});
