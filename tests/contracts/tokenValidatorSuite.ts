import type { TokenValidator } from '../../driver/clouds/keystone/port';

/** What a token is asked for; each is one of those that Keystone's own API takes. */
export type Scope =
  | { readonly project: string }
  | { readonly system: { readonly all: true } }
  | { readonly domain: { readonly name: string } }
  | { readonly unscoped: Record<string, never> };

/** Somebody the Keystone knows. */
export interface TokenOwner {
  readonly userId: string;
  /** A token of theirs. */
  login(scope: Scope): Promise<string>;
}

/** A validator, and who asks for tokens at the Keystone behind it. */
export interface TokenSite {
  readonly validator: TokenValidator;
  /** Has nothing but a role in the project `demo`. */
  readonly member: TokenOwner & { readonly projectId: string };
  /** An administrator of the domain `Default` and of the system. */
  readonly admin: TokenOwner;
  revoke(token: string): Promise<void>;
  close(): Promise<void>;
}

/** One implementation of the port. */
export interface TokenTwin {
  readonly name: string;
  readonly open: () => Promise<TokenSite>;
}

const DEMO: Scope = { project: 'demo' };

/** What every implementation does. */
export function describeTokenValidator({ name, open }: TokenTwin): void {
  describe(`a token validator (${name})`, () => {
    let site: TokenSite;
    beforeEach(async () => {
      site = await open();
    });
    afterEach(() => site.close());

    it('tells the identity behind a token, with the roles that the assigned ones imply', async () => {
      const { validator, member } = site;
      const valid = await validator.validate(await member.login(DEMO));

      const { roles, ...identity } = valid?.identity ?? { roles: [] };
      expect(identity).toEqual({
        userId: member.userId,
        projectId: member.projectId,
        domainId: null,
        systemScope: null,
        isAdmin: false,
      });
      expect(roles).toEqual(expect.arrayContaining(['load-balancer_member', 'member', 'reader']));
      expect(roles).not.toContain('admin');
    });

    it.each<[string, Scope, object]>([
      ['the system', { system: { all: true } }, { systemScope: 'all', projectId: null, domainId: null }],
      ['a domain', { domain: { name: 'Default' } }, { systemScope: null, projectId: null, domainId: 'default' }],
      ['nothing', { unscoped: {} }, { systemScope: null, projectId: null, domainId: null, roles: [] }],
    ])('tells a token for %s', async (_what, scope, identity) => {
      const { validator, admin } = site;
      const valid = await validator.validate(await admin.login(scope));

      expect(valid?.identity).toMatchObject({ userId: admin.userId, isAdmin: false, ...identity });
    });

    it('knows nothing of an invented, an empty, an endless and a revoked token', async () => {
      const { validator, member } = site;
      const token = await member.login(DEMO);
      expect(await validator.validate(token)).toBeDefined();
      await site.revoke(token);

      for (const bad of ['gAAAAA-invented', '', 'two words', 'grün', 'x'.repeat(10_000), token]) {
        await expect(validator.validate(bad)).resolves.toBeUndefined();
      }
      expect(await validator.validate(token, { allowExpired: true })).toBeUndefined();
    });

    it('tells when a token ends, which is the same each time', async () => {
      const { validator, member } = site;
      const token = await member.login(DEMO);
      const [one, other] = [await validator.validate(token), await validator.validate(token, { allowExpired: true })];

      expect(one?.expiresAt).toBeInstanceOf(Date);
      expect(other?.expiresAt).toEqual(one?.expiresAt);
    });
  });
}
