import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import pino from 'pino';
import { type OpenstackService, openOpenstackService } from '../../../driver/clouds/openstack/service';

type Answerer = (req: IncomingMessage, res: ServerResponse, count: number) => void;

const json =
  (status: number, body: unknown): Answerer =>
  (_req, res) => {
    res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };

describe('a service of an OpenStack cloud', () => {
  let server: Server;
  let service: OpenstackService;
  let answer: Answerer;
  let seen: { method: string; url: string; token: string }[];
  let tokens: string[];

  const open = (over: Partial<Parameters<typeof openOpenstackService>[0]['options']> = {}) => {
    const { port } = server.address() as AddressInfo;
    return openOpenstackService({
      name: 'Nova',
      types: ['compute'],
      session: {
        token: async (refused) => tokens[refused === tokens[0] ? 1 : 0] ?? '',
        endpoint: async ({ type }) => (type === 'compute' ? `http://127.0.0.1:${port}/v2.1/` : undefined),
      },
      options: { region_name: null, endpoint_type: 'public', ca_certificates_file: null, insecure: false, ...over },
      log: pino({ level: 'silent' }),
    });
  };
  beforeEach(async () => {
    seen = [];
    tokens = ['one', 'two'];
    answer = json(200, { ok: true });
    server = createServer((req, res) => {
      seen.push({ method: req.method ?? '', url: req.url ?? '', token: String(req.headers['x-auth-token']) });
      answer(req, res, seen.length);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    service = open();
  });
  afterEach(async () => {
    await service.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('is called where the catalogue says, with the token of this service', async () => {
    await expect(service.call({ method: 'GET', path: '/servers?limit=1' })).resolves.toMatchObject({
      status: 200,
      body: { ok: true },
    });
    expect(seen).toEqual([{ method: 'GET', url: '/v2.1/servers?limit=1', token: 'one' }]);
  });

  it('is called with a new token when it refuses the old one, once', async () => {
    answer = (req, res, count) => json(req.headers['x-auth-token'] === 'two' ? 200 : 401, { count })(req, res, count);
    await expect(service.call({ method: 'POST', path: '/servers' })).resolves.toMatchObject({ status: 200 });
    answer = json(401, {});
    await expect(service.call({ method: 'GET', path: '/' })).rejects.toMatchObject({ name: 'UnavailableError' });
  });

  it('gives refusals as answers', async () => {
    answer = json(409, { conflict: 'yes' });
    await expect(service.call({ method: 'PUT', path: '/x', body: {} })).resolves.toMatchObject({ status: 409 });
  });

  it.each(['GET', 'PUT', 'DELETE'] as const)('repeats a %s that met a restart', async (method) => {
    answer = (req, res, count) => json(count < 3 ? 503 : 200, {})(req, res, count);
    await expect(service.call({ method, path: '/x' })).resolves.toMatchObject({ status: 200 });
    expect(seen).toHaveLength(3);
  });

  it('does not repeat a POST that may have been carried out', async () => {
    answer = (req) => void req.socket.destroy();
    await expect(service.call({ method: 'POST', path: '/x', body: {} })).rejects.toMatchObject({
      name: 'UnavailableError',
      status: 503,
    });
    expect(seen).toHaveLength(1);
  });

  it('repeats a POST that was told to come later', async () => {
    answer = (req, res, count) => json(count < 2 ? 429 : 201, {})(req, res, count);
    await expect(service.call({ method: 'POST', path: '/x', body: {} })).resolves.toMatchObject({ status: 201 });
  });

  it('is left alone for a while after it has not answered again and again', async () => {
    answer = json(500, {});
    for (let i = 0; i < 5; i += 1) await service.call({ method: 'GET', path: '/x' }).catch(() => undefined);
    const before = seen.length;
    await expect(service.call({ method: 'GET', path: '/x' })).rejects.toMatchObject({ name: 'UnavailableError' });
    expect(seen).toHaveLength(before);
  });

  it('gives up a call that takes too long', async () => {
    await service.close();
    service = open({ timeout: 50 });
    answer = () => undefined;
    await expect(service.call({ method: 'POST', path: '/x', body: {} })).rejects.toMatchObject({
      name: 'UnavailableError',
    });
  });

  it('is not left alone for calls that it goes on with by itself, however long they take', async () => {
    answer = (req, res, count) => (req.url?.endsWith('slow') ? undefined : json(200, {})(req, res, count));
    const slow = { method: 'POST', path: '/slow', body: {}, timeout: 20, goesOn: true } as const;
    for (let i = 0; i < 6; i += 1) await expect(service.call(slow)).resolves.toMatchObject({ status: 504 });

    await expect(service.call({ method: 'GET', path: '/x' })).resolves.toMatchObject({ status: 200 });
  });

  it('takes a 500 for a refusal only in calls that are refused so, and in words of the service', async () => {
    const call = { method: 'POST', path: '/x', body: {}, refusesBy500: true } as const;
    answer = json(500, { computeFault: { message: 'no' } });
    await expect(service.call(call)).resolves.toMatchObject({ status: 500 });

    answer = (_req, res) => void res.writeHead(500).end('<html>');
    await expect(service.call(call)).rejects.toMatchObject({ name: 'UnavailableError' });
  });

  it('goes where it is told instead of asking the catalogue', async () => {
    await service.close();
    const { port } = server.address() as AddressInfo;
    service = open({ endpoint_override: `http://127.0.0.1:${port}/elsewhere` });
    await service.call({ method: 'GET', path: '/servers' });
    expect(seen[0]?.url).toBe('/elsewhere/servers');
  });
});
