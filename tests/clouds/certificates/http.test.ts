import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  createHttpSecretStore,
  type HttpSecretStore,
  type ServiceSession,
} from '../../../driver/clouds/certificates/http';
import type { CallerAccess } from '../../../driver/clouds/certificates/port';

const ID = '5ca1ab1e-0000-4000-8000-000000000000';
const CALLER: CallerAccess = {
  token: 'user-token',
  identity: { userId: 'u', projectId: 'p', domainId: null, systemScope: null, roles: ['member'], isAdmin: false },
};
const SERVICE: ServiceSession = { token: async () => 'service-token', userId: async () => 'service-user' };

let server: Server;
let store: HttpSecretStore;
let calls: { method: string; url: string; token: string; accept: string; body: string }[];

async function open(
  answer: RequestListener,
  deps: { service?: ServiceSession; timeout?: number; suffix?: string } = {},
) {
  calls = [];
  server = createServer(async (req, res) => {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk);
    calls.push({
      method: String(req.method),
      url: String(req.url),
      token: String(req.headers['x-auth-token']),
      accept: String(req.headers.accept),
      body: Buffer.concat(chunks).toString(),
    });
    answer(req, res);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${deps.suffix ?? ''}`;
  store = createHttpSecretStore({
    endpoint: async () => url,
    service: deps.service ?? SERVICE,
    ...(deps.timeout === undefined ? {} : { timeout: deps.timeout }),
  });
}

afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await store.close();
});

const answerWith =
  (status: number, body = '{}'): RequestListener =>
  (_req, res) =>
    void res.writeHead(status, { 'Content-Type': 'application/json' }).end(body);

it.each(['', '/', '/v1', '/v1/', '/key-manager/v1'])(
  'asks below /v1 of an endpoint that ends in "%s"',
  async (suffix) => {
    await open(answerWith(404), { suffix });

    await store.findSecret(ID, CALLER);

    const prefix = suffix.startsWith('/key-manager') ? '/key-manager' : '';
    expect(calls[0]).toMatchObject({
      url: `${prefix}/v1/secrets/${ID}`,
      token: 'user-token',
      accept: 'application/json',
    });
  },
);

it('asks for the payload by the media type that the metadata tell', async () => {
  await open((req, res) => {
    if (req.url?.endsWith('/payload')) res.end('bytes');
    else answerWith(200, '{"content_types": {"default": "application/pkix-cert"}}')(req, res);
  });

  expect(await store.findSecret(ID, CALLER)).toEqual({
    payload: Buffer.from('bytes'),
    contentType: 'application/pkix-cert',
  });
  expect(calls[1]).toMatchObject({ url: `/v1/secrets/${ID}/payload`, accept: 'application/pkix-cert' });
});

it.each([400, 401, 403, 404, 406, 410])('takes %s from the caller for "not there"', async (status) => {
  await open(answerWith(status));

  expect(await store.findSecret(ID, CALLER)).toBeUndefined();
  expect(await store.findContainer(ID, CALLER)).toBeUndefined();
});

it.each<[string, RequestListener]>([
  ['a failure', answerWith(500)],
  ['a proxy without anybody behind it', answerWith(502, '<html>')],
  ['a limit', answerWith(429)],
  ['a redirection elsewhere', (_req, res) => void res.writeHead(302, { Location: 'http://127.0.0.1:1/' }).end()],
  ['no JSON', answerWith(200, '<html>')],
  ['another JSON', answerWith(200, '{"content_types": 7}')],
  ['an endless answer', (_req, res) => void res.end(Buffer.alloc(1024 * 1024, ' '))],
  ['a connection that breaks', (req) => void req.socket.destroy()],
  ['silence', () => undefined],
])('takes %s for an outage', async (_what, answer) => {
  await open(answer, { timeout: 200 });

  await expect(store.findSecret(ID, CALLER)).rejects.toMatchObject({
    name: 'UnavailableError',
    message: 'The key manager service is temporarily unavailable.',
  });
});

it('tries once more when a kept connection turns out to be closed', async () => {
  let broken = 0;
  await open((req, res) => {
    if (broken++ === 0) req.socket.destroy();
    else answerWith(404)(req, res);
  });

  expect(await store.findSecret(ID, CALLER)).toBeUndefined();
  expect(calls).toHaveLength(2);
});

it('renews its own token once when it is refused, and gives up then', async () => {
  const issued: (string | undefined)[] = [];
  const token = async (refused?: string): Promise<string> => {
    issued.push(refused);
    return refused ? 'fresh' : 'stale';
  };
  await open((req, res) => answerWith(req.headers['x-auth-token'] === 'fresh' ? 404 : 401)(req, res), {
    service: { ...SERVICE, token },
  });
  expect(await store.findSecret(ID, 'service')).toBeUndefined();
  expect(issued).toEqual([undefined, 'stale']);
  await closeServer();

  await open(answerWith(401));
  await expect(store.findSecret(ID, 'service')).rejects.toThrow('temporarily unavailable');
});

async function closeServer(): Promise<void> {
  server.closeAllConnections();
  server.close();
  await store.close();
}

it('asks as itself where the caller has no token, and leaves access lists alone', async () => {
  await open(answerWith(404));

  await store.findContainer(ID, { ...CALLER, token: '' });
  expect(await store.grantAccess({ kind: 'secret', id: ID }, { ...CALLER, token: '' })).toBe(true);

  expect(calls.map(({ token }) => token)).toEqual(['service-token']);
});

it('writes the whole access list back, as the caller, and nothing when it may read already', async () => {
  let acl = '{"read": {"users": ["friend"], "project-access": false, "created": "x", "updated": "y"}}';
  await open((req, res) => answerWith(200, req.method === 'GET' ? acl : '{"acl_ref": "x"}')(req, res));

  expect(await store.grantAccess({ kind: 'container', id: ID }, CALLER)).toBe(true);
  expect(calls.map(({ method, url, token }) => [method, url, token])).toEqual([
    ['GET', `/v1/containers/${ID}/acl`, 'user-token'],
    ['PUT', `/v1/containers/${ID}/acl`, 'user-token'],
  ]);
  expect(JSON.parse(calls[1]?.body ?? '')).toEqual({
    read: { users: ['friend', 'service-user'], 'project-access': false },
  });

  acl = '{"read": {"users": ["service-user"], "project-access": true}}';
  expect(await store.grantAccess({ kind: 'container', id: ID }, CALLER)).toBe(true);
  expect(calls).toHaveLength(3);
});
