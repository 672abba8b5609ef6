import { type Config, configFromText } from '../../../driver/config/config';
import { PASSWORDS } from './keystone';

/** `[keystone_authtoken]` for the service user of the embedded directory, less what the lines say. */
export function keystoneSettings(authUrl: string, ...lines: readonly string[]): Config['keystone_authtoken'] {
  return configFromText(keystoneSection(authUrl, ...lines)).keystone_authtoken;
}

/** The same as it stands in a file. */
export function keystoneSection(authUrl: string, ...lines: readonly string[]): string {
  return [
    '[keystone_authtoken]',
    `auth_url = ${authUrl}`,
    'username = slipstream',
    `password = ${PASSWORDS.service}`,
    'project_name = service',
    ...lines,
    '',
  ].join('\n');
}
