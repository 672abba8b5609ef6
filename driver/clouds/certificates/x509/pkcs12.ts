import { createHmac, type KeyObject, timingSafeEqual, type X509Certificate } from 'node:crypto';
import { type ContentInfo, EncryptedContentInfo, id_data, id_encryptedData } from '@peculiar/asn1-cms';
import {
  AuthenticatedSafe,
  CertBag,
  id_certBag,
  id_keyBag,
  id_pkcs8ShroudedKeyBag,
  id_x509Certificate,
  type MacData,
  PFX,
  PKCS8ShroudedKeyBag,
  type SafeBag,
  SafeContents,
} from '@peculiar/asn1-pfx';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import { fromBER, Sequence } from 'asn1js';
import { parseCertificate } from './certificate';
import { MaterialError } from './errors';
import { decryptWithPassword, deriveKey, encodePassword, type Password } from './passwordEncryption';
import { parsePrivateKey } from './privateKey';

/** What a PKCS12 bundle holds. */
export interface Bundle {
  readonly key: KeyObject;
  /** Of the key. */
  readonly certificate: X509Certificate;
  readonly others: readonly X509Certificate[];
}

const MAC_HASHES: Readonly<Record<string, string>> = {
  '1.3.14.3.2.26': 'sha1',
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};

/**
 * Reads a bundle that needs no pass phrase: without one, or with an empty one.
 * @throws MaterialError with the reason
 */
export async function readPkcs12(payload: Buffer): Promise<Bundle> {
  try {
    const pfx = AsnConvert.parse(new Uint8Array(payload), PFX);
    const content = octetsOf(pfx.authSafe.content);
    const password = await findPassword(pfx.macData, content);
    const bags: SafeBag[] = [];
    for (const part of AsnConvert.parse(content, AuthenticatedSafe)) bags.push(...(await openPart(part, password)));
    return await sortBags(bags, password);
  } catch (err) {
    throw err instanceof MaterialError ? err : new MaterialError('Invalid password or PKCS12 data', { cause: err });
  }
}

function octetsOf(der: ArrayBuffer): Buffer {
  return Buffer.from(AsnConvert.parse(der, OctetString).buffer);
}

/** No password at all and an empty one are two things; the checksum tells which one it was. */
async function findPassword(mac: MacData | undefined, content: Buffer): Promise<Password> {
  const empty = encodePassword('');
  const hash = mac && MAC_HASHES[mac.mac.digestAlgorithm.algorithm];
  if (!mac || !hash) return empty;
  for (const password of [empty, encodePassword(undefined)]) {
    if (await hasChecksum(mac, hash, { content, password })) return password;
  }
  throw new MaterialError('Invalid password or PKCS12 data');
}

async function hasChecksum(
  mac: MacData,
  hash: string,
  { content, password }: { readonly content: Buffer; readonly password: Password },
): Promise<boolean> {
  const expected = Buffer.from(mac.mac.digest.buffer);
  const salt = Buffer.from(mac.macSalt.buffer);
  const rounds = mac.iterations;
  const key = await deriveKey({ hash, password, salt, rounds, purpose: 'mac', length: expected.length });
  const actual = createHmac(hash, key).update(content).digest();
  return actual.length === expected.length && timingSafeEqual(actual, expected);
}

async function openPart({ contentType, content }: ContentInfo, password: Password): Promise<readonly SafeBag[]> {
  if (contentType === id_data) return AsnConvert.parse(octetsOf(content), SafeContents);
  if (contentType !== id_encryptedData) throw new MaterialError('Invalid password or PKCS12 data');
  const { contentEncryptionAlgorithm, encryptedContent } = readEncryptedData(content);
  const pieces = encryptedContent?.value ? [encryptedContent.value] : (encryptedContent?.constructedValue ?? []);
  const encrypted = Buffer.concat(pieces.map(({ buffer }) => Buffer.from(buffer)));
  return AsnConvert.parse(await decryptWithPassword(contentEncryptionAlgorithm, encrypted, password), SafeContents);
}

/** `EncryptedData ::= SEQUENCE { version, encryptedContentInfo, ... }`. */
function readEncryptedData(der: ArrayBuffer): EncryptedContentInfo {
  const { result } = fromBER(der);
  const info = result instanceof Sequence ? result.valueBlock.value[1] : undefined;
  if (!info) throw new MaterialError('Invalid password or PKCS12 data');
  return AsnConvert.parse(info.toBER(), EncryptedContentInfo);
}

async function sortBags(bags: readonly SafeBag[], password: Password): Promise<Bundle> {
  const keys: KeyObject[] = [];
  const certificates: X509Certificate[] = [];
  for (const { bagId, bagValue } of bags) {
    if (bagId === id_keyBag) keys.push(parsePrivateKey(Buffer.from(bagValue)));
    if (bagId === id_pkcs8ShroudedKeyBag) keys.push(await openKey(bagValue, password));
    if (bagId === id_certBag) certificates.push(...openCertificate(bagValue));
  }
  const [key] = keys;
  if (!key) throw new MaterialError('there is no private key in it');
  const certificate = certificates.find((candidate) => candidate.checkPrivateKey(key));
  if (!certificate) throw new MaterialError('there is no certificate of the private key in it');
  return { key, certificate, others: certificates.filter((other) => other !== certificate) };
}

async function openKey(bagValue: ArrayBuffer, password: Password): Promise<KeyObject> {
  const { encryptionAlgorithm, encryptedData } = AsnConvert.parse(bagValue, PKCS8ShroudedKeyBag);
  return parsePrivateKey(
    await decryptWithPassword(encryptionAlgorithm, new Uint8Array(encryptedData.buffer), password),
  );
}

function openCertificate(bagValue: ArrayBuffer): X509Certificate[] {
  const { certId, certValue } = AsnConvert.parse(bagValue, CertBag);
  return certId === id_x509Certificate ? [parseCertificate(octetsOf(certValue))] : [];
}
