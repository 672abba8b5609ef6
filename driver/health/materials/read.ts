import { createHash } from 'node:crypto';
import type { Certificates } from '../../clouds/certificates/port';
import { CertificateRetrievalError, ServiceError, UnavailableError } from '../../domain/errors';
import type { MaterialReference } from '../../target/tls';

/** A text behind a reference. Never to be logged: it may hold a key. */
export interface Material {
  readonly text: string;
  /** SHA-256 of the text, hex. */
  readonly digest: string;
  /** Of a certificate with its key. */
  readonly certificate?: CertificateFacts;
}

export interface CertificateFacts {
  /** CN or first DNS name; null when it names nobody. */
  readonly name: string | null;
  readonly fingerprint: string;
  readonly notAfter: Date;
}

/** How a look at a reference ended. `unavailable`: the key manager could not be asked, and says nothing about the reference. */
export type Reading = { readonly material: Material } | { readonly problem: string; readonly unavailable: boolean };

/** Reads what a reference leads to, as this service. Never throws. */
export async function readMaterial(certificates: Certificates, reference: MaterialReference): Promise<Reading> {
  try {
    return { material: await fetchMaterial(certificates, reference) };
  } catch (error) {
    return {
      problem: explain(error),
      unavailable: error instanceof UnavailableError || !(error instanceof ServiceError),
    };
  }
}

async function fetchMaterial(certificates: Certificates, { kind, ref }: MaterialReference): Promise<Material> {
  if (kind === 'ca') return materialOf(await certificates.fetchCaBundle(ref, 'service'));
  if (kind === 'crl') return materialOf(await certificates.fetchCrl(ref, 'service'));
  const found = await certificates.fetchMaterial(ref, 'service');
  const { primaryCn, dnsNames, fingerprint, notAfter } = found;
  return {
    ...materialOf([found.certificate, ...found.intermediates, found.privateKey].join('')),
    certificate: { name: primaryCn ?? dnsNames[0] ?? null, fingerprint, notAfter },
  };
}

function materialOf(text: string): Material {
  return { text, digest: createHash('sha256').update(text).digest('hex') };
}

/** The same for the same trouble: it becomes part of what engines are told. */
function explain(error: unknown): string {
  if (error instanceof CertificateRetrievalError) return error.reasons.join('; ') || error.message;
  if (error instanceof UnavailableError || !(error instanceof ServiceError)) return 'the key manager cannot be asked';
  return error.message;
}
