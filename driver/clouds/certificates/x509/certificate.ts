import { X509Certificate } from 'node:crypto';
import { MaterialError } from './errors';
import { ParsedBundle, ParsedCertificate, SubjectAlternativeNameExtension } from './peculiar';
import { looksLikePem, splitPem, toPem } from './pem';

/**
 * The certificates of a payload, in its order: PEM (any number), PKCS7 as PEM or DER, or one certificate as DER.
 * @throws MaterialError when there is none, or one that cannot be read
 */
export function readCertificates(payload: Buffer): X509Certificate[] {
  const found = looksLikePem(payload) ? readPem(payload) : readDer(payload);
  if (found.length === 0) throw new MaterialError('no certificate in it');
  return found;
}

function readPem(payload: Buffer): X509Certificate[] {
  return splitPem(payload).flatMap(({ label, der }) => {
    if (label === 'CERTIFICATE' || label === 'X509 CERTIFICATE') return [parseCertificate(der)];
    return label === 'PKCS7' || label === 'CMS' ? readPkcs7(der) : [];
  });
}

function readDer(payload: Buffer): X509Certificate[] {
  try {
    return [new X509Certificate(payload)];
  } catch {
    return readPkcs7(payload);
  }
}

/** @throws MaterialError */
export function parseCertificate(der: Uint8Array): X509Certificate {
  try {
    return new X509Certificate(der);
  } catch (err) {
    throw new MaterialError('the certificate cannot be read', { cause: err });
  }
}

function readPkcs7(der: Buffer): X509Certificate[] {
  try {
    return [...new ParsedBundle(new Uint8Array(der))].map(
      (certificate) => new X509Certificate(Buffer.from(certificate.rawData)),
    );
  } catch (err) {
    throw new MaterialError('the certificate cannot be read', { cause: err });
  }
}

/** The CN and the DNS names, as Octavia takes them: lower-case CN, names as they stand. */
export function readNames(certificate: X509Certificate): { primaryCn: string | null; dnsNames: string[] } {
  try {
    const parsed = new ParsedCertificate(new Uint8Array(certificate.raw));
    const names = parsed.getExtension(SubjectAlternativeNameExtension);
    const dnsNames = names ? names.names.items.filter(({ type }) => type === 'dns').map(({ value }) => value) : [];
    const [cn] = parsed.subjectName.getField('CN');
    return { primaryCn: cn?.toLowerCase() ?? dnsNames[0] ?? null, dnsNames };
  } catch (err) {
    throw new MaterialError('the names of the certificate cannot be read', { cause: err });
  }
}

/**
 * What stands between the certificate and its root: from its issuer upwards, then what does not belong to the chain.
 * Neither the certificate itself nor anything twice.
 */
export function orderChain(certificate: X509Certificate, others: readonly X509Certificate[]): X509Certificate[] {
  const left = new Map(others.map((other) => [other.fingerprint256, other]));
  left.delete(certificate.fingerprint256);
  const chain: X509Certificate[] = [];
  let last = certificate;
  for (;;) {
    const issuer = [...left.values()].find((candidate) => last.checkIssued(candidate));
    if (!issuer) return [...chain, ...left.values()];
    left.delete(issuer.fingerprint256);
    chain.push(issuer);
    last = issuer;
  }
}

/** As PEM, with a line end. */
export function certificatePem(certificate: X509Certificate): string {
  return toPem('CERTIFICATE', certificate.raw);
}
