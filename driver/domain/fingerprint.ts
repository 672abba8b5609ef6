import { createHash } from 'node:crypto';

/** What a certificate is known by: SHA-256 of its DER, 64 hex digits in lower case. */
export function fingerprintOf(der: Uint8Array): string {
  return createHash('sha256').update(der).digest('hex');
}

/** The same fingerprint as other programs write it (colons, capitals), in our form; undefined for what is none. */
export function readFingerprint(text: string): string | undefined {
  const digits = text.replaceAll(':', '').trim().toLowerCase();
  return /^[0-9a-f]{64}$/.test(digits) ? digits : undefined;
}
