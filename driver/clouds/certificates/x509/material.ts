import { createHash, type KeyObject, type X509Certificate } from 'node:crypto';
import type { TlsMaterial } from '../port';
import { certificatePem, orderChain, readCertificates, readNames } from './certificate';
import { MaterialError } from './errors';
import { type Bundle, readPkcs12 } from './pkcs12';
import { privateKeyPem, readPrivateKey } from './privateKey';

/** The payloads of a certificate container. */
export interface MaterialParts {
  readonly certificate: Buffer;
  readonly privateKey: Buffer;
  readonly passphrase?: Buffer;
  readonly intermediates?: Buffer;
}

/**
 * What a certificate container holds, read and found to belong together. Certificates that follow the first one in
 * `certificate` count as intermediates.
 * @throws MaterialError
 */
export async function readParts({ certificate, privateKey, ...parts }: MaterialParts): Promise<TlsMaterial> {
  const [leaf, ...rest] = readCertificates(certificate);
  if (!leaf) throw new MaterialError('no certificate in it');
  const key = await readPrivateKey(privateKey, parts.passphrase?.toString('utf8'));
  if (!leaf.checkPrivateKey(key)) throw new MaterialError('the private key does not belong to the certificate');
  const others = parts.intermediates ? readCertificates(parts.intermediates) : [];
  return describe({ key, certificate: leaf, others: [...rest, ...others] });
}

/** What a PKCS12 bundle without pass phrase holds. @throws MaterialError */
export async function readBundle(payload: Buffer): Promise<TlsMaterial> {
  return describe(await readPkcs12(payload));
}

function describe({ key, certificate, others }: Bundle): TlsMaterial {
  return {
    certificate: certificatePem(certificate),
    intermediates: orderChain(certificate, others).map(certificatePem),
    privateKey: exportKey(key),
    ...readNames(certificate),
    ...readValidity(certificate),
    fingerprint: createHash('sha256').update(certificate.raw).digest('hex'),
  };
}

function exportKey(key: KeyObject): string {
  if (key.type !== 'private') throw new MaterialError('the private key cannot be read');
  return privateKeyPem(key);
}

/** From when until when the certificate holds. */
export function readValidity({ validFrom, validTo }: X509Certificate): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(validFrom), notAfter: new Date(validTo) };
}

/** Why the period does not hold now; undefined when it does. */
export function judgeValidity(
  { notBefore, notAfter }: Pick<TlsMaterial, 'notBefore' | 'notAfter'>,
  now: Date,
): string | undefined {
  if (!(notAfter > now)) return `it expired on ${notAfter.toISOString()}`;
  if (!(notBefore <= now)) return `it is not valid before ${notBefore.toISOString()}`;
  return undefined;
}
