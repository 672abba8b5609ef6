import { createHash, type KeyObject, type X509Certificate } from 'node:crypto';
import ipaddr from 'ipaddr.js';
import type { Db } from '../../db/connect';
import { type Enrolling, findCertificate, type HeldCertificate } from '../../db/engineCertificates';
import { retireEngine } from '../../db/engines';
import type { Authority } from '../../pki/authority';
import type { Teller } from './teller';

/** An engine that has proved itself by its certificate. */
export interface ProvenEngine {
  readonly engineId: string;
  readonly serial: string;
  /** Milliseconds since 1970. */
  readonly notAfter: number;
}

/** Why somebody is turned away. `code` is for the agent, `reason` for people. */
export interface TurnedAway {
  readonly code: 'revoked' | 'expired' | 'elsewhere' | 'token' | 'request' | 'later';
  readonly reason: string;
}

export interface CallerDeps {
  readonly db: Db;
  readonly authority: Authority;
  readonly teller: Teller;
  /** Engines come from the management address of their server. */
  readonly checkAddress: boolean;
  /** The engine's unit is to be looked at. */
  readonly hintEngine: (engineId: string) => Promise<void>;
}

/** Whether the CA has issued it. Its times are not looked at: the database says how long it is good. */
export function isIssued(certificate: X509Certificate, { certificate: ca }: Authority): boolean {
  return certificate.checkIssued(ca) && certificate.verify(ca.publicKey);
}

/** Judges a certificate that the CA has issued. */
export async function judgeCertificate(
  deps: CallerDeps,
  certificate: X509Certificate,
  address: string,
): Promise<ProvenEngine | TurnedAway> {
  const { db, teller } = deps;
  const serial = certificate.serialNumber;
  const held = await findCertificate(db, serial);
  if (!held) {
    const message = `a certificate that was revoked (serial ${serial}) was shown from ${address}`;
    teller.tell({
      name: 'ENGINE_CERTIFICATE_REVOKED',
      severity: 'warning',
      message,
      engineId: engineNamed(certificate),
    });
    return { code: 'revoked', reason: 'this certificate was revoked' };
  }
  if (held.expired) return expired(deps, held);
  if (!comesFrom(deps, held, address)) return elsewhere(deps, held, address);
  return { engineId: held.id, serial, notAfter: Date.parse(certificate.validTo) };
}

/** It was not renewed in time, so the engine was away for long: its load balancers have long moved. */
async function expired({ db, teller, hintEngine }: CallerDeps, held: HeldCertificate): Promise<TurnedAway> {
  const message = `service engine ${held.name} called with a certificate that has expired; it is replaced`;
  teller.tell({ name: 'ENGINE_CERTIFICATE_EXPIRED', severity: 'error', message, engineId: held.id });
  await retireEngine(db, held.id);
  await hintEngine(held.id);
  return { code: 'expired', reason: 'this certificate has expired' };
}

function elsewhere({ teller }: CallerDeps, held: HeldCertificate, address: string): TurnedAway {
  const known = `service engine ${held.name} (${held.managementAddress})`;
  teller.tell(
    held.connected
      ? {
          name: 'ENGINE_CLONED',
          severity: 'error',
          message: `the key of ${known} was used from ${address} while the engine is connected: its disk was copied. Whoever is there was turned away`,
          engineId: held.id,
        }
      : {
          name: 'ENGINE_ELSEWHERE',
          severity: 'error',
          message: `the key of ${known} was used from ${address}, where that engine is not; whoever is there was turned away`,
          engineId: held.id,
        },
  );
  return { code: 'elsewhere', reason: 'this engine has another address' };
}

/** True where nobody knows the engine's address yet is up to the caller: a certificate is only given to known ones. */
export function comesFrom(
  { checkAddress }: Pick<CallerDeps, 'checkAddress'>,
  { managementAddress }: Pick<Enrolling, 'managementAddress'>,
  address: string,
): boolean {
  if (!checkAddress || managementAddress === null) return true;
  return plainAddress(managementAddress) === plainAddress(address);
}

/** One writing for one address; those of IPv4 in IPv6 are IPv4. */
export function plainAddress(address: string): string {
  return ipaddr.isValid(address) ? ipaddr.process(address).toNormalizedString() : address;
}

/** What the certificate says it is of; the CA has put it there. */
export function engineNamed(certificate: X509Certificate): string | null {
  return /^CN=(.{1,64})$/m.exec(certificate.subject)?.[1] ?? null;
}

export function digestOfKey(key: KeyObject): string {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex');
}
