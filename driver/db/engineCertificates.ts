import type { EngineStatus } from '../domain/engine';
import { fromBit, fromDbTime, toDbTime } from './codecs';
import { type Db, dbNow, nowPlus, nowSql } from './connect';
import type { EngineCertificateRow, ServiceEngineRow, Time } from './rows';

/**
 * Who an engine is: its token, which it trades for a certificate once, and the certificates it holds. A certificate without
 * a row is revoked; the rows go with the engine.
 */

/** Seconds a token lasts. */
export const TOKEN_LIFETIME = 3_600;

/** What is to be known of an engine before it gets a certificate. */
export interface Enrolling {
  readonly id: string;
  readonly name: string;
  readonly status: EngineStatus;
  readonly deleting: boolean;
  readonly tokenHash: string | null;
  readonly tokenExpired: boolean;
  readonly tokenUsed: boolean;
  readonly managementAddress: string | null;
  /** Some health-manager holds a connection of it. */
  readonly connected: boolean;
}

export async function findEnrolling(db: Db, engineId: string): Promise<Enrolling | undefined> {
  const row: (ServiceEngineRow & { db_now: Time }) | undefined = await db('service_engine')
    .where({ id: engineId })
    .first('*', db.raw(`${nowSql(db)} as db_now`));
  return row && { ...identityOf(row), ...tokenOf(row) };
}

function identityOf(row: ServiceEngineRow) {
  const { id, name, status, management_address: managementAddress } = row;
  return { id, name, status, managementAddress, deleting: fromBit(row.deleting), connected: row.connected_to !== null };
}

/** Tokens of engines that were made before tokens had an end last until they are used. */
function tokenOf(row: ServiceEngineRow & { db_now: Time }) {
  const expires = row.token_expires_at;
  return {
    tokenHash: row.token_hash,
    tokenExpired: expires !== null && fromDbTime(expires) < fromDbTime(row.db_now),
    tokenUsed: row.token_used_at !== null,
  };
}

/** Uses the token up. False when somebody else just has. */
export async function useToken(trx: Db, engineId: string, tokenHash: string): Promise<boolean> {
  const used = await trx('service_engine')
    .where({ id: engineId, token_hash: tokenHash, token_used_at: null })
    .update({ token_used_at: dbNow(trx) });
  return used === 1;
}

export interface NewCertificate {
  readonly serial: string;
  readonly engineId: string;
  /** SHA-256 of the public key (SPKI), hex. */
  readonly keyDigest: string;
  /** Milliseconds since 1970. */
  readonly notAfter: number;
}

export async function insertCertificate(
  trx: Db,
  { serial, engineId, keyDigest, notAfter }: NewCertificate,
): Promise<void> {
  await trx('engine_certificate').insert({
    serial,
    service_engine_id: engineId,
    key_digest: keyDigest,
    expires_at: toDbTime(new Date(notAfter)),
    created_at: dbNow(trx),
  });
}

/** Whether the engine holds a certificate of that key. */
export async function holdsKey(db: Db, engineId: string, keyDigest: string): Promise<boolean> {
  const row: unknown = await db('engine_certificate')
    .where({ service_engine_id: engineId, key_digest: keyDigest })
    .first('serial');
  return row !== undefined;
}

/** A certificate that was not revoked, and its engine. */
export interface HeldCertificate extends Omit<Enrolling, 'tokenHash' | 'tokenExpired' | 'tokenUsed'> {
  /** By the database's clock. */
  readonly expired: boolean;
}

export async function findCertificate(db: Db, serial: string): Promise<HeldCertificate | undefined> {
  const row: (ServiceEngineRow & { db_now: Time; expires_at: Time }) | undefined = await db('engine_certificate as c')
    .join('service_engine as e', 'e.id', 'c.service_engine_id')
    .where('c.serial', serial)
    .first('e.*', 'c.expires_at', db.raw(`${nowSql(db)} as db_now`));
  return row && { ...identityOf(row), expired: fromDbTime(row.expires_at) < fromDbTime(row.db_now) };
}

/** The engine uses this certificate: older ones have served. */
export async function dropOlderCertificates(db: Db, engineId: string, serial: string): Promise<void> {
  const row: Pick<EngineCertificateRow, 'created_at'> | undefined = await db('engine_certificate')
    .where({ serial })
    .first('created_at');
  if (!row) return;
  await db('engine_certificate')
    .where({ service_engine_id: engineId })
    .whereNot({ serial })
    .where('created_at', '<=', row.created_at)
    .delete();
}

/** A new token, and nothing that was traded for an earlier one. */
export async function renewToken(db: Db, engineId: string, tokenHash: string): Promise<void> {
  await db('engine_certificate').where({ service_engine_id: engineId }).delete();
  await db('service_engine')
    .where({ id: engineId })
    .update({ token_hash: tokenHash, token_used_at: null, token_expires_at: nowPlus(db, TOKEN_LIFETIME) });
}
