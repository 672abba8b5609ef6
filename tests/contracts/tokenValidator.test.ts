import pino from 'pino';
import { createKeystoneFace } from '../../driver/clouds/keystone/face';
import { createKeystoneValidator } from '../../driver/clouds/keystone/http';
import type { EmbeddedKeystone } from '../../driver/clouds/keystone/memory';
import type { TokenValidator } from '../../driver/clouds/keystone/port';
import { listen } from '../support/simulators/barbican';
import { aKeystone, passwordLogin, type UserName } from '../support/simulators/keystone';
import { keystoneSettings } from '../support/simulators/keystoneSettings';

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

describe.each(TWINS)('a token validator ($name)', ({ open }) => {
  const clock: Clock = { now: new Date(NEW_YEAR) };
  let opened: Opened;
  beforeEach(async () => {
    clock.now = new Date(NEW_YEAR);
    opened = await open(clock);
  });
  afterEach(() => opened.close());

  const login = (user: UserName, project?: string, scope?: object): string => {
    const { auth } = passwordLogin(user, project);
    return opened.keystone.authenticate({ ...auth, ...(scope && { scope }) }).id;
  };
  const idOf = (kind: 'users' | 'projects', wanted: string) =>
    opened.keystone.directory[kind].find(({ name }) => name === wanted)?.id;

  it('tells the identity behind a token, with the roles that the assigned ones imply', async () => {
    const valid = await opened.validator.validate(login('member', 'demo'));

    expect({ ...valid?.identity, roles: [...(valid?.identity.roles ?? [])].sort() }).toEqual({
      userId: idOf('users', 'member'),
      projectId: idOf('projects', 'demo'),
      domainId: null,
      systemScope: null,
      roles: ['load-balancer_member', 'member', 'reader'],
      isAdmin: false,
    });
    expect(valid?.expiresAt).toEqual(new Date('2026-01-01T01:00:00Z'));
  });

  it.each([
    ['the system', { system: { all: true as const } }, { systemScope: 'all', projectId: null, domainId: null }],
    ['a domain', { domain: { name: 'Default' } }, { systemScope: null, projectId: null, domainId: 'default' }],
    ['nothing', { unscoped: {} }, { systemScope: null, projectId: null, domainId: null, roles: [] }],
  ])('tells a token for %s', async (_what, scope, identity) => {
    const valid = await opened.validator.validate(login('admin', undefined, scope));

    expect(valid?.identity).toMatchObject({ userId: idOf('users', 'admin'), isAdmin: false, ...identity });
  });

  it('knows nothing of an invented, an empty, an endless and a revoked token', async () => {
    const token = login('admin', 'admin');
    opened.keystone.revokeToken(token);

    for (const bad of ['gAAAAA-invented', '', 'two words', 'grün', 'x'.repeat(10_000), token]) {
      await expect(opened.validator.validate(bad)).resolves.toBeUndefined();
    }
  });

  it('refuses a token from the moment it expires', async () => {
    const token = login('reader', 'demo');

    clock.now = new Date('2026-01-01T00:59:59Z');
    expect(await opened.validator.validate(token)).toBeDefined();
    clock.now = new Date('2026-01-01T01:00:00Z');
    expect(await opened.validator.validate(token)).toBeUndefined();
  });

  it('takes an expired token where that is asked for, for two days', async () => {
    const token = login('reader', 'demo');
    const revoked = login('reader', 'demo');
    opened.keystone.revokeToken(revoked);

    clock.now = new Date('2026-01-03T00:59:59Z');
    const valid = await opened.validator.validate(token, { allowExpired: true });
    expect(valid?.identity.userId).toBe(idOf('users', 'reader'));
    expect(valid?.expiresAt).toEqual(new Date('2026-01-01T01:00:00Z'));
    expect(await opened.validator.validate(token)).toBeUndefined();
    expect(await opened.validator.validate(revoked, { allowExpired: true })).toBeUndefined();
    clock.now = new Date('2026-01-03T01:00:00Z');
    expect(await opened.validator.validate(token, { allowExpired: true })).toBeUndefined();
  });
});
