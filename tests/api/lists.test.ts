import type { Db } from '../../driver/db/connect';
import { OTHER_PROJECT, PROJECT, startTestApi, type TestApi } from '../support/api';
import { describeOnDatabases } from '../support/database';
import { insertListener, insertLoadBalancer, insertMember, insertMonitor, insertPool } from '../support/rows';

const lbId = (n: number): string => `00000000-0000-4000-8000-00000000000${n}`;
const own = { project_id: PROJECT };

/** Five load balancers of ours, two of which were made in the same millisecond, and one of somebody else. */
async function insertSix(db: Db): Promise<void> {
  const rows = [
    { name: 'a', created_at: '2026-11-21 10:00:01.000', provider: 'octavia', updated_at: null },
    { name: 'b', created_at: '2026-11-21 10:00:02.000', enabled: 0 as const, updated_at: '2026-11-21 10:00:09.000' },
    { name: 'b', created_at: '2026-11-21 10:00:03.500', updated_at: '2026-11-21 10:00:08.000' },
    { name: 'c', created_at: '2026-11-21 10:00:03.500', provisioning_status: 'ERROR' as const },
    { name: 'ä', created_at: '2026-11-21 10:00:05.000', description: '' },
    { name: 'foreign', created_at: '2026-11-21 10:00:06.000', project_id: OTHER_PROJECT },
  ];
  for (const [index, row] of rows.entries()) {
    await insertLoadBalancer(db, { ...own, id: lbId(index + 1), ...row }, { ip_address: `10.0.0.${index}` });
  }
  const tags = { 1: ['x', 'y'], 2: ['x'], 3: ['z'], 4: [] as string[] };
  for (const [n, list] of Object.entries(tags)) {
    for (const tag of list) await db('tags').insert({ resource_id: lbId(Number(n)), tag });
  }
}

describeOnDatabases('lists', (database) => {
  let api: TestApi;
  beforeAll(async () => {
    const db = await database.open();
    await insertSix(db);
    const pool = await insertPool(db, { ...own, id: lbId(1), load_balancer_id: lbId(1) });
    await insertMonitor(db, { ...own, id: lbId(2), pool_id: pool.id, http_version: 1.1 });
    await insertListener(db, { ...own, id: lbId(3), load_balancer_id: lbId(1), default_pool_id: pool.id });
    await insertMember(db, { ...own, id: lbId(4), pool_id: pool.id, weight: 0 });
    api = await startTestApi({ db });
  });
  afterAll(() => api.close());

  const member = { 'x-roles': 'member' };

  /** The last digits of the ids a list answers with. */
  async function found(query: string, path = 'loadbalancers', headers: Record<string, string> = member) {
    const { status, body, text } = await api.get(`/v2/lbaas/${path}${query}`, headers);
    if (status !== 200) return `${status} ${body?.faultstring ?? body?.description ?? text}`;
    const [items] = Object.values(body) as { id: string }[][];
    return items?.map(({ id }) => id.at(-1)).join('') ?? '';
  }

  it.each([
    ['', '12345'],
    ['?name=b', '23'],
    ['?name=b&admin_state_up=false', '2'],
    ['?admin_state_up=True', '1345'],
    ['?admin_state_up=garbage', '2'],
    ['?provisioning_status=ERROR', '4'],
    ['?operating_status=OFFLINE&name=a', '1'],
    ['?vip_address=10.0.0.2', '3'],
    ['?provider=octavia', '1'],
    ['?name=', ''],
    ['?name=B', ''],
    ['?name=%C3%A4', '5'],
    [`?id=${lbId(3)}`, '3'],
    ['?created_at=2026-11-21T10:00:03', '34'],
    ['?updated_at=yesterday', ''],
    [`?project_id=${PROJECT}`, '12345'],
  ])('filters by %s', async (query, expected) => {
    expect(await found(query)).toBe(expected);
  });

  it.each([
    ['pools?healthmonitor_id=', lbId(2), '1'],
    ['pools?loadbalancer_id=', lbId(1), '1'],
    ['listeners?load_balancer_id=', lbId(1), '3'],
    ['listeners?default_pool_id=', lbId(1), '3'],
    ['listeners?protocol_port=', '8080', '3'],
    ['listeners?protocol_port=', 'http', ''],
    ['healthmonitors?pool_id=', lbId(1), '2'],
    ['healthmonitors?http_version=', '1.1', '2'],
    ['healthmonitors?http_version=', '1.0', ''],
    [`pools/${lbId(1)}/members?weight=`, '0', '4'],
    [`pools/${lbId(1)}/members?address=`, '127.0.0.1', '4'],
  ])('filters %s%s', async (path, value, expected) => {
    expect(await found(value, path)).toBe(expected);
  });

  it.each(['?tenant_id=x', '?members=x', '?name=a&name=b', '?listeners=x', '?__proto__=x'])(
    'refuses the filter %s',
    async (query) => {
      expect(await found(query)).toBe('400 One or more arguments are either duplicate or invalid');
    },
  );

  it('refuses tags where there are none', async () => {
    expect(await found('?tags=x', 'flavors')).toBe('400 One or more arguments are either duplicate or invalid');
  });

  it.each([
    ['?tags=x', '12'],
    ['?tags=x,y', '1'],
    ['?tags=x&tags=y', '1'],
    ['?tags=x,x', '12'],
    ['?tags-any=y,z', '13'],
    ['?not-tags=x,y', '2345'],
    ['?not-tags-any=x,z', '45'],
    ['?tags=x&not-tags=y', '2'],
  ])('finds by tags with %s', async (query, expected) => {
    expect(await found(query)).toBe(expected);
  });

  it.each([
    ['?sort=name:desc', '54231'],
    ['?sort=name', '12345'],
    ['?sort=name:desc,created_at:desc', '54321'],
    ['?sort_key=name&sort_dir=desc', '54231'],
    ['?sort_key=name,created_at&sort_dir=desc,desc', '54321'],
    ['?sort_key=vip_address&sort_dir=desc', '54321'],
    ['?sort=id:desc&sort_key=name', '54321'],
  ])('sorts by %s', async (query, expected) => {
    expect(await found(query)).toBe(expected);
  });

  it.each([
    ['?sort=nothing', "400 Supplied sort key 'nothing' is not valid."],
    ['?sort=listeners', "400 Supplied sort key 'listeners' is not valid."],
    ['?sort=name:up', "400 Supplied sort direction 'up' is not valid."],
    ['?sort_key=name&sort_dir=down', "400 Supplied sort direction 'down' is not valid."],
    ['?limit=ten', "400 Supplied pagination limit 'ten' is not valid."],
    ['?marker=nobody', "400 Supplied pagination marker 'nobody' is not valid."],
  ])('refuses %s', async (query, expected) => {
    expect(await found(query)).toBe(expected);
  });

  it.each(['sort=', 'sort=name:desc', 'sort=updated_at', 'sort=updated_at:desc', 'sort=description:desc,name'])(
    'walks all pages forth and back with %s',
    async (order) => {
      const everything = await found(`?${order}`);
      for (const limit of [1, 2, 3]) {
        let query = `?${order}&limit=${limit}`;
        let seen = '';
        let last = '';
        for (;;) {
          const { body } = await api.get(`/v2/lbaas/loadbalancers${query}`, member);
          const page = body.loadbalancers.map(({ id }: { id: string }) => id.at(-1)).join('');
          if (page === '') break;
          seen += page;
          last = query;
          const next = body.loadbalancers_links.find((link: { rel: string }) => link.rel === 'next');
          if (!next) break;
          query = new URL(next.href).search;
        }
        expect(seen).toBe(everything);

        const { body } = await api.get(`/v2/lbaas/loadbalancers${last}`, member);
        const previous = body.loadbalancers_links.find((link: { rel: string }) => link.rel === 'previous');
        const first = everything.indexOf(body.loadbalancers[0].id.at(-1));
        expect(await found(new URL(previous.href).search)).toBe(everything.slice(Math.max(0, first - limit), first));
      }
    },
  );

  it('links with the URL the client used', async () => {
    const { body } = await api.get('/v2.0/lbaas/loadbalancers?limit=2&name=b', member);

    expect(body.loadbalancers_links).toEqual([
      { href: `${api.url}/v2.0/lbaas/loadbalancers?limit=2&name=b&marker=${lbId(3)}`, rel: 'next' },
    ]);
  });

  it('projects items on fields, and never leaves out the links', async () => {
    const { text } = await api.get('/v2/lbaas/loadbalancers?fields=name&fields=id&limit=1', member);

    expect(text).toMatch(
      new RegExp(`^\\{"loadbalancers":\\[\\{"id":"${lbId(1)}","name":"a"\\}\\],"loadbalancers_links":\\[`),
    );
  });

  it('shows global readers everything, and lets them pick a project', async () => {
    for (const role of ['admin', 'load-balancer_global_observer']) {
      const headers = { 'x-roles': role };

      expect(await found('', 'loadbalancers', headers)).toBe('123456');
      expect(await found(`?project_id=${OTHER_PROJECT}`, 'loadbalancers', headers)).toBe('6');
    }
  });

  it('shows others their own project alone', async () => {
    const forbidden = '403 Policy does not allow this request to be performed.';

    expect(await found('', 'loadbalancers', { ...member, 'x-project-id': OTHER_PROJECT })).toBe('6');
    expect(await found(`?project_id=${OTHER_PROJECT}`)).toBe(forbidden);
    expect(await found('', 'loadbalancers', { 'x-roles': 'nobody' })).toBe(forbidden);
    expect(await found('', 'loadbalancers', { ...member, 'x-project-id': '' })).toBe(forbidden);
  });

  it('hides members of a foreign pool, but not from services', async () => {
    const path = `pools/${lbId(1)}/members`;
    const elsewhere = { 'x-project-id': OTHER_PROJECT };

    expect(await found('', path, { ...elsewhere, 'x-roles': 'member' })).toMatch(/^403 /);
    expect(await found('', path, { ...elsewhere, 'x-roles': 'service' })).toBe('4');
  });
});

describeOnDatabases('what the configuration bounds', ({ open }) => {
  it('is the length of a page, except for those who ask for everything', async () => {
    const api = await startTestApi({ open, edge: { lists: { ...ALL, maxLimit: 2 } } });
    await insertSix(api.db);
    const count = async (query: string) => (await api.get(`/v2/loadbalancers${query}`)).body.loadbalancers.length;

    expect([await count(''), await count('?limit=5'), await count('?limit=0')]).toEqual([2, 2, 6]);
    await api.close();
  });

  it('is whether filters, order, pages and fields count at all', async () => {
    const api = await startTestApi({
      open,
      edge: {
        lists: {
          ...ALL,
          allowFiltering: false,
          allowSorting: false,
          allowPagination: false,
          allowFieldSelection: false,
        },
      },
    });
    await insertSix(api.db);
    const { body } = await api.get('/v2/loadbalancers?name=a&x=y&sort=id:desc&limit=1&fields=id');

    expect(body.loadbalancers.map(({ name }: { name: string }) => name)).toEqual(['a', 'b', 'b', 'c', 'ä', 'foreign']);
    await api.close();
  });

  const ALL = {
    maxLimit: 1000,
    allowFiltering: true,
    allowSorting: true,
    allowPagination: true,
    allowFieldSelection: true,
  };
});
