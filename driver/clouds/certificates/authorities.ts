import type { X509Certificate } from 'node:crypto';
import { ValidationError } from '../../domain/errors';
import { MaterialError } from './x509/errors';
import { judgeValidity, readValidity } from './x509/material';
import { isIssuedBy, type RevocationList, readCaBundle, readRevocationLists } from './x509/revocation';

const CA_FAULT =
  'The client authentication CA certificate is invalid. It must be a valid x509 PEM format certificate. Error: ';
const CRL_FAULT =
  'The client authentication certificate revocation list is invalid. It must be a valid x509 PEM format certificate ' +
  'revocation list. Error: ';
const CRL_MISMATCH = 'The CRL specified is not valid for client certificate authority reference supplied.';

/** The CA certificates of a secret. @throws ValidationError with Octavia's text */
export function parseCaBundle(payload: Buffer): X509Certificate[] {
  return orRefuse(CA_FAULT, () => readCaBundle(payload));
}

/** The revocation lists of a secret. @throws ValidationError with Octavia's text */
export function parseCrl(payload: Buffer): RevocationList[] {
  return orRefuse(CRL_FAULT, () => readRevocationLists(payload));
}

function orRefuse<T>(fault: string, read: () => T): T {
  try {
    return read();
  } catch (err) {
    throw err instanceof MaterialError ? new ValidationError(`${fault}${err.message}`) : err;
  }
}

/**
 * The CA bundle can be used now, and so can the revocation lists, which its authorities issued. A bundle with some
 * expired certificates among others is used for the others.
 * @throws ValidationError with Octavia's texts
 */
export async function checkAuthorities(ca: Buffer | null, crl: Buffer | null, now: Date): Promise<void> {
  if (!ca) return;
  const authorities = parseCaBundle(ca);
  const faults = authorities.map((authority) => judgeValidity(readValidity(authority), now));
  const [fault] = faults;
  if (fault && faults.every(Boolean)) throw new ValidationError(`${CA_FAULT}${fault}`);
  if (!crl) return;
  for (const list of parseCrl(crl)) {
    if (!(await isIssuedBy(list, authorities))) throw new ValidationError(CRL_MISMATCH);
    if (list.nextUpdate && list.nextUpdate <= now) {
      throw new ValidationError(`${CRL_FAULT}it expired on ${list.nextUpdate.toISOString()}`);
    }
  }
}
