import { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { Logger } from 'pino';
import type { ClientOptions } from 'ws';
import { post, Refusal, readJson } from './ask';
import { connectTrusted } from './controllerTrust';
import { type Credentials, keepCredentials, newKey, readCredentials, requestFor } from './credentials';

/** How a controller is reached: in clear, or over mutual TLS with a certificate that a token was traded for. */
export interface Dialer {
  /** A way to the controller, to be used at once. @throws RefusedError, or Error when there is none at present */
  prepare(url: string): Promise<Way>;
  /** The controller has refused the WebSocket with this body. True: something else can be tried at once. */
  refused(body: string): boolean;
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
  refused: () => false,
  welcomed: () => undefined,
  renew: async () => false,
};

export interface SecureDialerDeps {
  readonly engineId: string;
  readonly token: string;
  readonly caFingerprint: string;
  readonly stateDir: string;
  readonly log: Logger;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
}

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
      return useless;
    },
    welcomed(now) {
      clock = { controller: now, at: deps.now() };
    },
    async renew(url) {
      if (!credentials || !clock || deps.now() < renewFrom) return false;
      if (!isDue(credentials, clock.controller + deps.now() - clock.at)) return false;
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

/** Between two attempts, milliseconds. */
const RENEWAL_PAUSE = 30_000;

/** Whether two thirds of its time have passed. */
function isDue({ certificate, issuedAt }: Credentials, now: number): boolean {
  if (certificate === null) return false;
  const ends = Date.parse(new X509Certificate(certificate).validTo);
  return now - issuedAt > ((ends - issuedAt) * 2) / 3;
}
