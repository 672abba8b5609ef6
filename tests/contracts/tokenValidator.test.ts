import type { TokenValidator } from '../../driver/clouds/keystone/port';
import { aKeystone, issueToken, type UserName } from '../support/simulators/keystone';

interface Twin {
  readonly name: string;
  /** The validator and the Keystone behind it, whose clock shows `clock.now`. */
  readonly open: (clock: { now: Date }) => {
    validator: TokenValidator;
    login: (user: UserName, project: string) => Promise<string>;
    revoke: (token: string) => Promise<void>;
  };
}

/** Every implementation of the port; a twin over HTTP joins by one more entry. */
const TWINS: readonly Twin[] = [
  {
    name: 'memory',
    open: (clock) => {
      const keystone = aKeystone({ now: () => clock.now, tokenLifetime: 3600 });
      return {
        validator: keystone,
        login: async (user, project) => issueToken(keystone, user, project),
        revoke: async (token) => keystone.revokeToken(token),
      };
    },
  },
];

describe.each(TWINS)('a token validator ($name)', ({ open }) => {
  it('tells the identity behind a token, with the roles that the assigned ones imply', async () => {
    const { validator, login } = open({ now: new Date('2026-01-01T00:00:00Z') });

    const valid = await validator.validate(await login('member', 'demo'));

    expect(valid?.identity).toMatchObject({ domainId: null, systemScope: null, isAdmin: false });
    expect([...(valid?.identity.roles ?? [])].sort()).toEqual(['load-balancer_member', 'member', 'reader']);
    expect(valid?.identity.projectId).toMatch(/^[0-9a-f]{32}$/);
    expect(valid?.expiresAt).toEqual(new Date('2026-01-01T01:00:00Z'));
  });

  it('knows nothing of an invented, an empty and a revoked token', async () => {
    const { validator, login, revoke } = open({ now: new Date() });
    const token = await login('admin', 'admin');
    await revoke(token);

    await expect(validator.validate('gAAAAA-invented')).resolves.toBeUndefined();
    await expect(validator.validate('')).resolves.toBeUndefined();
    await expect(validator.validate(token)).resolves.toBeUndefined();
  });

  it('refuses a token from the moment it expires', async () => {
    const clock = { now: new Date('2026-01-01T00:00:00Z') };
    const { validator, login } = open(clock);
    const token = await login('reader', 'demo');

    clock.now = new Date('2026-01-01T00:59:59Z');
    expect(await validator.validate(token)).toBeDefined();
    clock.now = new Date('2026-01-01T01:00:00Z');
    expect(await validator.validate(token)).toBeUndefined();
  });
});
