import { createServer, type IncomingMessage, type OutgoingHttpHeaders, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Person } from './cloud';

/** One answer of the load-balancing API. */
export interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly status: number;
}

/**
 * Stands between a client and the API and writes down every answer. The client needs no setting for it: it logs in at a
 * Keystone in between, whose catalogue names this one.
 */
export interface Watch {
  /** The same person, at the Keystone in between. */
  readonly person: Person;
  readonly exchanges: readonly Exchange[];
  close(): Promise<void>;
}

const SERVICE = 'load-balancer';

/** Starts watching what this person's clients ask of the API at that URL. */
export async function watchApi(person: Person, apiUrl: string): Promise<Watch> {
  const exchanges: Exchange[] = [];
  const api = await serve(async (incoming, body) => {
    const answer = await forward(new URL(apiUrl), incoming, body);
    exchanges.push({ method: incoming.method ?? '', path: incoming.url ?? '', status: answer.status });
    return answer;
  });
  const authUrl = new URL(person.authUrl);
  const keystone = await serve(async (incoming, body) => {
    const answer = await forward(new URL(authUrl.origin), incoming, body);
    return { ...answer, body: pointAt(api.url, answer.body) };
  });
  return {
    person: { ...person, authUrl: `${keystone.url}${authUrl.pathname}` },
    exchanges,
    async close() {
      await Promise.all([api.close(), keystone.close()]);
    },
  };
}

/** A body of Keystone's whose catalogue says that the API is at this URL. */
function pointAt(url: string, body: Buffer): Buffer {
  if (!body.includes('"catalog"')) return body;
  const content = JSON.parse(body.toString('utf8'));
  for (const service of content.token?.catalog ?? content.catalog ?? []) {
    if (service.type !== SERVICE) continue;
    for (const endpoint of service.endpoints) endpoint.url = url;
  }
  return Buffer.from(JSON.stringify(content));
}

interface Answer {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: Buffer;
}

/** The Host header stays, so that links in answers lead back here. */
function forward(to: URL, incoming: IncomingMessage, body: Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: to.hostname,
        port: to.port,
        method: incoming.method,
        path: `${to.pathname.replace(/\/$/, '')}${incoming.url}`,
        headers: { ...incoming.headers, 'accept-encoding': 'identity', connection: 'close' },
      },
      (answer) => {
        readAll(answer).then(
          (content) => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: content }),
          reject,
        );
      },
    );
    outgoing.once('error', reject);
    outgoing.end(body);
  });
}

async function serve(
  handle: (incoming: IncomingMessage, body: Buffer) => Promise<Answer>,
): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer((incoming, outgoing) => {
    readAll(incoming)
      .then((body) => handle(incoming, body))
      .then(
        ({ status, headers, body }) => {
          const { 'transfer-encoding': _chunked, connection: _connection, ...rest } = headers;
          outgoing.writeHead(status, { ...rest, 'content-length': body.length });
          outgoing.end(body);
        },
        (error: Error) => {
          outgoing.writeHead(599);
          outgoing.end(error.message);
        },
      );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => end(server) };
}

function end(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

async function readAll(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}
