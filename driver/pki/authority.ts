import { createPublicKey, type KeyObject, randomBytes, webcrypto, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { fingerprintOf } from '../domain/fingerprint';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  IssuerCertificate,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from './library';

/** What a certificate is to say. */
export interface CertificateRequest {
  /** Common name. */
  readonly name: string;
  readonly publicKey: KeyObject;
  readonly purpose: 'server' | 'client';
  /** Host names and addresses it is good for. */
  readonly hosts?: readonly string[];
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
}

export interface IssuedCertificate {
  readonly pem: string;
  /** As Node writes it: hex, capitals. */
  readonly serial: string;
  readonly notAfter: number;
}

/** The CA of engines and health-managers: who holds one of its certificates is one of them. */
export interface Authority {
  readonly certificate: X509Certificate;
  /** With a line end. */
  readonly pem: string;
  readonly fingerprint: string;
  issue(request: CertificateRequest): Promise<IssuedCertificate>;
}

/** @throws Error that says what is wrong with the pair */
export async function createAuthority(certificate: X509Certificate, key: KeyObject): Promise<Authority> {
  if (!certificate.ca) throw new Error('it is no certificate of a CA (basic constraints)');
  if (!certificate.checkPrivateKey(key)) throw new Error('the private key belongs to another certificate');
  const { signingKey, signingAlgorithm } = await importKey(key);
  const issuer = new IssuerCertificate(new Uint8Array(certificate.raw));
  return {
    certificate,
    pem: certificate.toString(),
    fingerprint: fingerprintOf(certificate.raw),
    async issue({ name, publicKey, purpose, hosts = [], notBefore, notAfter }) {
      const made = await X509CertificateGenerator.create(
        {
          serialNumber: newSerial(),
          subject: [{ CN: [name] }, { O: ['slipstream'] }],
          issuer: issuer.subject,
          notBefore: new Date(notBefore),
          notAfter: new Date(Math.min(notAfter, Date.parse(certificate.validTo))),
          publicKey: publicKey.export({ type: 'spki', format: 'der' }),
          signingKey,
          signingAlgorithm,
          extensions: [
            new BasicConstraintsExtension(false, undefined, true),
            new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
            new ExtendedKeyUsageExtension([ExtendedKeyUsage[purpose === 'server' ? 'serverAuth' : 'clientAuth']], true),
            ...(hosts.length === 0 ? [] : [new SubjectAlternativeNameExtension(hosts.map(toName))]),
          ],
        },
        webcrypto,
      );
      const issued = new X509Certificate(Buffer.from(made.rawData));
      return { pem: issued.toString(), serial: issued.serialNumber, notAfter: Date.parse(issued.validTo) };
    },
  };
}

/** A public key in DER (SPKI). @throws Error for one that is not ECDSA P-256 */
export function readEngineKey(spki: Uint8Array): KeyObject {
  const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  if (key.asymmetricKeyType !== 'ec' || key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new Error('engines have keys of ECDSA P-256');
  }
  return key;
}

function toName(host: string): { type: 'ip' | 'dns'; value: string } {
  return { type: isIP(host) === 0 ? 'dns' : 'ip', value: host };
}

/** 127 random bits: positive, and never with a leading zero, which programs write in different ways. */
export function newSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}

const CURVES: Readonly<Record<string, { readonly namedCurve: string; readonly hash: string }>> = {
  prime256v1: { namedCurve: 'P-256', hash: 'SHA-256' },
  secp384r1: { namedCurve: 'P-384', hash: 'SHA-384' },
  secp521r1: { namedCurve: 'P-521', hash: 'SHA-512' },
};

/** @throws Error for a key that certificates cannot be signed with here */
async function importKey(
  key: KeyObject,
): Promise<{ signingKey: webcrypto.CryptoKey; signingAlgorithm: webcrypto.EcdsaParams }> {
  const [der, type] = [key.export({ type: 'pkcs8', format: 'der' }), key.asymmetricKeyType];
  const curve = CURVES[key.asymmetricKeyDetails?.namedCurve ?? ''];
  if (type !== 'rsa' && !curve)
    throw new Error(`a key of the kind ${type} cannot sign here: RSA, or ECDSA on P-256, 384, 521`);
  const importing = curve
    ? { name: 'ECDSA', namedCurve: curve.namedCurve }
    : { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
  const signingKey = (await webcrypto.subtle.importKey('pkcs8', der, importing, false, [
    'sign',
  ])) as webcrypto.CryptoKey;
  const signingAlgorithm = { name: importing.name, hash: curve?.hash ?? 'SHA-256' };
  return { signingKey, signingAlgorithm };
}
