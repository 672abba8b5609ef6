import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Identity } from '../../domain/identity';
import type { AuthRequest, Reference, ScopedReference } from './authRequest';
import { type Directory, type Domain, type Project, type Role, type User, withImpliedRoles } from './directory';
import { KeystoneError, unauthorized } from './errors';
import type { TokenValidator, ValidateOptions } from './port';

/** What a token is good for. */
export type Scope = { readonly project: Project } | { readonly domain: Domain } | 'system' | 'unscoped';

export interface Token {
  /** Opaque and random: nothing can be read from it. */
  readonly id: string;
  readonly user: User;
  readonly scope: Scope;
  /** Implied ones included. */
  readonly roles: readonly Role[];
  readonly methods: readonly string[];
  readonly auditIds: readonly string[];
  readonly issuedAt: Date;
  readonly expiresAt: Date;
}

/** The embedded Keystone: a fixed directory and the tokens issued since the start of the process. */
export interface EmbeddedKeystone extends TokenValidator {
  readonly directory: Directory;
  /** @throws KeystoneError 401 whatever is wrong with the credentials or the scope */
  authenticate(request: AuthRequest): Token;
  /** The token while it holds; asked for expired ones, also for two days after. */
  findToken(id: string, options?: ValidateOptions): Token | undefined;
  revokeToken(id: string): void;
  /** Projects the user has a role on. */
  listProjectsOf(userId: string): readonly Project[];
}

export interface KeystoneDeps {
  readonly directory: Directory;
  readonly now?: () => Date;
  readonly newTokenId?: () => string;
  /** Seconds; 8 hours by default. */
  readonly tokenLifetime?: number;
  /** How many tokens are remembered; the oldest one gives way. */
  readonly maxTokens?: number;
}

/** Milliseconds; Keystone's default `allow_expired_window`. */
const EXPIRED_WINDOW = 48 * 3600 * 1000;

const randomId = (): string => randomBytes(24).toString('base64url');

export function createEmbeddedKeystone(deps: KeystoneDeps): EmbeddedKeystone {
  const {
    directory,
    now = () => new Date(),
    newTokenId = randomId,
    tokenLifetime = 8 * 3600,
    maxTokens = 10_000,
  } = deps;
  const tokens = new Map<string, Token>();

  const findToken = (id: string, { allowExpired = false }: ValidateOptions = {}): Token | undefined => {
    const token = tokens.get(id);
    if (!token) return undefined;
    const age = now().getTime() - token.expiresAt.getTime();
    if (age >= EXPIRED_WINDOW) tokens.delete(id);
    return age < (allowExpired ? EXPIRED_WINDOW : 0) ? token : undefined;
  };
  const remember = (token: Token): Token => {
    tokens.set(token.id, token);
    const [oldest] = tokens.keys();
    if (tokens.size > maxTokens && oldest !== undefined) tokens.delete(oldest);
    return token;
  };

  return {
    directory,
    findToken,
    revokeToken: (id) => void tokens.delete(id),
    listProjectsOf: (userId) =>
      directory.projects.filter((project) => rolesOn(directory, userId, { project }).length > 0),
    authenticate(request) {
      const { user, parent } = identify(directory, request, findToken);
      const scope = resolveScope(directory, request.scope);
      const roles = rolesOn(directory, user.id, scope);
      if (scope !== 'unscoped' && roles.length === 0) throw unauthorized();
      const issuedAt = now();
      return remember({
        id: newTokenId(),
        user,
        scope,
        roles,
        methods: [...new Set([...request.identity.methods, ...(parent?.methods ?? [])])],
        auditIds: [randomBytes(16).toString('base64url'), ...(parent?.auditIds.slice(-1) ?? [])],
        issuedAt,
        expiresAt: parent?.expiresAt ?? new Date(issuedAt.getTime() + tokenLifetime * 1000),
      });
    },
    async validate(id, options) {
      const token = findToken(id, options);
      return token && { identity: identityOf(token), expiresAt: token.expiresAt };
    },
  };
}

function identityOf({ user, scope, roles }: Token): Identity {
  return {
    userId: user.id,
    projectId: typeof scope === 'object' && 'project' in scope ? scope.project.id : null,
    domainId: typeof scope === 'object' && 'domain' in scope ? scope.domain.id : null,
    systemScope: scope === 'system' ? 'all' : null,
    roles: roles.map(({ name }) => name.toLowerCase()),
    isAdmin: false,
  };
}

function identify(
  directory: Directory,
  { identity }: AuthRequest,
  findToken: (id: string) => Token | undefined,
): { user: User; parent?: Token } {
  for (const method of identity.methods) {
    if (method !== 'password' && method !== 'token') throw unauthorized();
    if (!identity[method]) throw new KeystoneError(400, `Expecting to find ${method} in identity.`);
  }
  const users = new Set<User>();
  const parent = identity.methods.includes('token') ? findToken(identity.token?.id ?? '') : undefined;
  if (identity.methods.includes('token')) users.add(parent?.user ?? refuse());
  if (identity.password && identity.methods.includes('password')) {
    const { password, ...reference } = identity.password.user;
    const user = findScoped(directory, directory.users, reference);
    if (!user || !isSame(user.password, password)) throw unauthorized();
    users.add(user);
  }
  const [user] = users;
  if (!user || users.size !== 1) throw unauthorized();
  return parent ? { user, parent } : { user };
}

function refuse(): never {
  throw unauthorized();
}

function resolveScope(directory: Directory, scope: AuthRequest['scope']): Scope {
  if (scope === undefined || scope === 'unscoped' || scope.unscoped) return 'unscoped';
  if (scope.system) return 'system';
  if (scope.domain) return { domain: findDomain(directory, scope.domain) ?? refuse() };
  if (scope.project) return { project: findScoped(directory, directory.projects, scope.project) ?? refuse() };
  throw new KeystoneError(400, 'Expecting to find project, domain, system or unscoped in scope.');
}

function rolesOn(directory: Directory, userId: string, scope: Scope): readonly Role[] {
  const direct = directory.assignments.filter(
    ({ userId: holder, target }) => holder === userId && isTarget(target, scope),
  );
  const names = withImpliedRoles(direct.map(({ role }) => role));
  return directory.roles.filter(({ name }) => names.includes(name));
}

function isTarget(target: Directory['assignments'][number]['target'], scope: Scope): boolean {
  if (target === 'all' || typeof scope === 'string') return target === 'all' && scope === 'system';
  if ('project' in target) return 'project' in scope && scope.project.id === target.project;
  return 'domain' in scope && scope.domain.id === target.domain;
}

/** Names of domains ignore case, as they do on a Keystone over MySQL: clients are set up with "default" as often as "Default". */
function findDomain({ domains }: Directory, { id, name }: Reference): Domain | undefined {
  if (id !== undefined) return domains.find((domain) => domain.id === id);
  return domains.find((domain) => domain.name.toLowerCase() === name?.toLowerCase());
}

function findScoped<T extends User | Project>(
  directory: Directory,
  rows: readonly T[],
  { id, name, domain }: ScopedReference,
): T | undefined {
  if (id !== undefined) return rows.find((row) => row.id === id);
  const domainId = domain && findDomain(directory, domain)?.id;
  return rows.find((row) => row.name === name && row.domainId === domainId);
}

/** Compares in constant time, so that a password cannot be guessed digit by digit. */
function isSame(expected: string, given: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(expected), digest(given));
}
