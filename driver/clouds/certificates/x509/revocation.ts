import type { X509Certificate } from 'node:crypto';
import { certificatePem, readCertificates } from './certificate';
import { MaterialError } from './errors';
import { ParsedCertificate, X509Crl } from './peculiar';
import { looksLikePem, splitPem, toPem } from './pem';

/** A revocation list. */
export interface RevocationList {
  readonly pem: string;
  readonly parsed: X509Crl;
  /** When the next one is due; undefined if it does not say. */
  readonly nextUpdate: Date | undefined;
}

/** The CA certificates of a PEM text, at least one. @throws MaterialError */
export function readCaBundle(payload: Buffer): X509Certificate[] {
  if (!looksLikePem(payload)) throw new MaterialError('Unable to load PEM file');
  return readCertificates(payload);
}

/** The bundle as PEM, nothing else in it. */
export function bundlePem(certificates: readonly X509Certificate[]): string {
  return certificates.map(certificatePem).join('');
}

/** The revocation lists of a PEM text, at least one. @throws MaterialError */
export function readRevocationLists(payload: Buffer): RevocationList[] {
  const blocks = splitPem(payload).filter(({ label }) => label === 'X509 CRL');
  if (blocks.length === 0) throw new MaterialError('Unable to load PEM file');
  return blocks.map(({ der }) => {
    try {
      const parsed = new X509Crl(new Uint8Array(der));
      return { pem: toPem('X509 CRL', der), parsed, nextUpdate: parsed.nextUpdate };
    } catch (err) {
      throw new MaterialError('the revocation list cannot be read', { cause: err });
    }
  });
}

/** Whether one of the authorities issued and signed the list. */
export async function isIssuedBy(
  { parsed }: RevocationList,
  authorities: readonly X509Certificate[],
): Promise<boolean> {
  for (const authority of authorities) {
    const ca = new ParsedCertificate(new Uint8Array(authority.raw));
    if (ca.subject !== parsed.issuer) continue;
    // A key that the algorithm of the list does not fit is refused with an error: not the signer, either.
    if (await parsed.verify({ publicKey: ca.publicKey }).catch(() => false)) return true;
  }
  return false;
}
