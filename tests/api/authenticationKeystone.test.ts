import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { RunningProcess } from '../../driver/domain/process';
import { issueToken, passwordLogin, type UserName } from '../support/simulators/keystone';
import { keystoneSection } from '../support/simulators/keystoneSettings';
import { type KeystoneSite, startKeystone } from '../support/simulators/keystoneSite';
import { startStandaloneApi } from '../support/standaloneApi';
import { waitUntil } from '../support/wait';

const AWAY = 'The Keystone service is temporarily unavailable.';
const SUBNET = '5ca1ab1e-0000-4000-8000-000000000001';

/** Hours that the clock of the Keystone is behind. */
let hoursBehind = 0;
let folder: string;
let keystone: KeystoneSite;
let api: RunningProcess;

async function startApi(...lines: readonly string[]): Promise<void> {
  api = await startStandaloneApi(folder, keystoneSection(keystone.url, ...lines));
}

beforeEach(async () => {
  hoursBehind = 0;
  folder = mkdtempSync(path.join(tmpdir(), 'ss-api-'));
  keystone = await startKeystone({
    mount: '/identity',
    keystone: { now: () => new Date(Date.now() - hoursBehind * 3_600_000), tokenLifetime: 3600 },
  });
});
afterEach(async () => {
  await api.close();
  await keystone.stop();
  rmSync(folder, { recursive: true });
});

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly body: any;
}

async function ask(headers: Record<string, string>, create?: object): Promise<Answer> {
  const answer = await fetch(`${api.url}/v2/lbaas/loadbalancers`, {
    headers: { 'content-type': 'application/json', ...headers },
    ...(create && { method: 'POST', body: JSON.stringify({ loadbalancer: create }) }),
  });
  return { status: answer.status, headers: answer.headers, body: await answer.json() };
}

const tokenOf = (user: UserName, project = 'demo') => issueToken(keystone.keystone, user, project);
const listWith = async (token: string) => (await ask({ 'x-auth-token': token })).status;
const projectId = (wanted: string) => keystone.keystone.directory.projects.find(({ name }) => name === wanted)?.id;

it('lets each caller do what the roles of the token allow, in the project of the token', async () => {
  await startApi();
  const [admin, member, reader] = [tokenOf('admin', 'admin'), tokenOf('member'), tokenOf('reader')];
  const lb = { name: 'web', vip_subnet_id: SUBNET, vip_address: '10.0.0.5' };

  const created = await ask({ 'x-auth-token': member }, lb);
  expect([created.status, created.body.loadbalancer?.project_id]).toEqual([201, projectId('demo')]);
  expect((await ask({ 'x-auth-token': reader }, lb)).body.faultstring).toBe(
    'Policy does not allow this request to be performed.',
  );
  const foreign = await ask({ 'x-auth-token': admin }, { ...lb, project_id: projectId('service') });
  expect([foreign.status, foreign.body.loadbalancer?.project_id]).toEqual([201, projectId('service')]);

  for (const [token, seen] of [
    [admin, 2],
    [member, 1],
    [reader, 1],
  ] as const) {
    expect((await ask({ 'x-auth-token': token })).body.loadbalancers).toHaveLength(seen);
  }
  const unscoped = keystone.keystone.authenticate(passwordLogin('member').auth).id;
  expect(await listWith(unscoped)).toBe(403);
});

it('sends those without a good token to Keystone', async () => {
  await startApi('www_authenticate_uri = http://keystone.example.org:5000');

  for (const headers of [{}, { 'x-auth-token': 'gAAAA' }]) {
    const { status, body, headers: sent } = await ask(headers);
    expect([status, body.error.title, sent.get('www-authenticate')]).toEqual([
      401,
      'Unauthorized',
      'Keystone uri="http://keystone.example.org:5000"',
    ]);
  }
});

it('asks Keystone once for a token in use, and goes on with a revoked one for token_cache_time', async () => {
  await startApi('token_cache_time = 4');
  const token = tokenOf('member');
  await Promise.all(Array.from({ length: 10 }, () => listWith(token)));
  keystone.keystone.revokeToken(token);

  expect([await listWith(token), keystone.questions().length]).toEqual([200, 1]);
  await waitUntil('the revoked token is refused', 20_000, async () => (await listWith(token)) === 401);
});

it('takes an expired token from a service that brings its own', async () => {
  await startApi();
  hoursBehind = 2;
  const expired = tokenOf('member');
  hoursBehind = 0;
  const service = tokenOf('slipstream', 'service');

  expect(await listWith(expired)).toBe(401);
  expect((await ask({ 'x-auth-token': expired, 'x-service-token': service })).status).toBe(200);
  expect((await ask({ 'x-auth-token': expired, 'x-service-token': tokenOf('reader') })).status).toBe(401);
  expect((await ask({ 'x-auth-token': tokenOf('member'), 'x-service-token': 'gAAAA' })).status).toBe(401);
});

it('serves known callers while Keystone is away, and all of them when it is back with nothing remembered', async () => {
  await startApi();
  const known = tokenOf('member');
  expect(await listWith(known)).toBe(200);
  await keystone.stop();

  expect(await listWith(known)).toBe(200);
  const { status, body } = await ask({ 'x-auth-token': 'another' });
  expect([status, body.faultstring]).toEqual([503, AWAY]);

  await keystone.restart();
  const fresh = tokenOf('member');
  await waitUntil('Keystone is asked again', 40_000, async () => (await listWith(fresh)) === 200);
  expect(await listWith('another')).toBe(401);
});

it('does not wait for a slow Keystone longer than told', async () => {
  await startApi('http_connect_timeout = 0.5');
  const known = tokenOf('member');
  expect(await listWith(known)).toBe(200);
  keystone.trouble = () => 'silence';

  const { status, body } = await ask({ 'x-auth-token': 'another' });
  expect([status, body.faultstring]).toEqual([503, AWAY]);
  expect(await listWith(known)).toBe(200);
});

it('starts while Keystone is away', async () => {
  await keystone.stop();
  await startApi();

  expect(await listWith('early')).toBe(503);
  await keystone.restart();
  const token = tokenOf('member');
  await waitUntil('Keystone is asked', 40_000, async () => (await listWith(token)) === 200);
});
