import 'reflect-metadata';
import { KeyObject, webcrypto } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  BasicConstraintsExtension,
  SubjectAlternativeNameExtension,
  type X509Certificate,
  X509CertificateGenerator,
  X509CrlGenerator,
} from '@peculiar/x509';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

export interface Issued {
  readonly certificate: X509Certificate;
  readonly keys: webcrypto.CryptoKeyPair;
  /** PEM, with a line end. */
  readonly pem: string;
  readonly der: Buffer;
  readonly key: KeyObject;
  /** PKCS8 PEM. */
  readonly keyPem: string;
}

export interface IssueRequest {
  /** Empty for a certificate without a CN. */
  readonly cn: string;
  readonly dnsNames?: readonly string[];
  readonly issuer?: Issued;
  readonly isCa?: boolean;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

let serial = 0;

/** A new key with a certificate; self-signed without an issuer. Valid from 2026 to 2126 unless said. */
export async function issue(request: IssueRequest): Promise<Issued> {
  const { cn, dnsNames = [], issuer, isCa = false } = request;
  const keys = (await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
  const subject = cn ? `CN=${cn}` : 'O=Nobody';
  serial += 1;
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serial.toString(16).padStart(4, '0'),
    subject,
    issuer: issuer?.certificate.subject ?? subject,
    notBefore: request.notBefore ?? new Date('2026-01-01T00:00:00Z'),
    notAfter: request.notAfter ?? new Date('2126-01-01T00:00:00Z'),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey: (issuer?.keys ?? keys).privateKey,
    extensions: [
      new BasicConstraintsExtension(isCa),
      ...(dnsNames.length > 0
        ? [new SubjectAlternativeNameExtension(dnsNames.map((value) => ({ type: 'dns' as const, value })))]
        : []),
    ],
  });
  const key = KeyObject.from(keys.privateKey);
  return {
    certificate,
    keys,
    key,
    pem: `${certificate.toString('pem')}\n`,
    der: Buffer.from(certificate.rawData),
    keyPem: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

/** A revocation list of the authority, PEM; due again in 2126 unless said, and of nobody unless some are revoked. */
export async function issueCrl(
  authority: Issued,
  nextUpdate = new Date('2126-01-01T00:00:00Z'),
  revoked: readonly Issued[] = [],
): Promise<string> {
  const crl = await X509CrlGenerator.create({
    issuer: authority.certificate.subject,
    thisUpdate: new Date('2026-01-01T00:00:00Z'),
    nextUpdate,
    entries: revoked.map(({ certificate }) => ({
      serialNumber: certificate.serialNumber,
      revocationDate: new Date('2026-01-02T00:00:00Z'),
    })),
    signingAlgorithm: ALGORITHM,
    signingKey: authority.keys.privateKey,
  });
  // The library calls it "CRL"; OpenSSL, and everybody else, "X509 CRL".
  return `${crl.toString('pem').replaceAll(/(BEGIN|END) CRL/g, '$1 X509 CRL')}\n`;
}

/**
 * A PKCS12 bundle made by OpenSSL 3.0 (`python` by the library of Octavia): `aes` (RSA, with its CA), `triple-des` (EC, with
 * its CA), `rc2`, `clear`, `no-mac`, `python`, `pass-phrase`, `no-key`, `no-certificate` (all EC).
 */
export function readBundleFile(name: string): Buffer {
  return readFileSync(join(__dirname, `${name}.p12`));
}
