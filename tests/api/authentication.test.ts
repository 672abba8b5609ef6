import { pino } from 'pino';
import { runApi } from '../../api/main';
import { keystoneIdentity, noauthIdentity } from '../../api/middleware/authenticate';
import { createMemoryBus } from '../../driver/bus/memory';
import type { TokenValidator } from '../../driver/clouds/keystone/port';
import { createNoopNetwork } from '../../driver/clouds/network/noop';
import { configFromText } from '../../driver/config/config';
import { UnavailableError } from '../../driver/domain/errors';
import type { Identity } from '../../driver/domain/identity';
import { startTestApi } from '../support/api';
import { openTestDatabase } from '../support/database';

const alice: Identity = {
  userId: 'alice',
  projectId: 'p1',
  domainId: null,
  systemScope: null,
  roles: ['member'],
  isAdmin: false,
};

/** A Keystone that knows the tokens given, and counts how often it is asked. */
function fakeKeystone(tokens: Record<string, Date>) {
  const asked: string[] = [];
  const validator: TokenValidator = {
    validate: async (token) => {
      asked.push(token);
      await new Promise((resolve) => setImmediate(resolve));
      const expiresAt = tokens[token];
      return expiresAt && { identity: alice, expiresAt };
    },
  };
  return { asked, validator };
}

const later = (seconds: number) => new Date(Date.now() + seconds * 1000);

describe('with Keystone', () => {
  it('takes X-Auth-Token, or the older X-Storage-Token', async () => {
    const identify = keystoneIdentity(fakeKeystone({ t: later(60) }).validator, { ttl: 300, maxTokens: 10 });

    await expect(identify({ 'x-auth-token': 't' })).resolves.toEqual(alice);
    await expect(identify({ 'x-storage-token': 't' })).resolves.toEqual(alice);
    await expect(identify({ 'x-auth-token': 'other' })).rejects.toMatchObject({ status: 401 });
    await expect(identify({})).rejects.toMatchObject({ status: 401 });
  });

  it('asks once for a token that many requests bring at a time, and remembers it', async () => {
    const { asked, validator } = fakeKeystone({ t: later(60) });
    const identify = keystoneIdentity(validator, { ttl: 300, maxTokens: 10 });

    await Promise.all(Array.from({ length: 20 }, () => identify({ 'x-auth-token': 't' })));
    await identify({ 'x-auth-token': 't' });
    expect(asked).toEqual(['t']);
  });

  it('does not remember tokens about to expire, nor unknown ones', async () => {
    const { asked, validator } = fakeKeystone({ t: later(0.5) });
    const identify = keystoneIdentity(validator, { ttl: 300, maxTokens: 10 });
    for (const token of ['t', 't', 'x', 'x']) await identify({ 'x-auth-token': token }).catch(() => undefined);

    expect(asked).toEqual(['t', 't', 'x', 'x']);
  });

  it('keeps no more tokens than it may', async () => {
    const tokens = Object.fromEntries(Array.from({ length: 25 }, (_, index) => [`t${index}`, later(60)]));
    const { asked, validator } = fakeKeystone(tokens);
    const identify = keystoneIdentity(validator, { ttl: 300, maxTokens: 10 });
    for (const token of Object.keys(tokens)) await identify({ 'x-auth-token': token });
    await identify({ 'x-auth-token': 't24' });

    expect(asked).toHaveLength(25);
    await identify({ 'x-auth-token': 't0' });
    expect(asked).toHaveLength(26);
  });

  it('answers 401 in the middleware’s own shape, without a request id', async () => {
    const { validator } = fakeKeystone({ t: later(60) });
    const api = await startTestApi({
      authenticate: keystoneIdentity(validator, { ttl: 300, maxTokens: 10 }),
      edge: { authUri: 'http://keystone:5000' },
    });
    const answer = await api.get('/v2/lbaas/loadbalancers');

    expect([answer.status, answer.body]).toEqual([
      401,
      { error: { code: 401, title: 'Unauthorized', message: 'The request you have made requires authentication.' } },
    ]);
    expect(answer.headers.get('www-authenticate')).toBe('Keystone uri="http://keystone:5000"');
    expect(answer.headers.get('x-openstack-request-id')).toBeNull();
    expect((await api.get('/v2')).status).toBe(401);
    expect((await api.get('/v2/lbaas/nothing')).status).toBe(401);
    for (const path of ['/', '/load-balancer/', '/healthcheck']) expect((await api.get(path)).status).toBe(200);
    expect((await api.get('/v2/lbaas/loadbalancers', { 'x-auth-token': 't' })).status).toBe(200);
    await api.close();
  });

  it('answers 503 while Keystone is away', async () => {
    const validate = () => Promise.reject(new UnavailableError('The Keystone service is temporarily unavailable.'));
    const api = await startTestApi({ authenticate: keystoneIdentity({ validate }, { ttl: 300, maxTokens: 10 }) });
    const answer = await api.get('/v2', { 'x-auth-token': 't' });

    expect([answer.status, answer.body.faultstring]).toEqual([503, 'The Keystone service is temporarily unavailable.']);
    await api.close();
  });
});

describe('with noauth', () => {
  it('believes the headers', async () => {
    const headers = { 'x-project-id': 'p', 'x-user-id': 'u', 'x-roles': 'Member, reader' };

    await expect(noauthIdentity(headers)).resolves.toMatchObject({
      projectId: 'p',
      userId: 'u',
      roles: ['member', 'reader'],
      isAdmin: false,
    });
    await expect(noauthIdentity({})).resolves.toMatchObject({ projectId: null, isAdmin: true });
  });

  it('listens on loopback alone unless told otherwise', async () => {
    const db = await openTestDatabase();
    const log = pino({ level: 'silent' });
    const run = (lines: string) => {
      const config = configFromText(`[api_settings]\nauth_strategy = noauth\nbind_port = 0\n${lines}`);
      return runApi({ config, db, log, bus: createMemoryBus({ log }), network: createNoopNetwork() });
    };

    await expect(run('bind_host = 0.0.0.0\n')).rejects.toThrow('listens on loopback only, not on 0.0.0.0');
    const open = await run('bind_host = 0.0.0.0\nnoauth_allow_remote = true\n');
    const local = await run('bind_host = ::1\n');
    expect(open.url).toMatch(/^http:\/\/0\.0\.0\.0:\d+$/);
    expect((await fetch(`${local.url}/v2`)).status).toBe(200);
    await Promise.all([open.close(), local.close()]);
    await db.destroy();
  });
});
