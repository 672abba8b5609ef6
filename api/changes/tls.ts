import { ValidationError } from '../../driver/domain/errors';
import type { Given } from './bodies';
import type { ChangeSettings } from './settings';

/** TLS settings that listeners and pools have in common. */
export interface TlsFields {
  readonly tls_ciphers?: string | null;
  readonly tls_versions?: readonly string[] | null;
  readonly alpn_protocols?: readonly string[] | null;
}

/** From the weakest up. */
const TLS_VERSIONS = ['SSLv3', 'TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];
const ALPN_PROTOCOLS = ['h2', 'http/1.1', 'http/1.0'];

/**
 * Checks what a request gives of them; null and absent become defaults elsewhere.
 * @throws ValidationError
 */
export function checkTls(fields: TlsFields, settings: ChangeSettings): void {
  checkCiphers(fields.tls_ciphers, settings);
  checkVersions(fields.tls_versions, settings);
  checkAlpn(fields.alpn_protocols);
}

function checkCiphers(ciphers: Given<string>, { prohibitedCiphers }: ChangeSettings): void {
  if (!ciphers) return;
  if (!/^[A-Za-z0-9\-+!:@=_.]*$/.test(ciphers)) {
    throw new ValidationError(
      'Invalid characters in cipher string. Only alphanumeric, -, +, !, :, @, =, _, and . are allowed.',
    );
  }
  const prohibited = ciphers.split(':').filter((cipher) => prohibitedCiphers.includes(cipher));
  if (prohibited.length > 0) {
    throw new ValidationError(
      `The following ciphers have been prohibited by an administrator: ${prohibited.join(', ')}`,
    );
  }
}

function checkVersions(versions: Given<readonly string[]>, { minimumTlsVersion }: ChangeSettings): void {
  if (!versions) return;
  if (versions.length === 0) {
    throw new ValidationError(
      'Empty TLS version list. Either specify at least one TLS version or remove this parameter to use the default.',
    );
  }
  const unknown = versions.filter((version) => !TLS_VERSIONS.includes(version));
  if (unknown.length > 0) throw new ValidationError(`Invalid TLS versions: ${unknown.join(', ')}`);
  if (!minimumTlsVersion) return;
  const tooLow = versions.filter((version) => TLS_VERSIONS.indexOf(version) < TLS_VERSIONS.indexOf(minimumTlsVersion));
  if (tooLow.length > 0) {
    throw new ValidationError(
      `Requested TLS versions are less than the minimum: ${tooLow.join(', ')} < ${minimumTlsVersion}`,
    );
  }
}

function checkAlpn(protocols: Given<readonly string[]>): void {
  if (!protocols) return;
  if (protocols.length === 0) {
    throw new ValidationError(
      'Empty ALPN protocol list. Either specify at least one ALPN protocol or remove this parameter to use the default.',
    );
  }
  const unknown = protocols.find((protocol) => !ALPN_PROTOCOLS.includes(protocol));
  if (unknown !== undefined) throw new ValidationError(`Invalid ALPN protocol: ${unknown}`);
}
