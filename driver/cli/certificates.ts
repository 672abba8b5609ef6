import { readFileSync } from 'node:fs';
import type { Logger } from 'pino';
import { createCertificates } from '../clouds/certificates/certificates';
import { createHttpSecretStore } from '../clouds/certificates/http';
import type { Certificates } from '../clouds/certificates/port';
import { createKeystoneValidator, type KeystoneValidator } from '../clouds/keystone/http';
import { BadValueError, type Config } from '../config/config';
import { UnavailableError } from '../domain/errors';
import { hasOwnLogin, serviceCredentials } from './serviceLogin';

/** The key manager of a process of its own. */
export interface OpenedCertificates {
  readonly certificates: Certificates;
  close(): Promise<void>;
}

/**
 * Barbican over HTTP, found by Keystone; undefined where there is no Keystone (noauth) or nothing is to be asked. This
 * service comes with the credentials of `[service_auth]`, or with those it checks tokens with where that names none.
 * @throws BadValueError for credentials or a file that cannot be used
 */
export function openCertificates(
  config: Config,
  keystone: KeystoneValidator | undefined,
  log: Logger,
): OpenedCertificates | undefined {
  const { certificates: settings } = config;
  if (!keystone || settings.cert_manager === 'noop_cert_manager') return undefined;
  const login = hasOwnLogin(config) ? createKeystoneValidator(serviceCredentials(config), { log }) : undefined;
  const { session } = login ?? keystone;
  const wanted = { type: 'key-manager', interface: settings.endpoint_type, region: settings.region_name };
  const store = createHttpSecretStore({
    endpoint: async () => {
      const found = settings.endpoint ?? (await session.endpoint(wanted));
      if (found === undefined) throw new UnavailableError('There is no key manager in the service catalogue.');
      return found;
    },
    service: session,
    tls: tlsOf(settings),
  });
  const close = async (): Promise<void> => {
    await store.close();
    await login?.close();
  };
  return { certificates: createCertificates({ store }), close };
}

function tlsOf({ ca_certificates_file: file, insecure }: Config['certificates']) {
  if (file === null) return { rejectUnauthorized: !insecure };
  try {
    return { rejectUnauthorized: !insecure, ca: readFileSync(file, 'utf8') };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new BadValueError('certificates', 'ca_certificates_file', file, `a file that can be read (${reason})`);
  }
}
