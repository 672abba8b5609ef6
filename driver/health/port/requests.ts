import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { judgeCertificate, plainAddress, type TurnedAway } from './callers';
import { type Enrolled, type EnrolmentDeps, EnrolRequest, enrol, RenewRequest, renew } from './enrolment';

/** What can be asked on the engines' port besides the WebSocket: a certificate. */

/** A request is a kilobyte. */
const MAX_BODY = 16_384;

const STATUS: Readonly<Record<TurnedAway['code'], number>> = {
  revoked: 403,
  expired: 403,
  elsewhere: 403,
  token: 403,
  request: 400,
  later: 503,
};

/** Answers `POST /v1/enrol` and, with a certificate, `POST /v1/renew`; all else is 404. */
export async function answerRequest(
  deps: EnrolmentDeps,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  response.shouldKeepAlive = false;
  const answer = ROUTES[`${request.method} ${request.url}`];
  if (!answer) return send(response, 404, { code: 'request', reason: 'nothing is here' });
  const body = await readJson(request);
  if (body === undefined) return send(response, 400, { code: 'request', reason: 'the body is not what it should be' });
  const result = await answer(deps, request.socket as TLSSocket, body);
  send(response, 'code' in result ? STATUS[result.code] : 200, result);
}

type Route = (deps: EnrolmentDeps, socket: TLSSocket, body: unknown) => Promise<Enrolled | TurnedAway>;

const MALFORMED: TurnedAway = { code: 'request', reason: 'the body is not what it should be' };

const ROUTES: Readonly<Record<string, Route>> = {
  'POST /v1/enrol': async (deps, socket, body) => {
    const wanted = EnrolRequest.safeParse(body).data;
    return wanted ? enrol(deps, wanted, plainAddress(socket.remoteAddress ?? '')) : MALFORMED;
  },
  'POST /v1/renew': async (deps, socket, body) => {
    const wanted = RenewRequest.safeParse(body).data;
    const certificate = socket.getPeerX509Certificate();
    if (!wanted || !certificate) return MALFORMED;
    const engine = await judgeCertificate(deps, certificate, plainAddress(socket.remoteAddress ?? ''));
    return 'code' in engine ? engine : renew(deps, engine, wanted);
  },
};

/** Undefined for what is too long or no JSON. */
async function readJson(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > MAX_BODY) return undefined;
    parts.push(part);
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8'));
  } catch {
    return undefined;
  }
}

function send(response: ServerResponse, status: number, body: Enrolled | TurnedAway): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** Answers a request for a WebSocket with a refusal, and ends the connection. */
export function turnAway(socket: Duplex, refusal: TurnedAway): void {
  if (socket.destroyed) return;
  const status = STATUS[refusal.code];
  const body = JSON.stringify(refusal);
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'connection: close',
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
