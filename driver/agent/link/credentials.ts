import { createHash, generateKeyPairSync, webcrypto } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { readIfPresent, writeAtomically } from '../state/files';

/** The key of this engine, made on it, and the certificate it has for it. The file is of 0600. */
export const Credentials = z.object({
  /** Of another engine or another CA they are worth nothing: the disk was copied, or the CA replaced. */
  engineId: z.string(),
  caFingerprint: z.string(),
  /** PEM, PKCS #8. */
  key: z.string(),
  /** PEM; null until the controller has issued one. */
  certificate: z.string().nullable(),
  /** By the controller's clock, milliseconds since 1970. */
  issuedAt: z.number(),
});
export type Credentials = z.infer<typeof Credentials>;

export type Owner = Pick<Credentials, 'engineId' | 'caFingerprint'>;

export function credentialsFile(stateDir: string): string {
  return join(stateDir, 'credentials.json');
}

/** Undefined for none, or those of somebody else. */
export async function readCredentials(stateDir: string, owner: Owner): Promise<Credentials | undefined> {
  try {
    const kept = Credentials.parse(JSON.parse((await readIfPresent(credentialsFile(stateDir))) ?? 'null'));
    return kept.engineId === owner.engineId && kept.caFingerprint === owner.caFingerprint ? kept : undefined;
  } catch {
    return undefined;
  }
}

export async function keepCredentials(stateDir: string, credentials: Credentials): Promise<void> {
  await writeAtomically(credentialsFile(stateDir), JSON.stringify(credentials), true);
}

/** ECDSA P-256; PEM. */
export function newKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** A certificate request for the key, PKCS #10 in PEM. */
export async function requestFor(key: string, name: string): Promise<string> {
  // Loaded by those who ask for a certificate alone: an agent that has one starts without it.
  require('reflect-metadata');
  const { Pkcs10CertificateRequestGenerator } = require('@peculiar/x509') as typeof import('@peculiar/x509');
  const { createPrivateKey, createPublicKey } = require('node:crypto') as typeof import('node:crypto');
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const privateKey = createPrivateKey(key);
  const [pkcs8, spki] = [
    privateKey.export({ type: 'pkcs8', format: 'der' }),
    createPublicKey(privateKey).export({ type: 'spki', format: 'der' }),
  ];
  const keys = {
    privateKey: (await webcrypto.subtle.importKey('pkcs8', pkcs8, algorithm, false, ['sign'])) as webcrypto.CryptoKey,
    publicKey: (await webcrypto.subtle.importKey('spki', spki, algorithm, true, ['verify'])) as webcrypto.CryptoKey,
  };
  const request = await Pkcs10CertificateRequestGenerator.create({
    name: [{ CN: [name] }],
    keys,
    signingAlgorithm: algorithm,
  });
  return request.toString('pem');
}

/** For logs: which key it is, without it. */
export function keyName(key: string): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 8);
}
