import { X509Certificate } from 'node:crypto';
import { request } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { Logger } from 'pino';
import type { ClientOptions } from 'ws';
import { z } from 'zod';
import { connectTrusted } from './controllerTrust';
import { type Credentials, keepCredentials, newKey, readCredentials, requestFor } from './credentials';

/** How a controller is reached: in clear, or over mutual TLS with a certificate that a token was traded for. */
export interface Dialer {
  /** A way to the controller, to be used at once. @throws RefusedError, or Error when there is none at present */
  prepare(url: string): Promise<Way>;
  /** The controller has refused the WebSocket with this body. */
  refused(body: string): void;
  /** The controller has welcomed this engine and says what time it is, milliseconds since 1970. */
  welcomed(now: number): void;
  /** Has another certificate issued if two thirds of this one's time have passed. True: connect again, with it. To be called often. */
  renew(url: string): Promise<boolean>;
}

/** What a WebSocket is made with. */
export interface Way {
  readonly options: ClientOptions;
  /** It is not going to be used. */
  abandon(): void;
}

/** For controllers that speak in clear. */
export const plainDialer: Dialer = {
  prepare: async () => ({ options: {}, abandon: () => undefined }),
  refused: () => undefined,
  welcomed: () => undefined,
  renew: async () => false,
};

/** The controller does not want this engine: it is asked again seldom. */
export class RefusedError extends Error {}

export interface SecureDialerDeps {
  readonly engineId: string;
  readonly token: string;
  readonly caFingerprint: string;
  readonly stateDir: string;
  readonly log: Logger;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
}

const Issued = z.object({ certificate: z.string(), now: z.number() });
const Refusal = z.object({ code: z.string(), reason: z.string() });
/** Refusals after which the certificate is of no use, and the token may be. */
const USELESS = ['revoked', 'expired'];

export async function createSecureDialer(deps: SecureDialerDeps): Promise<Dialer> {
  const { engineId, caFingerprint, stateDir, log, token } = deps;
  const owner = { engineId, caFingerprint };
  let credentials = await readCredentials(stateDir, owner);
  let useless = false;
  let renewFrom = 0;
  let clock: { readonly controller: number; readonly at: number } | undefined;

  const open = async (url: string, identity: Credentials | undefined): Promise<TLSSocket> => {
    const shown = identity?.certificate ? { key: identity.key, certificate: identity.certificate } : null;
    const { socket, clockDoubt } = await connectTrusted(new URL(url), caFingerprint, shown);
    if (clockDoubt !== null) log.warn({ url }, `${clockDoubt}; going on, since this clock may be wrong`);
    return socket;
  };
  const keep = async (kept: Credentials): Promise<void> => {
    await keepCredentials(stateDir, kept);
    credentials = kept;
    useless = false;
  };
  const enrol = async (url: string): Promise<void> => {
    // A key that has no certificate yet is kept: the answer may have got lost, and the token serves no second one.
    const key = credentials?.certificate === null ? credentials.key : newKey();
    const fresh: Credentials = { ...owner, key, certificate: null, issuedAt: 0 };
    if (!credentials) await keep(fresh);
    const csr = await requestFor(key, engineId);
    const { certificate, now } = await post(await open(url, undefined), '/v1/enrol', { engineId, token, csr });
    await keep({ ...fresh, certificate, issuedAt: now });
    log.info({ url, until: new X509Certificate(certificate).validTo }, 'this engine has a certificate');
  };
  const isDue = (): boolean => {
    if (!credentials?.certificate || !clock || deps.now() < renewFrom) return false;
    const ends = Date.parse(new X509Certificate(credentials.certificate).validTo);
    const passed = clock.controller + (deps.now() - clock.at) - credentials.issuedAt;
    return passed > ((ends - credentials.issuedAt) * 2) / 3;
  };
  return {
    async prepare(url) {
      if (!credentials?.certificate || useless) {
        // Refused, the certificate is tried again next: it may have been a mistake.
        useless = false;
        await enrol(url);
      }
      const socket = await open(url, credentials);
      return { options: { createConnection: () => socket }, abandon: () => void socket.destroy() };
    },
    refused(body) {
      const refusal = readJson(body, Refusal);
      log.warn({ refusal }, 'the controller refuses this engine');
      useless = USELESS.includes(refusal?.code ?? '');
    },
    welcomed(now) {
      clock = { controller: now, at: deps.now() };
    },
    async renew(url) {
      if (!credentials || !isDue()) return false;
      renewFrom = deps.now() + RENEWAL_PAUSE;
      const key = newKey();
      const csr = await requestFor(key, engineId);
      const { certificate, now } = await post(await open(url, credentials), '/v1/renew', { csr });
      await keep({ ...owner, key, certificate, issuedAt: now });
      log.info({ url, until: new X509Certificate(certificate).validTo }, 'this engine has a new certificate');
      return true;
    },
  };
}

/** Milliseconds. */
const PATIENCE = 10_000;
const MAX_ANSWER = 65_536;
/** Between two attempts. */
const RENEWAL_PAUSE = 30_000;

/** @throws RefusedError with the controller's reason; Error when it gives none */
async function post(socket: TLSSocket, path: string, body: object): Promise<z.infer<typeof Issued>> {
  try {
    const { status, text } = await exchange(socket, path, JSON.stringify(body));
    const issued = status === 200 ? readJson(text, Issued) : undefined;
    if (issued) return issued;
    const refusal = readJson(text, Refusal);
    if (refusal && refusal.code !== 'later') throw new RefusedError(`no certificate: ${refusal.reason}`);
    throw new Error(`no certificate: ${refusal?.reason ?? `the controller answers ${status}`}`);
  } finally {
    socket.destroy();
  }
}

function exchange(socket: TLSSocket, path: string, body: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const asked = request({ createConnection: () => socket, method: 'POST', path, headers, timeout: PATIENCE });
    asked.on('timeout', () => asked.destroy(new Error('the controller does not answer')));
    asked.on('error', reject);
    asked.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
        if (text.length > MAX_ANSWER) asked.destroy(new Error('the answer of the controller is too long'));
      });
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    asked.end(body);
  });
}

function readJson<T>(text: string, schema: z.ZodType<T>): T | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
