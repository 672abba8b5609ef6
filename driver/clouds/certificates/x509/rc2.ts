/**
 * RC2 in CBC mode (RFC 2268), decryption only: OpenSSL before 3.0 encrypted the certificates of every PKCS12 bundle with it,
 * and Node's OpenSSL no longer has it. Weak, and harmless here: it only ever hides certificates behind an empty pass phrase.
 */

const PI_TABLE = Buffer.from(
  'd978f9c419ddb5ed28e9fd794aa0d89dc67e37832b76538e624c6488448bfba2179a59f587b34f1361456d8d09817d32bd8f40eb86b77b0bf0' +
    '9521225c6b4e8254d66593ce60b21c7356c014a78cf1dc1275ca1f3bbee4d1423dd430a33cb6266fbf0eda4669075727f21d9bbc944303f811' +
    'c7f690ef3ee706c3d52fc8661ed708e8eade8052eef784aa72ac354d6a2a961ad2715a1549744b9fd05e0418a4ecc2e0416e0f51cbcc2491af' +
    '50a1f47039997c3a8523b8b47afc02365b255597312d5dfa98e38a92ae05df2910676cbac9d300e6cfe19ea82c6316013f58e289a90d38341b' +
    'ab33ffb0bb480c5fb9b1cd2ec5f3db47e5a59c770aa62068fe7fc1ad',
  'hex',
);
const BLOCK = 8;

/**
 * Decrypts and takes the padding off. All bits of the key count.
 * @throws RangeError when the padding is not one: the key is wrong
 */
export function decryptRc2(encrypted: Uint8Array, key: Buffer, iv: Buffer): Buffer {
  const words = expandKey(key);
  const clear = Buffer.alloc(encrypted.length - (encrypted.length % BLOCK));
  let previous: Uint8Array = iv;
  for (let at = 0; at < clear.length; at += BLOCK) {
    const block = encrypted.subarray(at, at + BLOCK);
    const mixed = decryptBlock(Buffer.from(block), words);
    for (let byte = 0; byte < BLOCK; byte++) clear[at + byte] = (mixed[byte] ?? 0) ^ (previous[byte] ?? 0);
    previous = block;
  }
  const padding = clear.at(-1) ?? 0;
  const isPadded = padding >= 1 && padding <= BLOCK && clear.subarray(-padding).every((byte) => byte === padding);
  if (!isPadded || clear.length !== encrypted.length) throw new RangeError('bad padding');
  return clear.subarray(0, clear.length - padding);
}

function expandKey(key: Buffer): Uint16Array {
  const bytes = Buffer.alloc(128);
  key.copy(bytes);
  const byteAt = (at: number): number => bytes[at] ?? 0;
  const pi = (at: number): number => PI_TABLE[at & 0xff] ?? 0;
  for (let at = key.length; at < 128; at++) bytes[at] = pi(byteAt(at - 1) + byteAt(at - key.length));
  bytes[128 - key.length] = pi(byteAt(128 - key.length));
  for (let at = 127 - key.length; at >= 0; at--) bytes[at] = pi(byteAt(at + 1) ^ byteAt(at + key.length));
  return Uint16Array.from({ length: 64 }, (_, word) => bytes.readUInt16LE(2 * word));
}

const ROTATIONS = [1, 2, 3, 5];

function decryptBlock(block: Buffer, key: Uint16Array): Buffer {
  const r = Uint16Array.from({ length: 4 }, (_, word) => block.readUInt16LE(2 * word));
  const at = (word: number): number => r[(word + 4) % 4] ?? 0;
  let next = 63;
  for (let round = 15; round >= 0; round--) {
    for (let word = 3; word >= 0; word--) {
      const shift = ROTATIONS[word] ?? 0;
      const rotated = ((at(word) >>> shift) | (at(word) << (16 - shift))) & 0xffff;
      r[word] = rotated - (key[next--] ?? 0) - (at(word - 1) & at(word - 2)) - (~at(word - 1) & at(word - 3));
    }
    if (round !== 5 && round !== 11) continue;
    for (let word = 3; word >= 0; word--) r[word] = at(word) - (key[at(word - 1) & 63] ?? 0);
  }
  const clear = Buffer.alloc(BLOCK);
  r.forEach((value, word) => void clear.writeUInt16LE(value, 2 * word));
  return clear;
}
