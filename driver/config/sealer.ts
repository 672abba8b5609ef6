import { createSealer, type Sealer } from '../domain/sealing';
import type { Config } from './config';

/**
 * What seals secrets in the database, with the key of `[certificates] server_certs_key_passphrase`. Undefined where there
 * is none: secrets then cannot be taken.
 */
export function openSealer({ certificates }: Pick<Config, 'certificates'>): Sealer | undefined {
  const words = (certificates.server_certs_key_passphrase ?? '').split(',').map((word) => word.trim());
  const [first, ...others] = words.filter((word) => word !== '');
  return first === undefined ? undefined : createSealer([first, ...others]);
}
