import { generateKeyPairSync, type X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import { createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { Logger } from 'pino';
import { BACKDATED } from '../../pki/newAuthority';
import { createAdmission, type Pass } from './admission';
import { isIssued, judgeCertificate, type ProvenEngine, plainAddress } from './callers';
import type { EnrolmentDeps } from './enrolment';
import { answerRequest, turnAway } from './requests';

/** The engines' port over TLS: nobody reaches the WebSocket whose certificate is not of this CA, known, valid and its own. */
export interface TlsPort {
  readonly front: TcpServer;
  close(): Promise<void>;
}

export interface TlsPortOptions {
  readonly host: string;
  readonly port: number;
  /** Names and addresses engines know this health-manager by. */
  readonly names: readonly string[];
  readonly maxHandshakes: number;
  readonly maxHandshakesPerAddress: number;
  /** Milliseconds, from the connection to the judged hello. */
  readonly handshakeTimeout: number;
}

/** A proven engine at the door of the WebSocket. */
export interface Arrival {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly engine: ProvenEngine;
  readonly address: string;
  /** Its hello was judged, or it is gone: it is under no bound any more. */
  readonly greeted: () => void;
}

export interface TlsPortDeps {
  readonly enrolment: EnrolmentDeps;
  readonly log: Logger;
  readonly onEngine: (arrival: Arrival) => void;
  readonly onRefused: (why: 'bound' | 'handshake' | 'certificate') => void;
}

/** Headers are a few hundred bytes. */
const MAX_HEADERS = 8_192;

export async function openTlsPort(options: TlsPortOptions, deps: TlsPortDeps): Promise<TlsPort> {
  const { log, onRefused } = deps;
  const passes = new Map<string, Pass>();
  const https = createHttpsServer({
    ...(await serverCertificate(options, deps)),
    ca: [deps.enrolment.authority.pem],
    requestCert: true,
    // One without is let in to enrol, and to nothing else; a foreign one is cut off below.
    rejectUnauthorized: false,
    minVersion: 'TLSv1.3',
    handshakeTimeout: options.handshakeTimeout,
    headersTimeout: options.handshakeTimeout,
    requestTimeout: options.handshakeTimeout,
    maxHeaderSize: MAX_HEADERS,
  });
  const passOf = (socket: Duplex): Pass | undefined => passes.get(keyOf(socket as TLSSocket));

  https.on('secureConnection', (socket) => {
    const certificate = socket.getPeerX509Certificate();
    if (!certificate || isIssued(certificate, deps.enrolment.authority)) return;
    onRefused('certificate');
    tellForeign(deps, certificate, plainAddress(socket.remoteAddress ?? ''));
    socket.destroy();
  });
  https.on('tlsClientError', (err, socket) => {
    onRefused('handshake');
    log.debug({ err, address: socket.remoteAddress }, 'a TLS handshake on the port of engines failed');
    socket.destroy();
  });
  https.on('clientError', (_err, socket) => socket.destroy());
  https.on(
    'request',
    (request, response) =>
      void answerRequest(deps.enrolment, request, response).catch((err: unknown) => {
        log.warn({ err }, 'a request on the port of engines could not be answered');
        response.destroy();
      }),
  );
  https.on('upgrade', (request, socket, head) => {
    socket.on('error', () => undefined);
    const pass = passOf(socket);
    admit(deps, { request, socket, head, greeted: () => pass?.leave() }).catch((err: unknown) => {
      log.warn({ err }, 'an engine could not be judged');
      turnAway(socket, { code: 'later', reason: 'try again' });
    });
  });
  const front = openFront(options, { https, passes, onRefused });
  await listen(front, options);
  const renewal = keepCertificateFresh(https, options, deps);
  return {
    front,
    async close() {
      clearInterval(renewal);
      https.closeAllConnections();
      await new Promise<void>((resolve) => front.close(() => resolve()));
    },
  };
}

/** Takes connections within bounds, and ends those that have not proved themselves in time. */
function openFront(
  options: TlsPortOptions,
  { https, passes, onRefused }: { https: HttpsServer; passes: Map<string, Pass>; onRefused: TlsPortDeps['onRefused'] },
): TcpServer {
  const admission = createAdmission(options);
  return createTcpServer({ noDelay: true }, (socket) => {
    const pass = admission.enter(plainAddress(socket.remoteAddress ?? ''));
    socket.on('error', () => undefined);
    if (!pass) {
      onRefused('bound');
      socket.destroy();
      return;
    }
    const key = keyOf(socket);
    const late = setTimeout(() => socket.destroy(), options.handshakeTimeout);
    const leave = (): void => {
      clearTimeout(late);
      passes.delete(key);
      pass.leave();
    };
    passes.set(key, { leave });
    socket.once('close', leave);
    https.emit('connection', socket);
  });
}

async function admit(
  { enrolment, onEngine, onRefused }: TlsPortDeps,
  arriving: Pick<Arrival, 'request' | 'socket' | 'head' | 'greeted'>,
): Promise<void> {
  const socket = arriving.socket as TLSSocket;
  const address = plainAddress(socket.remoteAddress ?? '');
  const certificate = socket.getPeerX509Certificate();
  const judged = certificate
    ? await judgeCertificate(enrolment, certificate, address)
    : ({ code: 'request', reason: 'a certificate is needed here' } as const);
  if ('code' in judged) {
    onRefused('certificate');
    turnAway(socket, judged);
  } else if (!socket.destroyed) {
    onEngine({ ...arriving, engine: judged, address });
  }
}

function tellForeign({ enrolment }: TlsPortDeps, certificate: X509Certificate, address: string): void {
  const issuer = certificate.issuer.replaceAll('\n', ', ').slice(0, 100);
  const message = `somebody at ${address} showed a certificate that is not of this CA (issuer ${issuer}) and was cut off`;
  enrolment.teller.tell({ name: 'FOREIGN_CERTIFICATE', severity: 'warning', message, engineId: null });
}

/** A socket and the TLS socket upon it have it in common. */
function keyOf({
  remoteAddress,
  remotePort,
}: {
  remoteAddress?: string | undefined;
  remotePort?: number | undefined;
}): string {
  return `${remoteAddress} ${remotePort}`;
}

/** A key and a certificate of this process alone: neither is ever written anywhere. */
async function serverCertificate({ names }: TlsPortOptions, { enrolment }: TlsPortDeps) {
  const { authority, validity } = enrolment;
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const now = Date.now();
  const { pem } = await authority.issue({
    ...{ name: 'slipstream health-manager', publicKey, purpose: 'server', hosts: names },
    ...{ notBefore: now - BACKDATED, notAfter: now + validity * 1000 },
  });
  return { key: privateKey.export({ type: 'pkcs8', format: 'pem' }), cert: `${pem}${authority.pem}` };
}

/** Longest a timer may be, less a little. Milliseconds. */
const LONGEST_ROUND = 86_400_000;

function keepCertificateFresh(https: HttpsServer, options: TlsPortOptions, deps: TlsPortDeps): NodeJS.Timeout {
  const round = Math.min((deps.enrolment.validity * 1000) / 3, LONGEST_ROUND);
  const replace = async (): Promise<void> => {
    const { authority } = deps.enrolment;
    https.setSecureContext({ ...(await serverCertificate(options, deps)), ca: [authority.pem], minVersion: 'TLSv1.3' });
  };
  return setInterval(() => {
    replace().catch((err: unknown) => deps.log.error({ err }, 'the certificate of the health-manager was not renewed'));
  }, round).unref();
}

async function listen(front: TcpServer, { host, port }: TlsPortOptions): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    front.once('listening', resolve);
    front.once('error', reject);
    front.listen(port, host);
  });
}
