import type { buildCatalog } from './catalog';
import type { Directory, Domain, Project, Role, User } from './directory';
import type { Scope, Token } from './memory';

/** The `token` object; with an empty catalogue it is left out (`?nocatalog`). */
export function viewToken(token: Token, directory: Directory, catalog: ReturnType<typeof buildCatalog>) {
  const { user, scope, roles } = token;
  return {
    methods: token.methods,
    user: { id: user.id, name: user.name, domain: domainOf(directory, user.domainId), password_expires_at: null },
    audit_ids: token.auditIds,
    issued_at: viewTime(token.issuedAt),
    expires_at: viewTime(token.expiresAt),
    ...viewScope(scope, directory),
    ...(scope === 'unscoped' ? {} : { roles: roles.map(({ id, name }) => ({ id, name })) }),
    ...(scope === 'unscoped' || catalog.length === 0 ? {} : { catalog }),
  };
}

function viewScope(scope: Scope, directory: Directory) {
  if (scope === 'unscoped') return {};
  if (scope === 'system') return { system: { all: true } };
  if ('domain' in scope) return { domain: { id: scope.domain.id, name: scope.domain.name } };
  const { id, name, domainId } = scope.project;
  return { project: { id, name, domain: domainOf(directory, domainId) }, is_domain: false };
}

function domainOf({ domains }: Directory, id: string) {
  return { id, name: domains.find((domain) => domain.id === id)?.name ?? id };
}

/** Keystone writes microseconds. */
function viewTime(at: Date): string {
  return at.toISOString().replace(/(\.\d{3})Z$/, '$1000Z');
}

export function viewDomain({ id, name, description }: Domain) {
  return { id, name, description, enabled: true, tags: [], options: {} };
}

export function viewProject({ id, name, domainId, description }: Project) {
  return {
    id,
    name,
    domain_id: domainId,
    parent_id: domainId,
    description,
    enabled: true,
    is_domain: false,
    tags: [],
    options: {},
  };
}

export function viewUser({ id, name, domainId }: User) {
  return { id, name, domain_id: domainId, enabled: true, password_expires_at: null, options: {} };
}

export function viewRole({ id, name }: Role) {
  return { id, name, domain_id: null, description: null, options: {} };
}
