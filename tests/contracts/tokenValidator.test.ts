import pino from 'pino';
import { createKeystoneFace } from '../../driver/clouds/keystone/face';
import { createKeystoneValidator } from '../../driver/clouds/keystone/http';
import type { EmbeddedKeystone } from '../../driver/clouds/keystone/memory';
import type { TokenValidator } from '../../driver/clouds/keystone/port';
import { listen } from '../support/simulators/barbican';
import { aKeystone, passwordLogin, type UserName } from '../support/simulators/keystone';
import { keystoneSettings } from '../support/simulators/keystoneSettings';
import { describeTokenValidator, type Scope, type TokenOwner, type TokenTwin } from './tokenValidatorSuite';

interface Opened {
  readonly validator: TokenValidator;
  readonly keystone: EmbeddedKeystone;
  close(): Promise<void>;
}

interface Clock {
  now: Date;
}

interface Twin {
  readonly name: string;
  /** The validator and the Keystone behind it, which both go by the clock. */
  readonly open: (clock: Clock) => Promise<Opened>;
}

/** Every implementation of the port. */
const TWINS: readonly Twin[] = [
  {
    name: 'memory',
    open: async (clock) => {
      const keystone = aKeystone({ now: () => clock.now, tokenLifetime: 3600 });
      return { validator: keystone, keystone, close: async () => undefined };
    },
  },
  {
    name: 'http',
    open: async (clock) => {
      const log = pino({ level: 'silent' });
      const keystone = aKeystone({ now: () => clock.now, tokenLifetime: 3600 });
      const server = await listen(createKeystoneFace({ keystone, services: () => [], log }));
      const validator = createKeystoneValidator(keystoneSettings(server.url), { log, now: () => clock.now });
      return {
        validator,
        keystone,
        async close() {
          await validator.close();
          await server.close();
        },
      };
    },
  },
];

const NEW_YEAR = '2026-01-01T00:00:00.000Z';

const idOf = (keystone: EmbeddedKeystone, kind: 'users' | 'projects', wanted: string): string =>
  keystone.directory[kind].find(({ name }) => name === wanted)?.id ?? '';

function ownerIn(keystone: EmbeddedKeystone, user: UserName): TokenOwner {
  const login = async (scope: Scope): Promise<string> => {
    if ('project' in scope) return keystone.authenticate(passwordLogin(user, scope.project).auth).id;
    return keystone.authenticate({ ...passwordLogin(user).auth, scope }).id;
  };
  return { userId: idOf(keystone, 'users', user), login };
}

for (const { name, open } of TWINS) {
  const twin: TokenTwin = {
    name,
    open: async () => {
      const { validator, keystone, close } = await open({ now: new Date(NEW_YEAR) });
      return {
        validator,
        member: { ...ownerIn(keystone, 'member'), projectId: idOf(keystone, 'projects', 'demo') },
        admin: ownerIn(keystone, 'admin'),
        revoke: async (token) => keystone.revokeToken(token),
        close,
      };
    },
  };
  describeTokenValidator(twin);
}

// A Keystone whose clock can be set: the lab's cannot.
describe.each(TWINS)('a token validator at the end of a token ($name)', ({ open }) => {
  const clock: Clock = { now: new Date(NEW_YEAR) };
  let opened: Opened;
  beforeEach(async () => {
    clock.now = new Date(NEW_YEAR);
    opened = await open(clock);
  });
  afterEach(() => opened.close());

  const login = (): Promise<string> => ownerIn(opened.keystone, 'reader').login({ project: 'demo' });

  it('refuses a token from the moment it expires', async () => {
    const token = await login();

    clock.now = new Date('2026-01-01T00:59:59Z');
    expect((await opened.validator.validate(token))?.expiresAt).toEqual(new Date('2026-01-01T01:00:00Z'));
    clock.now = new Date('2026-01-01T01:00:00Z');
    expect(await opened.validator.validate(token)).toBeUndefined();
  });

  it('takes an expired token where that is asked for, for two days', async () => {
    const [token, revoked] = [await login(), await login()];
    opened.keystone.revokeToken(revoked);

    clock.now = new Date('2026-01-03T00:59:59Z');
    const valid = await opened.validator.validate(token, { allowExpired: true });
    expect(valid?.identity.userId).toBe(idOf(opened.keystone, 'users', 'reader'));
    expect(valid?.expiresAt).toEqual(new Date('2026-01-01T01:00:00Z'));
    expect(await opened.validator.validate(token)).toBeUndefined();
    expect(await opened.validator.validate(revoked, { allowExpired: true })).toBeUndefined();
    clock.now = new Date('2026-01-03T01:00:00Z');
    expect(await opened.validator.validate(token, { allowExpired: true })).toBeUndefined();
  });
});
