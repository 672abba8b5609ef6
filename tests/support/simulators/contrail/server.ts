import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AuthMode, authorize, CutShort, type Maker, type TokenService, Unauthenticated, type Wish } from './auth';
import type { Answer, CallDeps } from './call';
import { answerCall } from './calls';
import { Fault, JSON_TYPE, TEXT } from './fault';
import type { FaultBoard } from './faults';
import { type Json, textOf, writeJson } from './json';
import { TYPES } from './schema/types';
import { CLOUD_ADMIN } from './site';

/** A request that was answered; status 0: it was not. */
export interface SeenRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly status: number;
}

export interface ServerDeps extends CallDeps {
  readonly tokens: TokenService;
  /** May be changed while it runs. */
  readonly mode: { auth: AuthMode };
  readonly faults: FaultBoard;
  readonly seen: SeenRequest[];
  /** Called for `GET /watch`. */
  readonly watch: (request: URL, response: ServerResponse) => void;
}

/** A reply on its way: what the status line, the headers and the body will be. */
interface Reply {
  readonly status: number;
  readonly type: string | undefined;
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
}

const UNAUTHENTICATED = {
  error: { code: 401, title: 'Unauthorized', message: 'The request you have made requires authentication.' },
};

export function createContrailServer(deps: ServerDeps): Server {
  return createServer((request, response) => {
    void handle(deps, request, response);
  });
}

async function handle(deps: ServerDeps, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { faults, seen } = deps;
  const { method = 'GET', url: path = '/' } = request;
  const trouble = faults.troubleFor({ method, path });
  const note = (status: number): void => void seen.push({ method, path, status });
  if (trouble?.kind === 'drop') {
    note(0);
    return void request.socket.destroy();
  }
  const text = await readAll(request);
  if (faults.delay > 0) await new Promise((resolve) => setTimeout(resolve, faults.delay));
  if (trouble?.kind === 'answer') {
    note(trouble.status);
    return write(response, { status: trouble.status, type: TEXT, text: trouble.text, headers: {} });
  }
  const reply = await replyTo(deps, request, { text, response });
  if (reply === 'handled') return note(200);
  if (trouble?.kind === 'lose' || reply === 'cut short') {
    note(reply === 'cut short' ? 403 : 0);
    return trouble?.kind === 'lose' ? void request.socket.destroy() : cutShort(response);
  }
  note(reply.status);
  write(response, reply);
}

async function readAll(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

async function replyTo(
  deps: ServerDeps,
  request: IncomingMessage,
  { text, response }: { text: string; response: ServerResponse },
): Promise<Reply | 'cut short' | 'handled'> {
  const { method = 'GET', url = '/', headers } = request;
  const base = `http://${headers.host ?? '127.0.0.1'}`;
  const { pathname, searchParams: query } = new URL(url, base);
  const path = decode(pathname);
  try {
    const maker = await makerOf(deps, { method, path, text, token: textOf(headers['x-auth-token'] as Json) });
    if (path === '/aaa-mode') return reply(aaaMode(deps, method, text));
    if (path === '/watch') {
      deps.watch(new URL(url, base), response);
      return 'handled';
    }
    const isJson = headers['content-type']?.startsWith('application/json') ?? false;
    const body = text !== '' && isJson ? parse(text) : undefined;
    const call = { method, path, query, body, ifNoneMatch: headers['if-none-match'], caller: { ...maker, base } };
    return reply(await answerCall(deps, call));
  } catch (error) {
    return refuse(error);
  }
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function parse(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw new Fault(500, 'Internal Server Error');
  }
}

interface Knock {
  readonly method: string;
  readonly path: string;
  readonly text: string;
  readonly token: string | undefined;
}

const VERBS: Readonly<Record<string, Wish['verb']>> = { GET: 'R', POST: 'C', PUT: 'U', DELETE: 'D' };

/** The root needs no token, and does not look at a bad one. */
async function makerOf({ mode, tokens }: ServerDeps, { method, path, token }: Knock): Promise<Maker> {
  if (path === '/' || path.startsWith('/documentation')) return { owner: CLOUD_ADMIN };
  const first = path.split('/')[1] ?? '';
  const single = first.endsWith('s') && TYPES.has(first.slice(0, -1)) ? first.slice(0, -1) : first;
  return authorize(mode.auth, tokens, token, { verb: VERBS[method] ?? 'R', object: single });
}

const MODES: Readonly<Record<AuthMode, string>> = { none: 'no-auth', rbac: 'rbac', 'cloud-admin': 'cloud-admin' };

function aaaMode({ mode }: ServerDeps, method: string, text: string): Answer {
  if (method === 'PUT') {
    const wanted = (parse(text) as Record<string, Json>)['aaa-mode'];
    const found = (Object.keys(MODES) as AuthMode[]).find((auth) => MODES[auth] === wanted);
    if (!found) throw new Fault(400, `Invalid aaa-mode ${String(wanted)}`);
    mode.auth = found;
  }
  return { body: { 'aaa-mode': MODES[mode.auth] } };
}

function reply({ status = 200, body, asText = false, headers = {} }: Answer): Reply {
  if (status === 304) return { status, type: undefined, text: '', headers };
  const type = body === undefined || asText ? TEXT : JSON_TYPE;
  return { status, type, text: body === undefined ? '' : writeJson(body), headers };
}

function refuse(error: unknown): Reply | 'cut short' {
  if (error instanceof CutShort) return 'cut short';
  if (error instanceof Unauthenticated) {
    const headers = { 'WWW-Authenticate': `Keystone uri="${error.uri}"` };
    return { status: 401, type: JSON_TYPE, text: writeJson(UNAUTHENTICATED), headers };
  }
  if (error instanceof Fault) {
    return { status: error.status, type: error.contentType, text: error.message, headers: {} };
  }
  // A bug of the simulator, not one of the server's: whoever sees it should know.
  return {
    status: 500,
    type: TEXT,
    text: `simulator: ${error instanceof Error ? error.stack : String(error)}`,
    headers: {},
  };
}

/** Announces 21 bytes, sends none and closes. */
function cutShort(response: ServerResponse): void {
  response.writeHead(403, { 'Content-Type': 'text/plain', 'Content-Length': '21' });
  response.flushHeaders();
  response.socket?.end();
}

function write(response: ServerResponse, { status, type, text, headers }: Reply): void {
  response.writeHead(status, {
    ...(type === undefined ? {} : { 'Content-Type': type }),
    ...(status === 304 ? {} : { 'Content-Length': Buffer.byteLength(text) }),
    ...headers,
  });
  response.end(text);
}
