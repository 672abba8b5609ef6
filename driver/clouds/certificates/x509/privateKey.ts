import { createPrivateKey, type KeyObject } from 'node:crypto';
import { EncryptedPrivateKeyInfo } from '@peculiar/asn1-pkcs8';
import { AsnConvert } from '@peculiar/asn1-schema';
import { MaterialError } from './errors';
import { decryptWithPassword, encodePassword } from './passwordEncryption';
import { looksLikePem, splitPem } from './pem';

/**
 * Reads a private key: PEM or DER; PKCS8, PKCS1 or SEC1; in the clear or encrypted with the pass phrase.
 * @throws MaterialError when it is no key, or the pass phrase is missing or wrong
 */
export async function readPrivateKey(payload: Buffer, passphrase?: string): Promise<KeyObject> {
  if (!looksLikePem(payload)) return readDer(payload, passphrase);
  const block = splitPem(payload).find(({ label }) => label.endsWith('PRIVATE KEY'));
  if (!block) throw new MaterialError('no private key in it');
  if (block.label === 'ENCRYPTED PRIVATE KEY') return readEncrypted(block.der, passphrase);
  try {
    return createPrivateKey({ key: block.text, ...(passphrase === undefined ? {} : { passphrase }) });
  } catch (err) {
    throw new MaterialError('the private key cannot be read; its pass phrase may be missing or wrong', { cause: err });
  }
}

/** A key in one of the binary forms, unencrypted. @throws MaterialError */
export function parsePrivateKey(der: Buffer): KeyObject {
  const key = tryForms(der);
  if (!key) throw new MaterialError('the private key cannot be read');
  return key;
}

function tryForms(der: Buffer): KeyObject | undefined {
  for (const type of ['pkcs8', 'pkcs1', 'sec1'] as const) {
    try {
      return createPrivateKey({ key: der, format: 'der', type });
    } catch {
      // Another form, perhaps.
    }
  }
  return undefined;
}

async function readDer(der: Buffer, passphrase?: string): Promise<KeyObject> {
  return tryForms(der) ?? readEncrypted(der, passphrase);
}

async function readEncrypted(der: Buffer, passphrase?: string): Promise<KeyObject> {
  const { encryptionAlgorithm, encryptedData } = parseEncrypted(der);
  if (passphrase === undefined) throw new MaterialError('the private key needs a pass phrase');
  const clear = await decryptWithPassword(
    encryptionAlgorithm,
    new Uint8Array(encryptedData.buffer),
    encodePassword(passphrase),
  );
  return parsePrivateKey(clear);
}

function parseEncrypted(der: Buffer): EncryptedPrivateKeyInfo {
  try {
    return AsnConvert.parse(new Uint8Array(der), EncryptedPrivateKeyInfo);
  } catch (err) {
    throw new MaterialError('the private key cannot be read', { cause: err });
  }
}

/** PKCS8 in the clear, as PEM with a line end. */
export function privateKeyPem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}
