import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';

/**
 * Keeps secrets in the database: encrypted with AES-256-GCM under a key that is in the configuration alone. `context` says
 * what the secret is of (`bgp-md5 <group id>`), and must be the same when it is opened: one sealed text cannot be put in the
 * place of another.
 */
export interface Sealer {
  /** Begins with `sealed:`, then base64; 39 characters and 4/3 of the clear text's bytes. */
  seal(clear: string, context: string): string;
  /** @throws Error when it was sealed by another key or for another context, or was changed */
  open(sealed: string, context: string): string;
  /** A keyed digest, hex, 64 characters: who has the database alone can neither make nor check one. */
  digest(text: string, context: string): string;
}

const MARK = 'sealed:';
const CIPHER = 'aes-256-gcm';
const [IV_LENGTH, TAG_LENGTH, KEY_LENGTH] = [12, 16, 32];

/** @param passphrases the first seals and digests, all of them open: keys are replaced by putting a new one in front */
export function createSealer(passphrases: readonly [string, ...string[]]): Sealer {
  const keys = passphrases.map((it) => deriveKey(it, 'seal'));
  const digestKey = deriveKey(passphrases[0], 'digest');
  return {
    seal(clear, context) {
      const iv = randomBytes(IV_LENGTH);
      const cipher = createCipheriv(CIPHER, keys[0] ?? Buffer.alloc(0), iv).setAAD(Buffer.from(context));
      const encrypted = Buffer.concat([cipher.update(clear, 'utf8'), cipher.final()]);
      return `${MARK}${Buffer.concat([iv, cipher.getAuthTag(), encrypted]).toString('base64')}`;
    },
    open(sealed, context) {
      for (const key of keys) {
        const clear = tryOpen(key, sealed, context);
        if (clear !== undefined) return clear;
      }
      throw new Error(`what was sealed for "${context}" cannot be opened: another key sealed it, or it was changed`);
    },
    digest: (text, context) => createHmac('sha256', digestKey).update(`${context}\0${text}`).digest('hex'),
  };
}

function deriveKey(passphrase: string, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', passphrase, 'slipstream', purpose, KEY_LENGTH));
}

function tryOpen(key: Buffer, sealed: string, context: string): string | undefined {
  if (!sealed.startsWith(MARK)) return undefined;
  const bytes = Buffer.from(sealed.slice(MARK.length), 'base64');
  try {
    const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, IV_LENGTH), { authTagLength: TAG_LENGTH });
    decipher.setAAD(Buffer.from(context)).setAuthTag(bytes.subarray(IV_LENGTH, IV_LENGTH + TAG_LENGTH));
    return Buffer.concat([decipher.update(bytes.subarray(IV_LENGTH + TAG_LENGTH)), decipher.final()]).toString('utf8');
  } catch {
    return undefined;
  }
}
