import type { KeyObject } from 'node:crypto';
import { z } from 'zod';
import { inTransaction } from '../../db/connect';
import { type Enrolling, findEnrolling, holdsKey, insertCertificate, useToken } from '../../db/engineCertificates';
import { retireEngine } from '../../db/engines';
import { recordEvents } from '../../db/events';
import { hasServed, tokenMatches } from '../../domain/engine';
import type { Sealer } from '../../domain/sealing';
import { readEngineKey } from '../../pki/authority';
import { Pkcs10CertificateRequest } from '../../pki/library';
import { BACKDATED } from '../../pki/newAuthority';
import { type CallerDeps, comesFrom, digestOfKey, type ProvenEngine, type TurnedAway } from './callers';

/** What an engine that has no certificate posts. */
export const EnrolRequest = z.object({
  engineId: z.string().min(1).max(64),
  token: z.string().min(1).max(256),
  /** PKCS #10, PEM. Only its key is read. */
  csr: z.string().max(8_192),
});
/** What one posts that is to have another. */
export const RenewRequest = z.object({ csr: z.string().max(8_192) });

export interface Enrolled {
  /** PEM. */
  readonly certificate: string;
  readonly ca: string;
  /** The controller's clock, milliseconds since 1970. */
  readonly now: number;
}

export interface EnrolmentDeps extends CallerDeps {
  /** Seconds that certificates are good for. */
  readonly validity: number;
  /** Of the tokens; absent where the configuration has no key. */
  readonly sealer?: Sealer | undefined;
}

/** Trades a token for a certificate, once. The same key may ask again while the token lasts: an answer may get lost. */
export async function enrol(
  deps: EnrolmentDeps,
  { engineId, token, csr }: z.infer<typeof EnrolRequest>,
  address: string,
): Promise<Enrolled | TurnedAway> {
  const key = await readKey(csr);
  if (!key) return { code: 'request', reason: 'the certificate request cannot be used' };
  const engine = await findEnrolling(deps.db, engineId);
  // One answer for both, so that ids cannot be tried out.
  if (!engine || !tokenMatches(token, engine.tokenHash, { engineId, sealer: deps.sealer })) {
    return badToken(deps, engine, address);
  }
  const refused = await judgeToken(deps, { engine, address, key });
  if (refused) return refused;
  const issued = await issue(deps, engine.id, key);
  const kept = await inTransaction(deps.db, async (trx) => {
    if (!engine.tokenUsed && !(await useToken(trx, engine.id, engine.tokenHash ?? ''))) return false;
    await insertCertificate(trx, { ...issued, engineId: engine.id, keyDigest: digestOfKey(key) });
    const message = `service engine ${engine.name} has traded its token for a certificate (serial ${issued.serial}) at ${address}`;
    await recordEvents(trx, [{ name: 'ENGINE_ENROLLED', severity: 'info', message }], { engineId: engine.id });
    return true;
  });
  return kept ? answer(deps, issued.pem) : { code: 'later', reason: 'somebody else uses this token right now' };
}

/** Another certificate for an engine that has one. Both are good until it uses the new one. */
export async function renew(
  deps: EnrolmentDeps,
  { engineId }: ProvenEngine,
  { csr }: z.infer<typeof RenewRequest>,
): Promise<Enrolled | TurnedAway> {
  const key = await readKey(csr);
  if (!key) return { code: 'request', reason: 'the certificate request cannot be used' };
  const issued = await issue(deps, engineId, key);
  await insertCertificate(deps.db, { ...issued, engineId, keyDigest: digestOfKey(key) });
  return answer(deps, issued.pem);
}

async function issue({ authority, validity }: EnrolmentDeps, engineId: string, publicKey: KeyObject) {
  const now = Date.now();
  const times = { notBefore: now - BACKDATED, notAfter: now + validity * 1000 };
  return authority.issue({ name: engineId, publicKey, purpose: 'client', ...times });
}

function answer({ authority }: EnrolmentDeps, certificate: string): Enrolled {
  return { certificate, ca: authority.pem, now: Date.now() };
}

/** The key, if it is one of ours and whoever asks has its private half. */
async function readKey(csr: string): Promise<KeyObject | undefined> {
  try {
    const request = new Pkcs10CertificateRequest(csr);
    const key = readEngineKey(new Uint8Array(request.publicKey.rawData));
    return (await request.verify()) ? key : undefined;
  } catch {
    return undefined;
  }
}

const NO_TOKEN: TurnedAway = { code: 'token', reason: 'unknown engine, or not its token' };

function badToken({ teller }: EnrolmentDeps, engine: Enrolling | undefined, address: string): TurnedAway {
  if (engine) {
    const message = `somebody at ${address} asked for a certificate of service engine ${engine.name} without its token`;
    teller.tell({ name: 'ENGINE_TOKEN_REFUSED', severity: 'warning', message, engineId: engine.id });
  }
  return NO_TOKEN;
}

interface Attempt {
  readonly engine: Enrolling;
  readonly address: string;
  readonly key: KeyObject;
}

/** Undefined if the token may be traded. */
async function judgeToken(deps: EnrolmentDeps, attempt: Attempt): Promise<TurnedAway | undefined> {
  const { engine, address, key } = attempt;
  const { teller, checkAddress, db } = deps;
  const refuse = (name: string, message: string): TurnedAway => {
    teller.tell({ name, severity: 'error', message: `service engine ${engine.name}: ${message}`, engineId: engine.id });
    return NO_TOKEN;
  };
  if (checkAddress && engine.managementAddress === null) {
    return { code: 'later', reason: 'the address of this engine is not known yet' };
  }
  if (!comesFrom(deps, engine, address)) {
    const message = `its token came from ${address} instead of ${engine.managementAddress}: it was stolen, and refused`;
    return refuse('ENGINE_TOKEN_STOLEN', message);
  }
  if (engine.deleting) return refuse('ENGINE_TOKEN_REFUSED', 'it asks for a certificate although it is on its way out');
  if (engine.tokenUsed) {
    if (!engine.tokenExpired && (await holdsKey(db, engine.id, digestOfKey(key)))) return undefined;
    return usedAgain(deps, attempt, refuse);
  }
  return engine.tokenExpired ? refuse('ENGINE_TOKEN_EXPIRED', 'its token has expired before it called') : undefined;
}

/**
 * The engine has a certificate, and this is another key. While it is connected somebody else on it has read its token; else
 * the disk with its key is gone: it was rebuilt, and is not the one any more that was enrolled.
 */
async function usedAgain(
  { db, hintEngine }: EnrolmentDeps,
  { engine, address }: Attempt,
  refuse: (name: string, message: string) => TurnedAway,
): Promise<TurnedAway> {
  if (engine.connected || !hasServed(engine)) {
    return refuse('ENGINE_TOKEN_REUSED', `its token was used a second time, with another key, at ${address}: refused`);
  }
  await retireEngine(db, engine.id);
  await hintEngine(engine.id);
  return refuse('ENGINE_REBUILT', 'it asks for another certificate, so its disk was replaced; the engine is, too');
}
