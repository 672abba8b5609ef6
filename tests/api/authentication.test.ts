import { pino } from 'pino';
import { runApi } from '../../api/main';
import { keystoneIdentity, noauthIdentity } from '../../api/middleware/authenticate';
import { createMemoryBus } from '../../driver/bus/memory';
import type { TokenValidator, ValidateOptions } from '../../driver/clouds/keystone/port';
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
const heat: Identity = { ...alice, userId: 'heat', roles: ['service'] };
const AN_HOUR = 3_600_000;

/** Knows the token `alice`, her `expired` one, and that of the service `heat`; keeps what it is asked. */
function aValidator() {
  const asked: [string, ValidateOptions | undefined][] = [];
  const validator: TokenValidator = {
    async validate(token, options) {
      asked.push([token, options]);
      if (token === 'expired' && options?.allowExpired) return { identity: alice, expiresAt: new Date(0) };
      const identity = { alice, heat }[token];
      return identity && { identity, expiresAt: new Date(Date.now() + AN_HOUR) };
    },
  };
  return { asked, validator };
}

describe('with Keystone', () => {
  it('takes X-Auth-Token, or the older X-Storage-Token, without the blanks around it', async () => {
    const identify = keystoneIdentity(aValidator().validator);

    await expect(identify({ 'x-auth-token': 'alice' })).resolves.toEqual(alice);
    await expect(identify({ 'x-auth-token': ' alice\t' })).resolves.toEqual(alice);
    await expect(identify({ 'x-storage-token': 'alice' })).resolves.toEqual(alice);
    await expect(identify({ 'x-auth-token': 'heat', 'x-storage-token': 'alice' })).resolves.toEqual(heat);
    for (const headers of [{ 'x-auth-token': 'other' }, { 'x-auth-token': '' }, {}]) {
      await expect(identify(headers)).rejects.toMatchObject({ status: 401 });
    }
  });

  it('takes the expired token of a user beside the token of a service', async () => {
    const { asked, validator } = aValidator();
    const identify = keystoneIdentity(validator, { roles: ['Service'], required: false });

    await expect(identify({ 'x-auth-token': 'expired' })).rejects.toMatchObject({ status: 401 });
    await expect(identify({ 'x-auth-token': 'expired', 'x-service-token': 'heat' })).resolves.toEqual(alice);
    await expect(identify({ 'x-auth-token': 'expired', 'x-service-token': '' })).rejects.toMatchObject({ status: 401 });
    await expect(identify({ 'x-service-token': 'heat' })).rejects.toMatchObject({ status: 401 });
    expect(asked).toContainEqual(['expired', { allowExpired: true }]);
  });

  it('refuses a good token of a user beside a bad one of a service', async () => {
    const identify = keystoneIdentity(aValidator().validator);

    const headers = { 'x-auth-token': 'alice', 'x-service-token': 'unknown' };
    await expect(identify(headers)).rejects.toMatchObject({ status: 401 });
    await expect(identify({ ...headers, 'x-service-token': 'expired' })).rejects.toMatchObject({ status: 401 });
  });

  it('takes any good token for that of a service, which then allows nothing, unless roles are required', async () => {
    const headers = { 'x-auth-token': 'alice', 'x-service-token': 'alice' };
    const lenient = keystoneIdentity(aValidator().validator);
    const strict = keystoneIdentity(aValidator().validator, { roles: ['service'], required: true });

    await expect(lenient(headers)).resolves.toEqual(alice);
    await expect(lenient({ ...headers, 'x-auth-token': 'expired' })).rejects.toMatchObject({ status: 401 });
    await expect(strict(headers)).rejects.toMatchObject({ status: 401 });
    await expect(strict({ ...headers, 'x-service-token': 'heat' })).resolves.toEqual(alice);
  });

  it('answers 401 in the middleware’s own shape, without a request id', async () => {
    const { validator } = aValidator();
    const api = await startTestApi({
      authenticate: keystoneIdentity(validator),
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
    expect((await api.get('/v2/lbaas/loadbalancers', { 'x-auth-token': 'alice' })).status).toBe(200);
    await api.close();
  });

  it('answers 503 while Keystone is away', async () => {
    const validate = () => Promise.reject(new UnavailableError('The Keystone service is temporarily unavailable.'));
    const api = await startTestApi({ authenticate: keystoneIdentity({ validate }) });
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
