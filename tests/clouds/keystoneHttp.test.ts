import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pino from 'pino';
import { createKeystoneFace } from '../../driver/clouds/keystone/face';
import { createKeystoneValidator, type KeystoneValidator } from '../../driver/clouds/keystone/http';
import { issue } from '../support/certificates/issue';
import { aKeystone, issueToken, PASSWORDS } from '../support/simulators/keystone';
import { keystoneSettings } from '../support/simulators/keystoneSettings';
import { answerWith, type KeystoneSite, startKeystone } from '../support/simulators/keystoneSite';
import { waitUntil } from '../support/wait';

const AWAY = { name: 'UnavailableError', message: 'The Keystone service is temporarily unavailable.' };

let site: KeystoneSite;
const lines: string[] = [];
const log = pino({ level: 'debug' }, { write: (line: string) => void lines.push(line) });
const opened: KeystoneValidator[] = [];

beforeEach(async () => {
  lines.length = 0;
  site = await startKeystone();
});
afterEach(async () => {
  for (const validator of opened.splice(0)) await validator.close();
  await site.stop();
});

function open(options: { url?: string; lines?: readonly string[]; now?: () => Date } = {}): KeystoneValidator {
  const settings = keystoneSettings(options.url ?? site.url, ...(options.lines ?? []));
  const validator = createKeystoneValidator(settings, { log, ...(options.now && { now: options.now }) });
  opened.push(validator);
  return validator;
}

const aToken = () => issueToken(site.keystone, 'member', 'demo');

describe('finding the API', () => {
  it.each([
    ['', ''],
    ['', '/'],
    ['', '/v3'],
    ['', '/v3/'],
    ['', '/v2.0'],
    ['/identity', '/identity'],
    ['/identity', '/identity/v3'],
  ])('finds a Keystone at "%s" by a URL that ends in "%s"', async (mount, suffix) => {
    await site.stop();
    site = await startKeystone({ mount });
    const validator = open({ url: `${site.url.slice(0, -mount.length || undefined)}${suffix}` });

    expect(await validator.validate(aToken())).toBeDefined();
    expect(site.questions()[0]?.url).toBe(`${mount}/v3/auth/tokens?nocatalog=1`);
  });

  it('takes the path alone from the link, for Keystone may not know its address', async () => {
    const link = JSON.stringify({
      versions: { values: [{ id: 'v3.14', links: [{ rel: 'self', href: 'https://inside.example.org/v3/' }] }] },
    });
    site.trouble = (req, res) => (req.url === '/' ? answerWith(300, link)(req, res) : undefined);

    expect(await open().validate(aToken())).toBeDefined();
  });

  it('tries v3 where something else answers at the root', async () => {
    site.trouble = (req, res) => (req.url === '/' ? answerWith(404, '<html>')(req, res) : undefined);

    expect(await open().validate(aToken())).toBeDefined();
  });

  it('does not take an older API for v3', async () => {
    const link = '{"versions": {"values": [{"id": "v2.0", "links": []}]}}';
    site.trouble = (req, res) => (req.url === '/' ? answerWith(300, link)(req, res) : undefined);

    await expect(open().validate('t')).rejects.toMatchObject({
      ...AWAY,
      cause: expect.objectContaining({ message: expect.stringContaining('v2.0') }),
    });
  });

  it('asks where the catalogue says, and looks that up once', async () => {
    const other = await startKeystone();
    other.keystone = site.keystone;
    site.services = [{ type: 'identity', name: 'keystone', url: other.url }];
    const validator = open({ lines: ['region_name = RegionOne', 'interface = internalURL'] });

    for (const _ of [1, 2]) expect(await validator.validate(aToken())).toBeDefined();
    expect(other.calls.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'GET /',
      'GET /v3/auth/tokens?nocatalog=1',
      'GET /v3/auth/tokens?nocatalog=1',
    ]);
    await other.stop();
  });

  it('asks at auth_url, and says so once, when the catalogue has no such endpoint', async () => {
    site.services = [{ type: 'identity', name: 'keystone', url: 'http://127.0.0.1:1' }];
    const validator = open({ lines: ['region_name = Elsewhere'] });

    for (const _ of [1, 2]) expect(await validator.validate(aToken())).toBeDefined();
    expect(lines.filter((line) => line.includes('catalogue'))).toHaveLength(1);
  });
});

describe('asking', () => {
  it('asks for expired tokens by allow_expired', async () => {
    await open().validate(aToken(), { allowExpired: true });

    expect(site.questions()[0]?.url).toBe('/v3/auth/tokens?nocatalog=1&allow_expired=1');
  });

  it('refuses a token that access rules restrict', async () => {
    const token = {
      user: { id: 'u' },
      expires_at: '2126-01-01T00:00:00.000000Z',
      application_credential: { id: 'a', access_rules: [{ path: '/v2/servers', method: 'GET', service: 'compute' }] },
    };
    site.trouble = (req, res) =>
      req.headers['x-subject-token'] ? answerWith(200, JSON.stringify({ token }))(req, res) : undefined;

    expect(await open().validate('t')).toBeUndefined();
  });

  it.each<[number, string]>([
    [400, '{"error": {"code": 400, "title": "Bad Request", "message": "no"}}'],
    [413, 'too long'],
    [431, 'too long'],
  ])('takes %s for a refusal of the token', async (status, body) => {
    site.trouble = (req, res) => (req.headers['x-subject-token'] ? answerWith(status, body)(req, res) : undefined);

    expect(await open().validate('t')).toBeUndefined();
  });

  it.each<[string, (...call: Parameters<RequestListener>) => unknown]>([
    ['a failure', answerWith(500)],
    ['a proxy without anybody behind it', answerWith(503, '<html>')],
    ['a limit', answerWith(429)],
    ['a service that may not ask', answerWith(403, '{"error": {"message": "no", "code": 403, "title": "Forbidden"}}')],
    ['a 404 that is not from Keystone', answerWith(404, '<html>')],
    ['a 400 that is not from Keystone', answerWith(400, '<html>')],
    ['a redirection elsewhere', answerWith(302, '', { Location: 'http://127.0.0.1:1/' })],
    ['no JSON', answerWith(200, '<html>')],
    ['another JSON', answerWith(200, '{"token": {"user": 7}}')],
    ['an endless answer', answerWith(200, ' '.repeat(2 * 1024 * 1024))],
    ['a connection that breaks', (req) => req.socket.destroy()],
    ['silence', () => 'nothing'],
  ])('takes %s for an outage', async (_what, answer) => {
    const validator = open({ lines: ['http_connect_timeout = 0.5', 'http_request_max_retries = 1'] });
    await validator.session.token();
    site.trouble = answer;

    await expect(validator.validate('t')).rejects.toMatchObject(AWAY);
  });

  it.each<[string, (...call: Parameters<RequestListener>) => unknown]>([
    ['the connection breaks', (req) => req.socket.destroy()],
    ['a proxy finds nobody', answerWith(502)],
  ])('asks again when %s', async (_what, answer) => {
    const validator = open();
    const token = aToken();
    await validator.session.token();
    let left = 2;
    site.trouble = (req, res) => (req.headers['x-subject-token'] && left-- > 0 ? answer(req, res) : undefined);

    expect(await validator.validate(token)).toBeDefined();
    expect(site.questions()).toHaveLength(3);
  });

  it('keeps a dead Keystone waiting instead of its callers, and finds it when it is back', async () => {
    const validator = open({ lines: ['http_request_max_retries = 0'] });
    await validator.session.token();
    site.trouble = (req) => req.socket.destroy();
    for (let failure = 0; failure < 5; failure += 1) await expect(validator.validate('t')).rejects.toMatchObject(AWAY);

    const before = site.calls.length;
    const answers = await Promise.allSettled(Array.from({ length: 100 }, () => validator.validate('t')));
    expect(answers.every(({ status }) => status === 'rejected')).toBe(true);
    // One may have been let through to see whether Keystone is back.
    expect(site.calls.length - before).toBeLessThanOrEqual(1);
    expect(lines.some((line) => line.includes('does not answer'))).toBe(true);

    await site.stop();
    site.trouble = undefined;
    await site.restart();
    const token = aToken();
    await waitUntil('Keystone is asked again', 10_000, () =>
      validator.validate(token).then(
        (valid) => valid !== undefined,
        () => false,
      ),
    );
    expect(lines.some((line) => line.includes('answers again'))).toBe(true);
  });
});

describe('over TLS', () => {
  let folder: string;
  let url: string;
  let close: () => void;
  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'ss-keystone-'));
    const ca = await issue({ cn: 'CA', isCa: true });
    const { pem, keyPem } = await issue({ cn: 'keystone', dnsNames: ['localhost'], issuer: ca });
    writeFileSync(path.join(folder, 'ca.pem'), ca.pem);
    const app = createKeystoneFace({ keystone: aKeystone(), services: () => [], log });
    const server = createTlsServer({ cert: pem, key: keyPem }, app).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    url = `https://localhost:${(server.address() as AddressInfo).port}/v3`;
    close = () => {
      server.close();
      server.closeAllConnections();
    };
  });
  afterAll(() => {
    close();
    rmSync(folder, { recursive: true });
  });

  it('believes a certificate of the CA given, or any if told so', async () => {
    const trusting = open({ url, lines: [`cafile = ${path.join(folder, 'ca.pem')}`] });
    const careless = open({ url, lines: ['insecure = true'] });

    for (const validator of [trusting, careless]) expect(await validator.validate('unknown')).toBeUndefined();
  });

  it('does not believe others', async () => {
    await expect(open({ url, lines: ['http_request_max_retries = 0'] }).validate('t')).rejects.toMatchObject({
      ...AWAY,
      cause: expect.objectContaining({ message: expect.stringMatching(/certificate/i) }),
    });
  });

  it('stops the start for a file that is not there', () => {
    expect(() => open({ url, lines: ['cafile = /nowhere/ca.pem'] })).toThrow(
      '[keystone_authtoken] cafile = /nowhere/ca.pem',
    );
  });
});

it('tells nobody a token or a password', async () => {
  const secret = 'gAAAAA-the-users-own';
  const validator = open({ lines: ['http_request_max_retries = 1', 'http_connect_timeout = 0.5'] });
  const own = await validator.session.token();
  const troubles = [answerWith(401), answerWith(403), answerWith(500), answerWith(200, '{}'), () => 'silence'];
  const errors: unknown[] = [];
  for (const trouble of [...troubles, (req: Parameters<RequestListener>[0]) => req.socket.destroy()]) {
    site.trouble = trouble;
    await validator.validate(secret).catch((err) => {
      errors.push(err);
      log.error({ err }, 'failed');
    });
  }

  expect(errors).toHaveLength(6);
  expect(lines.length).toBeGreaterThan(6);
  for (const word of [secret, own, PASSWORDS.service]) expect(lines.join('')).not.toContain(word);
});
