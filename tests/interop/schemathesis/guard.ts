import { Agent, createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestApi } from '../../support/api';
import { type Garden, type Ground, plantGarden, tablesOf } from './garden';

/** Stands before an API, hands on one request after the other, and looks at what each has left in the database. */
export interface Guard {
  readonly url: string;
  /** What must not happen: failures of the server, slow answers, traces of refused requests and of reads. */
  readonly faults: readonly string[];
  /** How many answers there were of each status. */
  readonly answers: ReadonlyMap<number, number>;
  /** How many requests have changed something. */
  readonly changes: number;
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** No single request of this size needs more, on a busy machine neither. */
const SLOW_MS = 5_000;
const READS = new Set(['GET', 'HEAD', 'OPTIONS']);
const SHOWN = 600;

export async function startGuard(ground: Ground): Promise<Guard> {
  const garden = await plantGarden(ground);
  const watch = await openWatch(ground.api, garden);
  let turn: Promise<unknown> = Promise.resolve();
  const server = createServer((incoming, outgoing) => {
    if (incoming.url === '/-/planted') {
      outgoing.end(JSON.stringify(garden.planted));
      return;
    }
    turn = turn
      .then(() => watch.handOn(incoming, outgoing))
      .catch((error: unknown) => outgoing.destroy(error as Error));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    faults: watch.faults,
    answers: watch.answers,
    get changes() {
      return watch.changes();
    },
    close: () => closeServer(server),
  };
}

async function openWatch(api: TestApi, garden: Garden) {
  const agent = new Agent({ keepAlive: true });
  const tables = await tablesOf(api.db);
  const faults: string[] = [];
  const answers = new Map<number, number>();
  let changes = 0;
  let before = await dump(api, tables);

  const judge = (what: string, answer: Answer, changed: boolean): void => {
    const { status, body } = answer;
    const text = body.toString().slice(0, SHOWN);
    // 501: what this provider does not support, as Octavia has it.
    if (status >= 500 && status !== 501) faults.push(`${status} to ${what}: ${text}`);
    if (changed && (status >= 400 || READS.has(what.slice(0, what.indexOf(' '))))) {
      faults.push(`${status} and a trace in the database after ${what}: ${text}`);
    }
  };
  return {
    faults,
    answers,
    changes: () => changes,
    async handOn(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
      const body = await readAll(incoming);
      const what = `${incoming.method} ${incoming.url} ${body.toString().slice(0, SHOWN)}`;
      const startedAt = Date.now();
      const answer = await forward(api.url, incoming, { body, agent });
      const took = Date.now() - startedAt;
      if (took > SLOW_MS) faults.push(`${took} ms for ${what}`);
      answers.set(answer.status, (answers.get(answer.status) ?? 0) + 1);
      const after = await dump(api, tables);
      judge(what, answer, after !== before);
      if (after !== before) {
        changes += 1;
        await api.settle();
        await garden.tend();
        before = await dump(api, tables);
      }
      outgoing.writeHead(answer.status, answer.headers).end(answer.body);
    },
  };
}

/** All state as one text. The outbox empties itself at its own time, and is left out. */
async function dump({ db, network }: TestApi, tables: readonly string[]): Promise<string> {
  const parts: unknown[] = [await network.listPorts({})];
  for (const table of tables.filter((name) => name !== 'outbox')) parts.push(await db(table).select('*'));
  return JSON.stringify(parts);
}

async function readAll(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function forward(
  base: string,
  { method, url, headers }: IncomingMessage,
  { body, agent }: { body: Buffer; agent: Agent },
): Promise<Answer> {
  const { 'transfer-encoding': _chunked, ...rest } = headers;
  const length = body.length > 0 ? { 'content-length': String(body.length) } : {};
  return new Promise((resolve, reject) => {
    const options = { method, path: url ?? '/', headers: { ...rest, ...length }, agent, timeout: 2 * SLOW_MS };
    const sent = request(base, options, (response) => {
      readAll(response).then(
        (answer) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: answer }),
        reject,
      );
    });
    sent.once('timeout', () => sent.destroy(new Error(`no answer to ${method} ${url} in ${2 * SLOW_MS} ms`)));
    sent.once('error', reject);
    sent.end(body);
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
