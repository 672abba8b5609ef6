import { createDecipheriv, createHash, pbkdf2 } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { fromBER, Integer, ObjectIdentifier, OctetString, Sequence } from 'asn1js';
import { MaterialError } from './errors';
import { decryptRc2 } from './rc2';

/** How something is encrypted with a password: an algorithm identifier of ASN.1. */
export interface PasswordAlgorithm {
  readonly algorithm: string;
  /** DER. */
  readonly parameters?: ArrayBuffer | null;
}

/**
 * A password in the two forms that formats want: bytes, and for PKCS12 a text of 16 bits a character that ends in zero.
 * An absent password is, in PKCS12, something else than an empty one.
 */
export interface Password {
  readonly bytes: Buffer;
  readonly wide: Buffer;
}

/** More rounds than anybody uses; a higher number would only keep the process busy. */
const MAX_ROUNDS = 1_000_000;
/** Rounds between two chances for the rest of the process. */
const ROUNDS_A_TURN = 2_000;

const RC2 = 'rc2-cbc';
const PBES2 = '1.2.840.113549.1.5.13';
const PBKDF2 = '1.2.840.113549.1.5.12';
const PBKDF2_HASHES: Readonly<Record<string, string>> = {
  '1.2.840.113549.2.7': 'sha1',
  '1.2.840.113549.2.8': 'sha224',
  '1.2.840.113549.2.9': 'sha256',
  '1.2.840.113549.2.10': 'sha384',
  '1.2.840.113549.2.11': 'sha512',
};
const CIPHERS: Readonly<Record<string, { readonly name: string; readonly keyLength: number }>> = {
  '2.16.840.1.101.3.4.1.2': { name: 'aes-128-cbc', keyLength: 16 },
  '2.16.840.1.101.3.4.1.22': { name: 'aes-192-cbc', keyLength: 24 },
  '2.16.840.1.101.3.4.1.42': { name: 'aes-256-cbc', keyLength: 32 },
  '1.2.840.113549.3.7': { name: 'des-ede3-cbc', keyLength: 24 },
};
/** PKCS12's own schemes; its RC4 was never in use. */
const PKCS12_SCHEMES: Readonly<Record<string, { readonly cipher: string; readonly keyLength: number }>> = {
  '1.2.840.113549.1.12.1.3': { cipher: 'des-ede3-cbc', keyLength: 24 },
  '1.2.840.113549.1.12.1.4': { cipher: 'des-ede3-cbc', keyLength: 16 },
  '1.2.840.113549.1.12.1.5': { cipher: RC2, keyLength: 16 },
  '1.2.840.113549.1.12.1.6': { cipher: RC2, keyLength: 5 },
};

/** The two forms of a password; undefined is the absent one. */
export function encodePassword(password: string | undefined): Password {
  const wide = password === undefined ? Buffer.alloc(0) : Buffer.from(`${password}\0`, 'utf16le').swap16();
  return { bytes: Buffer.from(password ?? '', 'utf8'), wide };
}

/**
 * Decrypts PBES2 (PBKDF2 with AES or triple DES, CBC) and PKCS12's schemes with triple DES and RC2.
 * @throws MaterialError for an unknown scheme, and for a wrong password in nearly every case
 */
export async function decryptWithPassword(
  { algorithm, parameters }: PasswordAlgorithm,
  encrypted: Uint8Array,
  password: Password,
): Promise<Buffer> {
  const scheme = PKCS12_SCHEMES[algorithm];
  if (algorithm !== PBES2 && !scheme) {
    throw new MaterialError(`encrypted in a way that is not supported (${algorithm}); please use AES`);
  }
  const derived = await (scheme ? deriveForPkcs12(parameters, scheme, password) : deriveForPbes2(parameters, password));
  try {
    return decrypt(derived, encrypted);
  } catch (err) {
    throw new MaterialError('wrong pass phrase', { cause: err });
  }
}

function decrypt({ cipher, key, iv }: Derived, encrypted: Uint8Array): Buffer {
  if (cipher === RC2) return decryptRc2(encrypted, key, iv);
  const decipher = createDecipheriv(cipher, key, iv);
  return Buffer.concat([decipher.update(encrypted), decipher.final()]);
}

interface Derived {
  readonly cipher: string;
  readonly key: Buffer;
  readonly iv: Buffer;
}

async function deriveForPbes2(parameters: ArrayBuffer | null | undefined, { bytes }: Password): Promise<Derived> {
  const [derivation, encryption] = readSequence(parameters);
  const [scheme, settings] = itemsOf(derivation);
  const [cipherId, iv] = itemsOf(encryption);
  const cipher = CIPHERS[readOid(cipherId)];
  if (readOid(scheme) !== PBKDF2 || !cipher) throw new MaterialError('encrypted in a way that is not supported');
  const [salt, rounds, ...options] = itemsOf(settings);
  const prf = options.find((option): option is Sequence => option instanceof Sequence);
  const hash = prf ? PBKDF2_HASHES[readOid(itemsOf(prf)[0])] : 'sha1';
  if (!hash) throw new MaterialError('encrypted in a way that is not supported');
  const key = await promisify(pbkdf2)(bytes, readOctets(salt), readRounds(rounds), cipher.keyLength, hash);
  return { cipher: cipher.name, key, iv: readOctets(iv) };
}

async function deriveForPkcs12(
  parameters: ArrayBuffer | null | undefined,
  { cipher, keyLength }: { readonly cipher: string; readonly keyLength: number },
  password: Password,
): Promise<Derived> {
  const [saltItem, roundsItem] = readSequence(parameters);
  const given = { hash: 'sha1', password, salt: readOctets(saltItem), rounds: readRounds(roundsItem) };
  const key = await deriveKey({ ...given, purpose: 'key', length: keyLength });
  const iv = await deriveKey({ ...given, purpose: 'iv', length: 8 });
  const isTwoKey = cipher !== RC2 && keyLength === 16;
  // Two-key triple DES uses its first key again as the third.
  return { cipher, key: isTwoKey ? Buffer.concat([key, key.subarray(0, 8)]) : key, iv };
}

const PURPOSES = { key: 1, iv: 2, mac: 3 } as const;

/**
 * PKCS12's key derivation (RFC 7292, appendix B.2).
 * @throws MaterialError for a number of rounds that is out of bounds
 */
export async function deriveKey(given: {
  readonly hash: string;
  readonly password: Password;
  readonly salt: Buffer;
  readonly rounds: number;
  readonly purpose: keyof typeof PURPOSES;
  readonly length: number;
}): Promise<Buffer> {
  const { hash, password, salt, length } = given;
  const rounds = checkRounds(given.rounds);
  const block = hash === 'sha384' || hash === 'sha512' ? 128 : 64;
  const diversifier = Buffer.alloc(block, PURPOSES[given.purpose]);
  let input: Buffer = Buffer.concat([repeatToBlocks(salt, block), repeatToBlocks(password.wide, block)]);
  let derived: Buffer = Buffer.alloc(0);
  for (;;) {
    let digest = createHash(hash).update(diversifier).update(input).digest();
    for (let round = 1; round < rounds; round++) {
      digest = createHash(hash).update(digest).digest();
      if (round % ROUNDS_A_TURN === 0) await nextTurn();
    }
    derived = Buffer.concat([derived, digest]);
    if (derived.length >= length) return derived.subarray(0, length);
    input = addToBlocks(input, Buffer.alloc(block, digest), block);
  }
}

function repeatToBlocks(value: Buffer, block: number): Buffer {
  return value.length === 0 ? value : Buffer.alloc(Math.ceil(value.length / block) * block, value);
}

/** Each block of the input plus the addend plus one, as big-endian numbers of that width. */
function addToBlocks(input: Buffer, addend: Buffer, block: number): Buffer {
  const sums = Buffer.from(input);
  for (let start = 0; start < sums.length; start += block) {
    let carry = 1;
    for (let at = block - 1; at >= 0; at--) {
      const sum = (sums[start + at] ?? 0) + (addend[at] ?? 0) + carry;
      sums[start + at] = sum & 0xff;
      carry = sum >> 8;
    }
  }
  return sums;
}

function checkRounds(rounds: number): number {
  if (!(rounds >= 1 && rounds <= MAX_ROUNDS)) throw new MaterialError('too many rounds of key derivation');
  return rounds;
}

function readSequence(der: ArrayBuffer | null | undefined): readonly unknown[] {
  return itemsOf(der ? fromBER(der).result : undefined);
}

function itemsOf(value: unknown): readonly unknown[] {
  if (!(value instanceof Sequence)) throw new MaterialError('encrypted in a way that cannot be read');
  return value.valueBlock.value;
}

function readOid(value: unknown): string {
  return value instanceof ObjectIdentifier ? value.getValue() : '';
}

function readOctets(value: unknown): Buffer {
  if (!(value instanceof OctetString)) throw new MaterialError('encrypted in a way that cannot be read');
  return Buffer.from(value.getValue());
}

function readRounds(value: unknown): number {
  if (!(value instanceof Integer)) throw new MaterialError('encrypted in a way that cannot be read');
  return checkRounds(value.valueBlock.valueDec);
}
