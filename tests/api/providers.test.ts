import { startTestApi, type TestApi } from '../support/api';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({ edge: { providers: { slipstream: 'The driver.', octavia: 'Another name.' } } });
});
afterAll(() => api.close());

const member = { 'x-roles': 'member' };

it('lists providers in the order of the configuration, without links', async () => {
  const { text } = await api.get('/v2/lbaas/providers', member);

  expect(text).toBe(
    JSON.stringify({
      providers: [
        { name: 'slipstream', description: 'The driver.' },
        { name: 'octavia', description: 'Another name.' },
      ],
    }),
  );
  expect((await api.get('/v2/providers?name=octavia&fields=name')).body).toEqual({ providers: [{ name: 'octavia' }] });
  expect((await api.get('/v2/lbaas/providers/octavia')).status).toBe(405);
});

it.each([
  ['flavor_capabilities', 'loadbalancer_topology'],
  ['availability_zone_capabilities', 'compute_zone'],
])('tells administrators the %s of a provider', async (path, first) => {
  const { body } = await api.get(`/v2/lbaas/providers/octavia/${path}`);

  expect(Object.keys(body)).toEqual([path]);
  expect(body[path][0]).toEqual({ name: first, description: expect.any(String) });
  expect((await api.get(`/v2/lbaas/providers/octavia/${path}?name=${first}&fields=name`)).body).toEqual({
    [path]: [{ name: first }],
  });
  expect((await api.get(`/v2/lbaas/providers/bogus/${path}`)).body.faultstring).toBe(
    "Provider 'bogus' is not enabled.",
  );
  expect((await api.get(`/v2/lbaas/providers/octavia/${path}`, member)).status).toBe(403);
});

it('serves the document it works by', async () => {
  const { body } = await api.get('/v2/openapi.json');

  expect(body.openapi).toBe('3.1.0');
  expect(Object.keys(body.paths)).toContain('/v2/lbaas/pools/{pool_id}/members');
});
