import type { Identity } from '../../../driver/domain/identity';
import type { Attributes } from './template';

/**
 * The caller under the names that check strings use (those of oslo.context). `is_admin` is not the caller's to say: it is
 * what Octavia's rule `context_is_admin` decides, or noauth.
 */
export function credentialsOf(identity: Identity, isAdmin: boolean): Attributes {
  return {
    user_id: identity.userId,
    project_id: identity.projectId,
    tenant_id: identity.projectId,
    domain_id: identity.domainId,
    system_scope: identity.systemScope,
    roles: identity.roles,
    is_admin: isAdmin,
  };
}
