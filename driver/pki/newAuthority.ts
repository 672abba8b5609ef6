import { generateKeyPairSync, type KeyObject, webcrypto, X509Certificate } from 'node:crypto';
import { newSerial } from './authority';
import {
  BasicConstraintsExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from './library';

/** Milliseconds by which certificates begin before they are made: clocks differ. */
export const BACKDATED = 10 * 60_000;

export interface NewAuthority {
  readonly certificate: X509Certificate;
  readonly key: KeyObject;
}

/** Makes a CA of its own, ECDSA P-256, that signs nothing but certificates of engines and health-managers. */
export async function newAuthority(name: string, days: number, now: number): Promise<NewAuthority> {
  const { privateKey: key, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const [pkcs8, spki] = [
    key.export({ type: 'pkcs8', format: 'der' }),
    publicKey.export({ type: 'spki', format: 'der' }),
  ];
  const keys = {
    privateKey: (await webcrypto.subtle.importKey('pkcs8', pkcs8, algorithm, false, ['sign'])) as webcrypto.CryptoKey,
    publicKey: (await webcrypto.subtle.importKey('spki', spki, algorithm, true, ['verify'])) as webcrypto.CryptoKey,
  };
  const made = await X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: newSerial(),
      name: [{ CN: [name] }, { O: ['slipstream'] }],
      notBefore: new Date(now - BACKDATED),
      notAfter: new Date(now + days * 86_400_000),
      keys,
      signingAlgorithm: algorithm,
      extensions: [
        new BasicConstraintsExtension(true, 0, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
        await SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    },
    webcrypto,
  );
  return { certificate: new X509Certificate(Buffer.from(made.rawData)), key };
}
