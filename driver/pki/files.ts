import { createPrivateKey, X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { BadValueError, type Config } from '../config/config';
import { type Authority, createAuthority } from './authority';
import { newAuthority } from './newAuthority';

export interface AuthorityFiles {
  readonly certificate: string;
  readonly key: string;
}

/** Where `slipstream ca create` and the embedded site have a CA. */
export function authorityFiles(directory: string): AuthorityFiles {
  return { certificate: path.join(directory, 'ca.pem'), key: path.join(directory, 'ca.key') };
}

export interface NewAuthorityOptions {
  readonly name: string;
  readonly days: number;
  /** Encrypts the key. */
  readonly passphrase?: string;
}

/** Makes a CA in a directory. @throws Error when there is one already: engines would not know the controllers any more */
export async function createAuthorityFiles(directory: string, options: NewAuthorityOptions): Promise<AuthorityFiles> {
  const files = authorityFiles(directory);
  const { certificate, key } = await newAuthority(options.name, options.days, Date.now());
  const cipher = options.passphrase ? { cipher: 'aes-256-cbc', passphrase: options.passphrase } : {};
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  // The key first: a certificate alone would be taken for a CA.
  writeFileSync(files.key, key.export({ type: 'pkcs8', format: 'pem', ...cipher }), { mode: 0o600, flag: 'wx' });
  writeFileSync(files.certificate, certificate.toString(), { mode: 0o644, flag: 'wx' });
  return files;
}

/** The CA of an embedded site, made at its first start. @throws Error when others may read its key */
export async function openOwnAuthority(directory: string): Promise<Authority> {
  const files = authorityFiles(directory);
  if (!existsSync(files.certificate))
    await createAuthorityFiles(directory, { name: 'slipstream embedded', days: 3650 });
  if ((statSync(files.key).mode & 0o077) !== 0) throw new Error(`${files.key}: others may read this key (chmod 600)`);
  return createAuthority(
    new X509Certificate(readFileSync(files.certificate)),
    createPrivateKey(readFileSync(files.key)),
  );
}

type CertificateOptions = Config['certificates'];

/** The CA certificate of the configuration; undefined where there is none. @throws BadValueError for a file that cannot be used */
export function readAuthorityCertificate({ ca_certificate: file }: CertificateOptions): X509Certificate | undefined {
  if (file === null) return undefined;
  return attempt(['ca_certificate', file, 'a PEM file with the certificate of a CA'], () => {
    const certificate = new X509Certificate(readFileSync(file));
    if (!certificate.ca) throw new Error('it is no certificate of a CA');
    if (Date.parse(certificate.validTo) < Date.now()) throw new Error(`it has expired at ${certificate.validTo}`);
    return certificate;
  });
}

/** The CA of the configuration with its key; undefined where there is none. @throws BadValueError for files that cannot be used */
export async function openAuthority(options: CertificateOptions): Promise<Authority | undefined> {
  const certificate = readAuthorityCertificate(options);
  if (!certificate) return undefined;
  const { ca_private_key: file, ca_private_key_passphrase: passphrase } = options;
  const key = attempt(['ca_private_key', file ?? '', 'a PEM file with the private key of `ca_certificate`'], () =>
    createPrivateKey({ key: readFileSync(file ?? ''), ...(passphrase !== null && { passphrase }) }),
  );
  try {
    return await createAuthority(certificate, key);
  } catch (error) {
    throw unusable(['ca_private_key', file ?? '', 'the private key of `ca_certificate`'], error);
  }
}

type Said = readonly [option: string, value: string, expected: string];

function attempt<T>(said: Said, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw unusable(said, error);
  }
}

function unusable([option, value, expected]: Said, error: unknown): BadValueError {
  const reason = error instanceof Error ? error.message : String(error);
  return new BadValueError('certificates', option, value, `${expected} (${reason})`);
}
