import type { Config } from '../config/config';

/** Whether `[service_auth]` names somebody; otherwise it is who checks tokens that goes to other services. */
export function hasOwnLogin({ service_auth: own }: Pick<Config, 'service_auth'>): boolean {
  return own.auth_url !== null || own.username !== null || own.user_id !== null;
}

/** The credentials this service goes to other services with, and how it reaches Keystone for them. */
export function serviceCredentials(config: Config): Config['keystone_authtoken'] {
  const { service_auth: own, keystone_authtoken: shared } = config;
  return hasOwnLogin(config) ? { ...shared, ...own, auth_url: own.auth_url ?? shared.auth_url } : shared;
}
