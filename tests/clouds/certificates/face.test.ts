import request from 'supertest';
import { aBarbican, type BarbicanSite } from '../../support/simulators/barbican';

let site: BarbicanSite;
let headers: Record<string, string>;

beforeEach(async () => {
  site = await aBarbican();
  headers = { 'X-Auth-Token': (await site.caller('member', 'demo')).token };
});

function path(ref: string): string {
  return new URL(ref).pathname;
}

async function store(body: object): Promise<string> {
  const answer = await request(site.face).post('/v1/secrets').set(headers).send(body);
  expect(answer.status).toBe(201);
  expect(answer.headers['location']).toBe(answer.body.secret_ref);
  return path(answer.body.secret_ref);
}

const TEXT = { name: 'it', payload: 'hello', payload_content_type: 'text/plain' };

describe('version discovery', () => {
  it('needs no token, at the root and below any path', async () => {
    const root = await request(site.face).get('/').set('Host', 'keys:9311');
    const v1 = await request(site.face).get('/v1/').set('Host', 'keys:9311');

    expect(root.status).toBe(300);
    expect(root.body.versions.values[0]).toMatchObject({ id: 'v1', status: 'stable' });
    expect(v1.body.version.links).toEqual([{ rel: 'self', href: 'http://keys:9311/v1/' }]);
  });
});

it('answers 401 as keystonemiddleware does to whoever has no token', async () => {
  const answer = await request(site.face).get('/v1/secrets');

  expect(answer.status).toBe(401);
  expect(answer.headers['www-authenticate']).toBe('Keystone uri="http://keystone.example.org:5000/v3"');
});

describe('a secret', () => {
  it('is shown with its metadata, without the payload', async () => {
    const at = await store({
      ...TEXT,
      payload_content_type: 'text/plain; charset=utf-8',
      secret_type: 'certificate',
      algorithm: 'aes',
      bit_length: 256,
      mode: 'cbc',
      expiration: '2126-01-01T00:00:00Z',
    });

    const { body } = await request(site.face).get(at).set(headers).set('Host', 'keys:9311');

    expect(body).toEqual({
      status: 'ACTIVE',
      secret_type: 'certificate',
      name: 'it',
      algorithm: 'aes',
      bit_length: 256,
      mode: 'cbc',
      expiration: '2126-01-01T00:00:00.000000',
      content_types: { default: 'text/plain' },
      creator_id: expect.stringMatching(/^[0-9a-f]{32}$/),
      created: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/),
      updated: expect.any(String),
      secret_ref: `http://keys:9311${at}`,
    });
  });

  it('gives its payload as text or bytes, whatever it is kept under, and as nothing else', async () => {
    const text = await store(TEXT);
    const bytes = await store({
      payload: Buffer.from([0, 255, 10]).toString('base64'),
      payload_content_type: 'application/octet-stream',
      payload_content_encoding: 'base64',
    });

    const asText = await request(site.face).get(`${text}/payload`).set(headers).set('Accept', 'text/plain');
    const older = await request(site.face).get(text).set(headers).set('Accept', 'text/plain');
    const asBytes = await request(site.face)
      .get(`${bytes}/payload`)
      .set(headers)
      .set('Accept', 'application/octet-stream');
    const wrong = await request(site.face).get(`${bytes}/payload`).set(headers).set('Accept', 'image/png');
    const asOther = await request(site.face).get(`${bytes}/payload`).set(headers).set('Accept', 'text/plain');

    expect([asText.text, older.text]).toEqual(['hello', 'hello']);
    expect(asBytes.body).toEqual(Buffer.from([0, 255, 10]));
    expect([asOther.status, asOther.headers['content-type']]).toEqual([200, 'text/plain; charset=utf-8']);
    expect(wrong.status).toBe(406);
    expect(wrong.body).toMatchObject({ code: 406, title: 'Not Acceptable' });
  });

  it('may be given its payload later, once', async () => {
    const at = await store({ name: 'later' });
    expect((await request(site.face).get(at).set(headers)).body.content_types).toBeUndefined();
    expect((await request(site.face).get(`${at}/payload`).set(headers).set('Accept', 'text/plain')).status).toBe(404);
    const put = (type: string, body: string, more = {}) =>
      request(site.face)
        .put(at)
        .set({ ...headers, 'Content-Type': type, ...more })
        .send(body);

    expect((await put('application/json', '{}')).status).toBe(415);
    expect((await put('text/plain', '')).status).toBe(400);
    expect((await put('application/octet-stream', 'aGVsbG8=', { 'Content-Encoding': 'base64' })).status).toBe(204);
    expect((await put('text/plain', 'again')).status).toBe(409);

    const payload = await request(site.face)
      .get(`${at}/payload`)
      .set(headers)
      .set('Accept', 'application/octet-stream');
    expect(payload.body.toString()).toBe('hello');
  });

  it('is gone once it is deleted', async () => {
    const at = await store(TEXT);

    expect((await request(site.face).delete(at).set(headers)).status).toBe(204);

    for (const answer of [
      await request(site.face).get(at).set(headers),
      await request(site.face).delete(at).set(headers),
    ]) {
      expect(answer.status).toBe(404);
      expect(answer.body).toEqual({
        code: 404,
        title: 'Not Found',
        description: 'Secret not found.',
      });
    }
  });

  it.each([
    ['no JSON', '{"name":'],
    ['a list', '[]'],
    ['a payload without its type', { payload: 'x' }],
    ['a type without its payload', { payload_content_type: 'text/plain' }],
    ['an empty payload', { ...TEXT, payload: '  ' }],
    ['bytes that are not base64', { payload: 'x', payload_content_type: 'application/octet-stream' }],
    ['text in base64', { ...TEXT, payload_content_encoding: 'base64' }],
    ['an unknown kind', { ...TEXT, secret_type: 'gossip' }],
    ['an expiration in the past', { ...TEXT, expiration: '2020-01-01T00:00:00Z' }],
    ['an expiration that is none', { ...TEXT, expiration: 'soon' }],
    ['a media type that is none', { ...TEXT, payload_content_type: 'x\r\nSet-Cookie: y' }],
    ['a media type it does not keep', { ...TEXT, payload_content_type: 'text/html' }],
    ['a name that is a number', { ...TEXT, name: 7 }],
  ])('is refused with %s', async (_what, body) => {
    const answer = await request(site.face)
      .post('/v1/secrets')
      .set({ ...headers, 'Content-Type': 'application/json' })
      .send(typeof body === 'string' ? body : JSON.stringify(body));

    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ code: 400, title: 'Bad Request', description: expect.any(String) });
  });

  it('is refused when it is too large', async () => {
    const answer = await request(site.face)
      .post('/v1/secrets')
      .set(headers)
      .send({ ...TEXT, payload: 'x'.repeat(65_537) });
    const huge = await request(site.face)
      .post('/v1/secrets')
      .set(headers)
      .send({ ...TEXT, payload: 'x'.repeat(1e6) });

    expect([answer.status, huge.status]).toEqual([413, 413]);
  });
});

describe('lists', () => {
  it('show pages of the own project, with links to their neighbours', async () => {
    for (const name of ['a', 'b', 'c']) await store({ name });
    const stranger = (await site.caller('admin', 'admin')).token;

    const page = await request(site.face).get('/v1/secrets?limit=1&offset=1').set(headers).set('Host', 'keys');
    const named = await request(site.face).get('/v1/secrets?name=c&limit=x&offset=-1').set(headers);
    const others = await request(site.face).get('/v1/secrets').set('X-Auth-Token', stranger);

    expect(page.body).toMatchObject({
      total: 3,
      secrets: [{ name: 'b' }],
      previous: 'http://keys/v1/secrets?limit=1&offset=0',
      next: 'http://keys/v1/secrets?limit=1&offset=2',
    });
    expect(named.body.secrets.map(({ name }: { name: string }) => name)).toEqual(['c']);
    expect(others.body).toEqual({ secrets: [], total: 0 });
  });
});

describe('a container', () => {
  async function contain(body: object) {
    return request(site.face).post('/v1/containers').set(headers).send(body);
  }

  it('holds references to secrets, and is shown with its consumers', async () => {
    const secret = await store(TEXT);
    const { body } = await contain({
      name: 'tls',
      type: 'certificate',
      secret_refs: [{ name: 'certificate', secret_ref: `http://elsewhere${secret}` }],
    });
    const at = path(body.container_ref);
    const consumer = { name: 'Octavia', URL: 'http://lb/1' };

    const added = await request(site.face).post(`${at}/consumers`).set(headers).send(consumer);
    expect(added.body).toMatchObject({ name: 'tls', type: 'certificate', consumers: [consumer] });
    expect(added.body.secret_refs).toEqual([{ name: 'certificate', secret_ref: expect.stringContaining(secret) }]);
    expect((await request(site.face).get(`${at}/consumers`).set(headers)).body).toEqual({
      consumers: [consumer],
      total: 1,
    });

    const removed = await request(site.face).delete(`${at}/consumers`).set(headers).send(consumer);
    expect(removed.body.consumers).toEqual([]);
    expect((await request(site.face).delete(`${at}/consumers`).set(headers).send(consumer)).status).toBe(404);
    expect((await request(site.face).get('/v1/containers?type=certificate').set(headers)).body.total).toBe(1);
    expect((await request(site.face).delete(at).set(headers)).status).toBe(204);
    expect((await request(site.face).get(at).set(headers)).status).toBe(404);
  });

  it.each([
    ['an unknown type', { type: 'bag' }, 400],
    ['a reference that is none', { type: 'generic', secret_refs: [{ name: 'x', secret_ref: 'x' }] }, 400],
    [
      'a secret that is not there',
      {
        type: 'generic',
        secret_refs: [{ name: 'x', secret_ref: 'http://h/v1/secrets/5ca1ab1e-0000-4000-8000-000000000000' }],
      },
      404,
    ],
  ])('is refused with %s', async (_what, body, status) => {
    expect((await contain(body)).status).toBe(status);
  });

  it('is refused with the same name twice, and with a stranger among the parts', async () => {
    const secret_ref = `http://h${await store(TEXT)}`;
    const twice = [
      { name: 'x', secret_ref },
      { name: 'x', secret_ref },
    ];
    const stranger = [
      { name: 'certificate', secret_ref },
      { name: 'x', secret_ref },
    ];

    expect((await contain({ type: 'generic', secret_refs: twice })).status).toBe(400);
    expect((await contain({ type: 'certificate', secret_refs: stranger })).status).toBe(400);
  });
});

describe('an access list', () => {
  it('is open until it is set; PUT replaces it, PATCH changes what it names, DELETE opens it again', async () => {
    const at = `${await store(TEXT)}/acl`;
    const show = async () => (await request(site.face).get(at).set(headers)).body.read;
    expect(await show()).toEqual({ 'project-access': true });

    const put = await request(site.face)
      .put(at)
      .set(headers)
      .send({ read: { users: ['a'], 'project-access': false } });
    expect(put.body.acl_ref).toContain(at);
    expect(await show()).toMatchObject({ users: ['a'], 'project-access': false });

    await request(site.face)
      .patch(at)
      .set(headers)
      .send({ read: { users: ['b'] } });
    expect(await show()).toMatchObject({ users: ['b'], 'project-access': false });

    await request(site.face)
      .put(at)
      .set(headers)
      .send({ read: { users: ['c'] } });
    expect(await show()).toMatchObject({ users: ['c'], 'project-access': true });

    expect((await request(site.face).delete(at).set(headers)).status).toBe(200);
    expect(await show()).toEqual({ 'project-access': true });
  });

  it('is refused when it is none, and to strangers', async () => {
    const at = `${await store(TEXT)}/acl`;
    const stranger = { 'X-Auth-Token': (await site.caller('admin', 'admin')).token };

    expect((await request(site.face).put(at).set(headers).send({ write: {} })).status).toBe(400);
    expect((await request(site.face).get(at).set(stranger)).status).toBe(403);
    expect(
      (
        await request(site.face)
          .put(at)
          .set(stranger)
          .send({ read: { users: ['x'] } })
      ).status,
    ).toBe(403);
  });
});

it('answers 404 to paths it does not have', async () => {
  const answer = await request(site.face).get('/v1/orders').set(headers);

  expect([answer.status, answer.body.code]).toEqual([404, 404]);
});
