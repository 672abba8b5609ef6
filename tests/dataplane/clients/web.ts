import { type Agent, type IncomingHttpHeaders, type RequestOptions, request } from 'node:http';
import { connect as connectH2, type IncomingHttpHeaders as H2Headers } from 'node:http2';
import { request as requestTls } from 'node:https';
import { type ConnectionOptions, connect as connectTls, type PeerCertificate, type TLSSocket } from 'node:tls';
import type { Arrival } from '../../support/backends/web';

/** Where to, and how; a connection of its own unless an agent is given. */
export interface Asking {
  readonly host: string;
  readonly port: number;
  /** Path and query; `/` unless said. */
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** The client's own address, of 127.0.0.0/8. */
  readonly from?: string;
  readonly fromPort?: number;
  readonly agent?: Agent;
  /** Over TLS with these; certificates of servers are not verified unless they say so. */
  readonly tls?: ConnectionOptions;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** What the backend saw. @throws when the answer is none of a backend's */
  arrival(): Arrival;
}

const TIMEOUT = 15_000;

/** One request over HTTP/1.1. Rejects when there is no answer: refused, reset, silent for 15 s. */
export function ask(asking: Asking): Promise<Answer> {
  const { host, port, path = '/', method = 'GET', headers = {}, from, fromPort, agent, tls, body } = asking;
  const options: RequestOptions = {
    ...{ host, port, path, method, headers, timeout: TIMEOUT },
    agent: agent ?? false,
    ...(from !== undefined && { localAddress: from }),
    ...(fromPort !== undefined && { localPort: fromPort }),
  };
  return new Promise((resolve, reject) => {
    const sent = tls === undefined ? request(options) : requestTls({ ...UNVERIFIED, ...options, ...tls });
    sent.once('timeout', () => sent.destroy(new Error(`${host}:${port} was silent for ${TIMEOUT} ms`)));
    sent.once('error', reject);
    sent.once('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', reject).once('end', () => {
        resolve(answerOf(response.statusCode ?? 0, response.headers, Buffer.concat(chunks).toString()));
      });
    });
    sent.end(body);
  });
}

const UNVERIFIED: ConnectionOptions = { rejectUnauthorized: false };

function answerOf(status: number, headers: IncomingHttpHeaders | H2Headers, text: string): Answer {
  return {
    ...{ status, headers, text },
    arrival() {
      if (!text.startsWith('{')) throw new Error(`the answer is none of a backend's: ${status} ${text.slice(0, 200)}`);
      return JSON.parse(text) as Arrival;
    },
  };
}

/** One request over HTTP/2, on a connection of its own. */
export async function askH2({ host, port, path = '/', method = 'GET', headers = {}, tls }: Asking): Promise<Answer> {
  const session = connectH2(`${tls === undefined ? 'http' : 'https'}://${host}:${port}`, { ...UNVERIFIED, ...tls });
  try {
    return await new Promise((resolve, reject) => {
      session.once('error', reject).setTimeout(TIMEOUT, () => reject(new Error(`${host}:${port} was silent`)));
      const stream = session.request({ ':path': path, ':method': method, ...headers });
      let head: H2Headers = {};
      let text = '';
      stream.setEncoding('utf8').once('error', reject);
      stream.on('data', (chunk: string) => {
        text += chunk;
      });
      stream.once('response', (received) => {
        head = received;
      });
      stream.once('end', () => resolve(answerOf(Number(head[':status']), head, text)));
      stream.end();
    });
  } finally {
    session.destroy();
  }
}

/** What two sides agreed on in a TLS handshake. */
export interface Handshake {
  readonly version: string | null;
  readonly cipher: string;
  readonly alpn: string | null;
  /** Of the server. */
  readonly certificate: PeerCertificate;
}

/**
 * A TLS handshake. Rejects when it fails; mind that in TLS 1.3 a server turns a client down after the client thinks that
 * all is well.
 */
export function shakeHands(host: string, port: number, options: ConnectionOptions = {}): Promise<Handshake> {
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connectTls({ host, port, ...UNVERIFIED, ...options }, () => {
      const handshake: Handshake = {
        version: socket.getProtocol(),
        cipher: socket.getCipher().name,
        alpn: socket.alpnProtocol || null,
        certificate: socket.getPeerCertificate(),
      };
      socket.destroy();
      resolve(handshake);
    });
    socket.setTimeout(TIMEOUT, () => socket.destroy(new Error(`${host}:${port} was silent`)));
    socket.once('error', reject).once('close', () => reject(new Error('the connection was closed in the handshake')));
  });
}

/** Names of the backends that answered `count` requests, with how often. */
export async function spread(asking: Asking, count: number): Promise<Record<string, number>> {
  const seen: Record<string, number> = {};
  for (let index = 0; index < count; index += 1) {
    const { backend } = (await ask(asking)).arrival();
    seen[backend] = (seen[backend] ?? 0) + 1;
  }
  return seen;
}
