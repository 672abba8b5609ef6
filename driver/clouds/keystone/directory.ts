import { createHash } from 'node:crypto';

/** Who exists in the embedded Keystone, and who may do what where. Nothing of it changes while the site runs. */
export interface Directory {
  readonly domains: readonly Domain[];
  readonly projects: readonly Project[];
  readonly users: readonly User[];
  readonly roles: readonly Role[];
  readonly assignments: readonly Assignment[];
}

export interface Domain {
  readonly id: string;
  readonly name: string;
  readonly description: string;
}

export interface Project {
  readonly id: string;
  readonly name: string;
  readonly domainId: string;
  readonly description: string;
}

export interface User {
  readonly id: string;
  readonly name: string;
  readonly domainId: string;
  readonly password: string;
}

export interface Role {
  readonly id: string;
  readonly name: string;
}

/** The role holds on a project, on a domain, or ("all") on the system. */
export interface Assignment {
  readonly userId: string;
  readonly role: string;
  readonly target: { readonly project: string } | { readonly domain: string } | 'all';
}

/** The passwords of the four users of the embedded site. */
export interface Passwords {
  readonly admin: string;
  readonly member: string;
  readonly reader: string;
  readonly service: string;
}

/** A role of the key brings those of the value along, and theirs in turn. */
const IMPLIED_ROLES: Readonly<Record<string, readonly string[]>> = { admin: ['member'], member: ['reader'] };

const ROLE_NAMES = [
  'admin',
  'member',
  'reader',
  'service',
  'load-balancer_admin',
  'load-balancer_global_observer',
  'load-balancer_member',
  'load-balancer_observer',
  'load-balancer_quota_admin',
] as const;

const DEFAULT_DOMAIN: Domain = { id: 'default', name: 'Default', description: 'The default domain' };

/**
 * The directory of the embedded site: users `admin`, `member` and `reader` on project `demo` (`admin` also on project
 * `admin`, the domain and the system), user `slipstream` on project `service`. Ids follow from names, so that what the
 * database holds stays theirs over restarts.
 */
export function buildDirectory(passwords: Passwords): Directory {
  return {
    domains: [DEFAULT_DOMAIN],
    projects: [
      project('admin', 'Administration'),
      project('demo', 'Where to try things'),
      project('service', 'Services'),
    ],
    users: [
      user('admin', passwords.admin),
      user('member', passwords.member),
      user('reader', passwords.reader),
      user('slipstream', passwords.service),
    ],
    roles: ROLE_NAMES.map((name) => ({ id: stableId('role', name), name })),
    assignments: [
      ...assign('admin', ['admin'], ['admin', 'demo']),
      { userId: stableId('user', 'admin'), role: 'admin', target: { domain: DEFAULT_DOMAIN.id } },
      { userId: stableId('user', 'admin'), role: 'admin', target: 'all' },
      ...assign('member', ['member', 'load-balancer_member'], ['demo']),
      ...assign('reader', ['reader', 'load-balancer_observer'], ['demo']),
      ...assign('slipstream', ['admin', 'service'], ['service']),
    ],
  };
}

/** The names and everything they imply, each once. */
export function withImpliedRoles(names: readonly string[]): readonly string[] {
  const held = new Set<string>();
  const add = (name: string): void => {
    if (held.has(name)) return;
    held.add(name);
    IMPLIED_ROLES[name]?.forEach(add);
  };
  names.forEach(add);
  return [...held];
}

/** 32 hexadecimal digits, as Keystone's ids, that depend on kind and name alone. */
export function stableId(kind: string, name: string): string {
  return createHash('sha256').update(`slipstream ${kind} ${name}`).digest('hex').slice(0, 32);
}

function project(name: string, description: string): Project {
  return { id: stableId('project', name), name, domainId: DEFAULT_DOMAIN.id, description };
}

function user(name: string, password: string): User {
  return { id: stableId('user', name), name, domainId: DEFAULT_DOMAIN.id, password };
}

function assign(userName: string, roles: readonly string[], projects: readonly string[]): Assignment[] {
  const userId = stableId('user', userName);
  return projects.flatMap((name) =>
    roles.map((role) => ({ userId, role, target: { project: stableId('project', name) } })),
  );
}
