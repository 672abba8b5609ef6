import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Server, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TLSSocket, TlsOptions } from 'node:tls';

/** What a request looked like when it arrived at a backend. */
export interface Arrival {
  readonly backend: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  /** `1.0`, `1.1` or `2.0`. */
  readonly httpVersion: string;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly body: string;
  readonly tls: {
    readonly version: string | null;
    readonly cipher: string;
    /** Null when none was agreed on. */
    readonly alpn: string | null;
    readonly serverName: string | null;
    /** CN of the client's certificate; null when it showed none. */
    readonly clientName: string | null;
  } | null;
}

/** A web server for a pool that tells everything about what reaches it. */
export interface WebBackend {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  /** All requests so far, health checks included. */
  readonly arrivals: readonly Arrival[];
  /** Connections made so far, those that failed in a handshake included. */
  connections(): number;
  /** Closes it with every connection. */
  stop(): Promise<void>;
  /** Listens on the same port again. */
  restart(): Promise<void>;
}

export interface WebOptions {
  /** Default: 127.0.0.1. */
  readonly address?: string;
  /** Speaks TLS with these; `h2` among the ALPN protocols makes it speak HTTP/2. */
  readonly tls?: TlsOptions;
  /** Status by path, e.g. of health checks; 200 for others. May be changed at any time. */
  readonly statuses?: Map<string, number>;
  /** Milliseconds before the answer, by path; 0 for others. May be changed at any time. */
  readonly waits?: Map<string, number>;
}

/**
 * Listens on an ephemeral port. It answers each request with the `Arrival` as JSON. The query asks for more: `wait=MS`
 * before the answer, `status=N`, `cookie=name=value` to be set, `bytes=N` instead of the JSON.
 */
export async function startWeb(name: string, options: WebOptions = {}): Promise<WebBackend> {
  const arrivals: Arrival[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const address = options.address ?? '127.0.0.1';
  const listen = (port: number): Promise<Server> =>
    new Promise((resolve, reject) => {
      const server = makeServer(options, (request, response) => {
        void answer(name, { request, response, arrivals, options });
      });
      server.on('connection', (socket: Socket) => {
        connections += 1;
        sockets.add(socket);
        socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
      });
      server.on('tlsClientError', () => undefined).once('error', reject);
      server.listen(port, address, () => resolve(server));
    });
  let server = await listen(0);
  const port = (server.address() as AddressInfo).port;
  return {
    name,
    address,
    port,
    arrivals,
    connections: () => connections,
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
    async restart() {
      server = await listen(port);
    },
  };
}

type AnyRequest = IncomingMessage | Http2ServerRequest;
type AnyResponse = ServerResponse | Http2ServerResponse;

function makeServer({ tls }: WebOptions, listener: (request: AnyRequest, response: AnyResponse) => void): Server {
  if (tls === undefined) return createServer(listener as RequestListener);
  if (!(tls.ALPNProtocols as readonly string[] | undefined)?.includes('h2'))
    return createHttpsServer(tls, listener as RequestListener);
  return createSecureServer({ ...tls, allowHTTP1: true }, listener);
}

interface Exchange {
  readonly request: AnyRequest;
  readonly response: AnyResponse;
  readonly arrivals: Arrival[];
  readonly options: WebOptions;
}

async function answer(name: string, { request, response, arrivals, options }: Exchange): Promise<void> {
  // One type for both kinds of request: what is used here is the same on each.
  const [incoming, outgoing] = [request as IncomingMessage, response as ServerResponse];
  outgoing.on('error', () => undefined);
  // On an HTTP/2 stream the connection is known only until the client has gone.
  const where = connectionOf(incoming);
  let body = '';
  try {
    for await (const chunk of incoming.setEncoding('utf8')) body += chunk;
  } catch {
    return;
  }
  const arrival = { ...describe(name, incoming), ...where, body };
  arrivals.push(arrival);
  const url = new URL(arrival.url, 'http://backend');
  const ask = (key: string) => url.searchParams.get(key);
  const wait = Number(ask('wait') ?? options.waits?.get(url.pathname) ?? 0);
  if (wait > 0) await sleep(wait);
  outgoing.statusCode = Number(ask('status') ?? options.statuses?.get(url.pathname) ?? 200);
  outgoing.setHeader('content-type', 'application/json');
  const cookie = ask('cookie');
  if (cookie !== null) outgoing.setHeader('set-cookie', `${cookie}; path=/`);
  const bytes = ask('bytes');
  outgoing.end(bytes === null ? JSON.stringify(arrival) : 'x'.repeat(Number(bytes)));
}

function describe(name: string, { method, url, httpVersion, headers }: IncomingMessage) {
  return { backend: name, at: Date.now(), method: method ?? '', url: url ?? '', httpVersion, headers };
}

function connectionOf({ socket }: IncomingMessage): Pick<Arrival, 'remoteAddress' | 'remotePort' | 'tls'> {
  const { remoteAddress = '', remotePort = 0 } = socket;
  const secure = socket as TLSSocket;
  if (typeof secure.getCipher !== 'function') return { remoteAddress, remotePort, tls: null };
  const client = secure.getPeerCertificate() as { readonly subject?: { readonly CN?: string } };
  return {
    remoteAddress,
    remotePort,
    tls: {
      version: secure.getProtocol(),
      cipher: secure.getCipher().name,
      alpn: secure.alpnProtocol || null,
      serverName: (secure as { readonly servername?: string | false }).servername || null,
      clientName: client.subject?.CN ?? null,
    },
  };
}
