import { rememberTokens } from '../../../api/middleware/rememberTokens';
import type { TokenValidator } from '../../../driver/clouds/keystone/port';
import type { Identity } from '../../../driver/domain/identity';

const alice: Identity = {
  userId: 'alice',
  projectId: 'p1',
  domainId: null,
  systemScope: null,
  roles: ['member'],
  isAdmin: false,
};

beforeEach(() => {
  jest.useFakeTimers({ now: new Date('2026-01-01T00:00:00Z'), doNotFake: ['setImmediate', 'nextTick'] });
});
afterEach(() => jest.useRealTimers());

/** Time goes on for the test, the validator and the cache. */
function pass(seconds: number): void {
  jest.setSystemTime(Date.now() + seconds * 1000);
}

const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1000);

/** Knows the tokens given, until they end; keeps what it is asked. */
function fakeKeystone(tokens: Record<string, Date>) {
  const asked: string[] = [];
  const validator: TokenValidator = {
    async validate(token, { allowExpired = false } = {}) {
      asked.push(allowExpired ? `${token} expired` : token);
      await new Promise((resolve) => setImmediate(resolve));
      const expiresAt = tokens[token];
      if (!expiresAt || (!allowExpired && expiresAt.getTime() <= Date.now())) return undefined;
      return { identity: alice, expiresAt };
    },
  };
  return { asked, tokens, validator };
}

it('asks once for a token that many requests bring at a time, and remembers it', async () => {
  const { asked, validator } = fakeKeystone({ t: inSeconds(3600) });
  const remembering = rememberTokens(validator, { ttl: 300, maxTokens: 10 });

  await Promise.all(Array.from({ length: 20 }, () => remembering.validate('t')));
  expect(await remembering.validate('t')).toMatchObject({ identity: alice });
  expect(asked).toEqual(['t']);
});

it('goes on with a revoked token until its time is over, and no longer', async () => {
  const { asked, tokens, validator } = fakeKeystone({ t: inSeconds(3600) });
  const remembering = rememberTokens(validator, { ttl: 300, maxTokens: 10 });
  await remembering.validate('t');
  delete tokens['t'];

  pass(299);
  expect(await remembering.validate('t')).toBeDefined();
  pass(2);
  expect(await remembering.validate('t')).toBeUndefined();
  expect(asked).toEqual(['t', 't']);
});

it('refuses a token from the moment it expires, without asking', async () => {
  const { asked, validator } = fakeKeystone({ t: inSeconds(10.5) });
  const remembering = rememberTokens(validator, { ttl: 300, maxTokens: 10 });
  await remembering.validate('t');

  pass(10.4);
  expect(await remembering.validate('t')).toBeDefined();
  pass(0.1);
  expect(await remembering.validate('t')).toBeUndefined();
  expect(asked).toEqual(['t']);
});

it('does not believe a Keystone whose clock is behind', async () => {
  const validate = async () => ({ identity: alice, expiresAt: inSeconds(-1) });

  expect(await rememberTokens({ validate }, { ttl: 300, maxTokens: 10 }).validate('t')).toBeUndefined();
});

it('remembers an expired token for those alone who may bring one', async () => {
  const { asked, validator } = fakeKeystone({ t: inSeconds(-60) });
  const remembering = rememberTokens(validator, { ttl: 300, maxTokens: 10 });

  expect(await remembering.validate('t')).toBeUndefined();
  for (const _ of [1, 2]) expect(await remembering.validate('t', { allowExpired: true })).toBeDefined();
  expect(await remembering.validate('t')).toBeUndefined();
  expect(asked).toEqual(['t', 't expired']);
});

it('remembers an unknown token for some seconds', async () => {
  const { asked, tokens, validator } = fakeKeystone({});
  const remembering = rememberTokens(validator, { ttl: 300, maxTokens: 10 });
  for (const _ of [1, 2]) expect(await remembering.validate('t')).toBeUndefined();
  expect(asked).toEqual(['t']);

  tokens['t'] = inSeconds(3600);
  pass(6);
  expect(await remembering.validate('t')).toBeDefined();
});

it.each([0, -1])('remembers nothing for %s seconds', async (ttl) => {
  const { asked, validator } = fakeKeystone({ t: inSeconds(3600) });
  const remembering = rememberTokens(validator, { ttl, maxTokens: 10 });
  for (const token of ['t', 't', 'x', 'x']) await remembering.validate(token);

  expect(asked).toEqual(['t', 't', 'x', 'x']);
});

it('does not remember that Keystone could not be asked', async () => {
  let up = false;
  const validate = async () => {
    if (!up) throw new Error('down');
    return { identity: alice, expiresAt: inSeconds(60) };
  };
  const remembering = rememberTokens({ validate }, { ttl: 300, maxTokens: 10 });
  const both = await Promise.allSettled([remembering.validate('t'), remembering.validate('t')]);
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);

  up = true;
  expect(await remembering.validate('t')).toBeDefined();
});

it('keeps no more tokens than it may: the oldest give way, and a flood of bad ones drives out none', async () => {
  const tokens = Object.fromEntries(Array.from({ length: 21 }, (_, index) => [`t${index}`, inSeconds(3600)]));
  const { asked, validator } = fakeKeystone(tokens);
  const remembering = rememberTokens(validator, { ttl: 300, maxTokens: 20 });
  for (const token of Object.keys(tokens)) await remembering.validate(token);
  for (let index = 0; index < 100; index += 1) await remembering.validate(`bad${index}`);
  expect(asked).toHaveLength(121);

  for (const token of ['t2', 't20']) await remembering.validate(token);
  expect(asked).toHaveLength(121);
  for (const token of ['t0', 't1']) await remembering.validate(token);
  expect(asked.slice(121)).toEqual(['t0', 't1']);
});
