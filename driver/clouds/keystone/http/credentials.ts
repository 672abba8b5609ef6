import { BadValueError, type Config } from '../../../config/config';

/** The options that say who this service is. */
export type Credentials = Config['service_auth'];

/**
 * The body of this service's login.
 * @param section where the options stand, for what is wrong with them
 * @throws BadValueError for what is missing or contradicts
 */
export function buildLogin(credentials: Credentials, section: string): { readonly auth: object } {
  const { auth_type: type } = credentials;
  switch (type) {
    case 'password':
    case 'v3password':
      return { auth: { identity: passwordIdentity(credentials, section), ...scopeOf(credentials, section) } };
    case 'v3applicationcredential':
      // Its scope is the one it was made with.
      return { auth: { identity: applicationIdentity(credentials, section) } };
    default:
      throw new BadValueError(section, 'auth_type', type, 'one of password, v3password, v3applicationcredential');
  }
}

function passwordIdentity(credentials: Credentials, section: string): object {
  const password = required(credentials, 'password', section);
  return { methods: ['password'], password: { user: { ...userOf(credentials, section), password } } };
}

function applicationIdentity(credentials: Credentials, section: string): object {
  const { application_credential_id: id } = credentials;
  const secret = required(credentials, 'application_credential_secret', section);
  const named =
    id === null
      ? {
          name: required(credentials, 'application_credential_name', section),
          user: userOf(credentials, section),
        }
      : { id };
  return { methods: ['application_credential'], application_credential: { ...named, secret } };
}

function userOf(credentials: Credentials, section: string): object {
  if (credentials.user_id !== null) return { id: credentials.user_id };
  const domain = reference(credentials.user_domain_id, credentials.user_domain_name);
  return { name: required(credentials, 'username', section), domain };
}

function scopeOf(credentials: Credentials, section: string): { readonly scope: object } {
  const { trust_id, system_scope, domain_id, domain_name, project_id } = credentials;
  if (trust_id !== null) return { scope: { 'OS-TRUST:trust': { id: trust_id } } };
  if (system_scope === 'all') return { scope: { system: { all: true } } };
  if (domain_id !== null || domain_name !== null) return { scope: { domain: reference(domain_id, domain_name ?? '') } };
  if (project_id !== null) return { scope: { project: { id: project_id } } };
  const domain = reference(credentials.project_domain_id, credentials.project_domain_name);
  return { scope: { project: { name: required(credentials, 'project_name', section), domain } } };
}

function reference(id: string | null, name: string): object {
  return id === null ? { name } : { id };
}

type TextOption =
  | 'username'
  | 'password'
  | 'project_name'
  | 'application_credential_name'
  | 'application_credential_secret';

function required(credentials: Credentials, option: TextOption, section: string): string {
  const value = credentials[option];
  if (value === null)
    throw new BadValueError(section, option, '', 'a text: Keystone is asked in the name of this service');
  return value;
}
