import type { Database } from './database';
import type { Members } from './json';

/** Projects that Keystone knows; Contrail makes them its own when somebody asks for them. */
export interface KeystoneProjects {
  byId(id: string): Promise<{ id: string; name: string } | undefined>;
  byName(name: string): Promise<{ id: string; name: string } | undefined>;
}

/** The parts that everything of the simulator needs. */
export interface Site {
  readonly db: Database;
  readonly newUuid: () => string;
  readonly now: () => number;
}

/** Who owns what has no parent, unless the caller is known by a token. */
export const CLOUD_ADMIN = 'cloud-admin';

/** The part of `id_perms` that never changes. */
export const PERMISSIONS: Members = {
  owner: CLOUD_ADMIN,
  owner_access: 7,
  group: 'cloud-admin-group',
  group_access: 7,
  other_access: 7,
};

export function permissionsOf(owner: string, globalAccess = 0): Members {
  return { owner, owner_access: 7, global_access: globalAccess, share: [] };
}

export function withoutDashes(uuid: string): string {
  return uuid.replaceAll('-', '');
}

export function withDashes(id: string): string {
  return /^[0-9a-f]{32}$/.test(id) ? id.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5') : id;
}
