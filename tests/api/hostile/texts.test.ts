import { startTestApi, type TestApi } from '../../support/api';
import { describeOnDatabases } from '../../support/database';

const subnet = '77777777-7777-4777-8777-777777777777';

/** Texts that one database takes for another, or cannot hold. */
describeOnDatabases('hostile texts', (database) => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startTestApi({ db: await database.open() });
  });
  afterAll(() => api.close());

  const create = (fields: object) =>
    api.post('/v2/lbaas/loadbalancers', { loadbalancer: { vip_subnet_id: subnet, ...fields } });

  it.each(['a\0', '\0', '\ud800', 'x\udc00'])('refuses %j, which is no text', async (text) => {
    for (const fields of [{ name: text }, { tags: [text] }, { listeners: [{ insert_headers: { [text]: 'true' } }] }]) {
      const { status, body } = await create(fields);
      expect([status, body.faultstring]).toEqual([400, 'Request is not in valid JSON format']);
    }
    expect((await api.get('/v2/lbaas/loadbalancers')).body.loadbalancers).toEqual([]);
  });

  it.each([[['x', 'x']], [['x', 'y', 'x ']]])('refuses the tags %j, of which one is given twice', async (tags) => {
    const { status, body } = await create({ tags });
    expect(status).toBe(400);
    expect(body.faultstring).toMatch(/^Validation failure: Tag 'x ?' is given more than once\.$/);
  });

  it('keeps any other as it is', async () => {
    const name = ' ä a\u0308 🙂 \u0001\t\r\n\u2028\ufeff" \' \\ %00 ; -- ';
    const tags = [' x', 'X', 'x', 'ß', 'ss', '🙂', '🙃'];
    const { status, body } = await create({ name, tags });
    expect(status).toBe(201);
    const { id } = body.loadbalancer;
    const shown = (await api.get(`/v2/lbaas/loadbalancers/${id}`)).body.loadbalancer;
    expect(shown.name).toBe(name);
    expect([...shown.tags].sort()).toEqual([...tags].sort());
    const found = await api.get(`/v2/lbaas/loadbalancers?${new URLSearchParams({ name })}`);
    expect(found.body.loadbalancers.map((one: { id: string }) => one.id)).toEqual([id]);
  });

  it('finds nothing by a name or an id that goes on behind a NUL', async () => {
    const { body } = await create({ name: 'short' });
    const { id } = body.loadbalancer;
    expect((await api.get('/v2/lbaas/loadbalancers?name=short%00')).body.loadbalancers).toEqual([]);
    expect((await api.get(`/v2/lbaas/loadbalancers/${id}%00`)).status).toBe(404);
    expect((await api.get(`/v2/lbaas/loadbalancers?marker=${id}%00`)).status).toBe(400);
  });
});
