import express from 'express';
import pino from 'pino';
import request from 'supertest';
import { createKeystoneFace } from '../../../driver/clouds/keystone/face';
import { aKeystone, issueToken, PASSWORDS, passwordLogin, type UserName } from '../../support/simulators/keystone';

const SERVICES = [
  { type: 'identity', name: 'keystone', url: 'http://127.0.0.1:5000/v3' },
  { type: 'load-balancer', name: 'octavia', url: 'http://127.0.0.1:9876' },
];

function aFace() {
  const keystone = aKeystone();
  const app = createKeystoneFace({ keystone, services: () => SERVICES, log: pino({ level: 'silent' }) });
  const as = (user: UserName, project: string) => issueToken(keystone, user, project);
  return { keystone, app, as };
}

describe('version discovery', () => {
  it('lists v3 at the root with 300 and shows it below /v3, each with a link to itself', async () => {
    const { app } = aFace();

    const root = await request(app).get('/').set('Host', 'cloud:5000');
    const v3 = await request(app).get('/v3/').set('Host', 'cloud:5000');

    expect(root.status).toBe(300);
    expect(root.body.versions.values[0]).toMatchObject({ id: 'v3.14', status: 'stable' });
    expect(v3.body.version.links).toEqual([{ rel: 'self', href: 'http://cloud:5000/v3/' }]);
  });

  it('answers the same below a path it is mounted at', async () => {
    const { app } = aFace();
    const outer = express().use('/identity', app);

    const { body } = await request(outer).get('/identity/v3').set('Host', 'cloud');

    expect(body.version.links[0].href).toBe('http://cloud/identity/v3/');
  });
});

describe('POST /v3/auth/tokens', () => {
  it('answers a password login with the token in the header and roles and catalogue in the body', async () => {
    const { app } = aFace();

    const { status, body, headers } = await request(app).post('/v3/auth/tokens').send(passwordLogin('admin', 'demo'));

    expect(status).toBe(201);
    expect(headers['x-subject-token']).toHaveLength(32);
    expect(body.token).toMatchObject({
      methods: ['password'],
      user: { name: 'admin', domain: { id: 'default', name: 'Default' } },
      project: { name: 'demo', domain: { id: 'default', name: 'Default' } },
    });
    expect(body.token.roles.map(({ name }: { name: string }) => name)).toEqual(['admin', 'member', 'reader']);
    expect(body.token.expires_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    const balancer = body.token.catalog.find(({ type }: { type: string }) => type === 'load-balancer');
    expect(balancer.endpoints.map((endpoint: { interface: string; url: string; region: string }) => endpoint)).toEqual(
      ['public', 'internal', 'admin'].map((face) =>
        expect.objectContaining({ interface: face, url: 'http://127.0.0.1:9876', region: 'RegionOne' }),
      ),
    );
  });

  it('takes the user by id and the project by id', async () => {
    const { app, keystone } = aFace();
    const { id } = keystone.directory.users.find(({ name }) => name === 'member') ?? { id: '' };
    const project = keystone.directory.projects.find(({ name }) => name === 'demo') ?? { id: '' };

    const { status, body } = await request(app)
      .post('/v3/auth/tokens')
      .send({
        auth: {
          identity: { methods: ['password'], password: { user: { id, password: PASSWORDS.member } } },
          scope: { project: { id: project.id } },
        },
      });

    expect(status).toBe(201);
    expect(body.token.project.name).toBe('demo');
  });

  it.each([
    ['a domain', { domain: { name: 'default' } }, { domain: { id: 'default', name: 'Default' } }],
    ['the system', { system: { all: true } }, { system: { all: true } }],
  ])('scopes to %s', async (_what, scope, shown) => {
    const { app } = aFace();
    const { auth } = passwordLogin('admin');

    const { status, body } = await request(app)
      .post('/v3/auth/tokens')
      .send({ auth: { ...auth, scope } });

    expect(status).toBe(201);
    expect(body.token).toMatchObject(shown);
    expect(body.token.project).toBeUndefined();
  });

  it('trades an unscoped token for a scoped one that ends when the first one does', async () => {
    const { app } = aFace();
    const first = await request(app).post('/v3/auth/tokens').send(passwordLogin('member'));
    expect(first.body.token.catalog).toBeUndefined();

    const second = await request(app)
      .post('/v3/auth/tokens')
      .send({
        auth: {
          identity: { methods: ['token'], token: { id: first.headers['x-subject-token'] } },
          scope: { project: { name: 'demo', domain: { name: 'Default' } } },
        },
      });

    expect(second.status).toBe(201);
    expect(second.body.token.expires_at).toBe(first.body.token.expires_at);
    expect(second.body.token.methods.sort()).toEqual(['password', 'token']);
  });

  it.each([
    ['a wrong password', passwordLogin('admin', 'demo', 'guess')],
    ['a project the user has no role on', passwordLogin('member', 'admin')],
    ['a project that does not exist', passwordLogin('admin', 'nowhere')],
    [
      'the system for a user without a role there',
      { auth: { ...passwordLogin('member').auth, scope: { system: { all: true } } } },
    ],
    ['a method it does not know', { auth: { identity: { methods: ['totp'] } } }],
    ['an invented token', { auth: { identity: { methods: ['token'], token: { id: 'invented' } } } }],
  ])('answers 401 and nothing more to %s', async (_what, body) => {
    const { app } = aFace();

    const answer = await request(app).post('/v3/auth/tokens').send(body);

    expect(answer.status).toBe(401);
    expect(answer.headers['x-subject-token']).toBeUndefined();
    expect(answer.body).toEqual({
      error: { code: 401, title: 'Unauthorized', message: 'The request you have made requires authentication.' },
    });
  });

  it.each([
    ['no auth', '{}'],
    ['no JSON', '{"auth":'],
    ['a method without its part', JSON.stringify({ auth: { identity: { methods: ['password'] } } })],
    ['an empty scope', JSON.stringify({ auth: { ...passwordLogin('admin').auth, scope: {} } })],
  ])('answers 400 to a body with %s', async (_what, body) => {
    const { app } = aFace();

    const answer = await request(app).post('/v3/auth/tokens').set('Content-Type', 'application/json').send(body);

    expect(answer.status).toBe(400);
    expect(answer.body.error).toMatchObject({ code: 400, title: 'Bad Request' });
  });
});

describe('GET and DELETE /v3/auth/tokens', () => {
  it('shows a token to its owner and to a service, and forbids it to anybody else', async () => {
    const { app, as } = aFace();
    const subject = as('member', 'demo');
    const look = (caller: string) =>
      request(app).get('/v3/auth/tokens').set({ 'X-Auth-Token': caller, 'X-Subject-Token': subject });

    expect((await look(subject)).body.token.user.name).toBe('member');
    expect((await look(as('slipstream', 'service'))).body.token.project.name).toBe('demo');
    expect((await look(as('reader', 'demo'))).status).toBe(403);
    expect((await look('invented')).status).toBe(401);
  });

  it('answers HEAD without a body and leaves the catalogue out on ?nocatalog', async () => {
    const { app, as } = aFace();
    const token = as('member', 'demo');
    const headers = { 'X-Auth-Token': token, 'X-Subject-Token': token };

    const head = await request(app).head('/v3/auth/tokens').set(headers);
    const bare = await request(app).get('/v3/auth/tokens?nocatalog').set(headers);

    expect([head.status, head.text]).toEqual([200, undefined]);
    expect(bare.body.token.roles).toBeDefined();
    expect(bare.body.token.catalog).toBeUndefined();
  });

  it('revokes', async () => {
    const { app, as } = aFace();
    const token = as('member', 'demo');
    const headers = { 'X-Auth-Token': token, 'X-Subject-Token': token };

    expect((await request(app).delete('/v3/auth/tokens').set(headers)).status).toBe(204);
    expect((await request(app).get('/v3/auth/tokens').set(headers)).status).toBe(401);
  });

  it('answers 404 to a service that asks for a token that is gone', async () => {
    const { app, as } = aFace();
    const headers = { 'X-Auth-Token': as('slipstream', 'service'), 'X-Subject-Token': 'invented' };

    expect((await request(app).get('/v3/auth/tokens').set(headers)).status).toBe(404);
  });
});

describe('the directory', () => {
  it('lets an admin find a project by name and by id', async () => {
    const { app, as } = aFace();
    const token = as('admin', 'admin');

    const { body } = await request(app).get('/v3/projects?name=demo&domain_id=default').set('X-Auth-Token', token);
    expect(body.projects).toHaveLength(1);
    const one = await request(app).get(`/v3/projects/${body.projects[0].id}`).set('X-Auth-Token', token);
    expect(one.body.project).toMatchObject({ name: 'demo', domain_id: 'default', enabled: true });
    const none = await request(app).get('/v3/projects/nowhere').set('X-Auth-Token', token);
    expect(none.body.error).toEqual({ code: 404, title: 'Not Found', message: 'Could not find project: nowhere.' });
  });

  it.each(['projects', 'users', 'roles', 'services', 'endpoints', 'domains', 'regions'])(
    'lists %s to admins only',
    async (plural) => {
      const { app, as } = aFace();

      const admin = await request(app).get(`/v3/${plural}`).set('X-Auth-Token', as('admin', 'admin'));
      const member = await request(app).get(`/v3/${plural}`).set('X-Auth-Token', as('member', 'demo'));

      expect(admin.body[plural].length).toBeGreaterThan(0);
      expect(member.status).toBe(403);
    },
  );

  it('never shows a password', async () => {
    const { app, as } = aFace();

    const { text } = await request(app).get('/v3/users').set('X-Auth-Token', as('admin', 'admin'));

    for (const password of Object.values(PASSWORDS)) expect(text).not.toContain(password);
  });

  it('shows users their own projects', async () => {
    const { app, as } = aFace();

    const { body } = await request(app).get('/v3/auth/projects').set('X-Auth-Token', as('admin', 'demo'));

    expect(body.projects.map(({ name }: { name: string }) => name)).toEqual(['admin', 'demo']);
  });
});

it('forgets the oldest token when too many are out', async () => {
  const keystone = aKeystone({ maxTokens: 2 });
  const [first, second, third] = ['demo', 'demo', 'demo'].map((project) => issueToken(keystone, 'member', project));

  expect(keystone.findToken(String(first))).toBeUndefined();
  expect(keystone.findToken(String(second))).toBeDefined();
  expect(keystone.findToken(String(third))).toBeDefined();
});

it('keeps the ids of users and projects over restarts', () => {
  expect(aKeystone().directory.projects).toEqual(aKeystone().directory.projects);
});
