import { UnauthorizedError } from '../../api/faults';
import { loadDocument } from '../../api/openapi/document';
import { startTestApi, type TestApi } from '../support/api';

let api: TestApi;
beforeAll(async () => {
  const authenticate = async () => {
    throw new UnauthorizedError();
  };
  api = await startTestApi({ authenticate });
});
afterAll(() => api.close());

/** What a page refers to, as a browser resolves it. */
function referencesOf(html: string, pageUrl: string): string[] {
  const found = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => new URL(match[1] ?? '', pageUrl).href);
  return found.filter((href) => !href.startsWith('data:'));
}

describe.each(['/v2/docs', '/v2.0/docs', '/load-balancer/v2/docs'])('the page at %s', (path) => {
  it('is served without a token, with everything it refers to', async () => {
    const page = await api.get(path, { accept: 'text/html' });
    const references = referencesOf(page.text, `${api.url}${path}`);

    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(references.map((href) => href.slice(api.url.length + path.length))).toEqual([
      '/swagger-ui.css',
      '/openapi.json',
      '/swagger-ui-bundle.js',
      '/start.js',
    ]);
    for (const href of references) expect((await fetch(href)).status).toBe(200);
  });

  it('leads from its address with a slash to the one without', async () => {
    const answer = await fetch(`${api.url}${path}/`);

    expect([answer.status, answer.redirected, answer.url]).toEqual([200, true, `${api.url}${path}`]);
  });

  it('has the whole document, whose operations are where the page came from', async () => {
    const address = `${api.url}${path}/openapi.json`;
    const { body } = await api.get(`${path}/openapi.json`);

    expect(Object.keys(body.paths)).toEqual(Object.keys(loadDocument().paths));
    expect(Object.keys(body.components.schemas)).toEqual(Object.keys(loadDocument().components.schemas));
    expect(new URL(body.servers[0].url, address).pathname).toBe(path.replace(/v2.*/, ''));
  });
});

it('types its files so that a browser told not to guess takes them', async () => {
  const types = new Map([
    ['swagger-ui.css', /^text\/css/],
    ['swagger-ui-bundle.js', /^text\/javascript/],
    ['start.js', /^text\/javascript/],
    ['openapi.json', /^application\/json/],
  ]);
  for (const [file, type] of types) {
    const { headers } = await api.get(`/v2/docs/${file}`);

    expect(headers.get('content-type')).toMatch(type);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  }
});

it('lets nothing in from elsewhere, no script into the page, and no other site around it', async () => {
  const page = await api.get('/v2/docs');
  const policy = page.headers.get('content-security-policy') ?? '';
  const rules = Object.fromEntries(policy.split('; ').map((rule) => [rule.split(' ')[0], rule]));

  expect(rules).toMatchObject({
    'default-src': "default-src 'none'",
    'script-src': "script-src 'self'",
    'connect-src': "connect-src 'self'",
    'frame-ancestors': "frame-ancestors 'none'",
  });
  expect(policy).not.toMatch(/https?:|\*/);
  expect(page.text).not.toMatch(/<script>|https?:\/\/|\son\w+=/);
});

it('costs a 304 when the browser has the file already, and the file after an upgrade', async () => {
  const path = '/v2/docs/swagger-ui.css';
  // As a browser reloads: by itself fetch would ask for a fresh copy.
  const reload = { 'cache-control': 'max-age=0', 'if-modified-since': new Date().toUTCString() };
  const etag = (await api.get(path)).headers.get('etag') ?? '';
  const again = await api.get(path, { ...reload, 'if-none-match': etag });
  const upgraded = await api.get(path, { ...reload, 'if-none-match': '"an older version"' });

  expect([again.status, again.text.length]).toEqual([304, 0]);
  expect(upgraded.status).toBe(200);
});

it.each(['POST', 'PUT', 'DELETE', 'PATCH'])('refuses %s', async (method) => {
  const answer = await api.request(method, '/v2/docs');

  expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
});

it('answers HEAD without a body', async () => {
  const answer = await api.request('HEAD', '/v2/docs');

  expect([answer.status, answer.text]).toEqual([200, '']);
});

it.each([
  '/v2/openapi.json',
  '/v2/docs/package.json',
  '/v2/docs/index.html',
  '/v2/docs/../openapi.json',
  '/v2/docs/..%2fpackage.json',
  '/v2/docs//start.js',
  '/v2/lbaas/docs',
  '/v2/documents',
  '/v3/docs',
])('still wants a token for %s', async (path) => {
  expect((await api.get(path)).status).toBe(401);
});
