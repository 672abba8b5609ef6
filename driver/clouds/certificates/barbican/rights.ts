import type { Identity } from '../../../domain/identity';
import type { AclRecord } from './records';

/**
 * Who may do what, after Barbican's default policy: within a project its admins everything, its members what is not
 * private or is their own; beyond it, those whom the access list names may read.
 */

interface Owned {
  readonly projectId: string;
  readonly creatorId: string;
  readonly acl: AclRecord | null;
}

/** Barbican's older roles count, too. */
const WRITERS = ['admin', 'member', 'creator'];
const READERS = [...WRITERS, 'observer'];

/** May keep secrets and containers, and list those of the project. */
export function mayKeep(identity: Identity): boolean {
  return identity.projectId !== null && hasRole(identity, WRITERS);
}

export function mayRead(identity: Identity, record: Owned): boolean {
  return record.acl?.users.includes(identity.userId) === true || isInside(identity, record, READERS);
}

/** May delete it, give it a payload, and decide who else may read it. */
export function mayChange(identity: Identity, record: Owned): boolean {
  return isInside(identity, record, WRITERS);
}

function isInside(identity: Identity, { projectId, creatorId, acl }: Owned, roles: readonly string[]): boolean {
  if (identity.projectId !== projectId) return false;
  if (hasRole(identity, ['admin'])) return true;
  return hasRole(identity, roles) && (acl?.projectAccess !== false || creatorId === identity.userId);
}

function hasRole({ roles, isAdmin }: Identity, wanted: readonly string[]): boolean {
  return isAdmin || roles.some((role) => wanted.includes(role));
}
