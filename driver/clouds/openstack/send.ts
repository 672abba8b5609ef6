import { Readable } from 'node:stream';
import { type Dispatcher, request } from 'undici';
import { describeError, parseJson, readBody, TooLongError } from '../answerBody';

export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Behind the service's address, with its query. */
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is, instead of a body. Such a call is never repeated: the service may have taken a part. */
  readonly content?: Content;
  readonly headers?: Readonly<Record<string, string>>;
  /** The service also refuses by 500, in its own words: that is an answer then, no outage. */
  readonly refusesBy500?: boolean;
  /** The service goes on with it when nobody listens any more: no answer in time is then answered by 504, and no outage. */
  readonly goesOn?: boolean;
  /** Milliseconds the call may take, instead of the service's. */
  readonly timeout?: number;
  /** The project it is made in, instead of the one of this service. */
  readonly projectId?: string;
}

/** Bytes that are too many to be held at once. */
export interface Content {
  /** Of all bytes. */
  readonly length: number;
  read(): AsyncIterable<Uint8Array>;
}

export interface Answer {
  readonly status: number;
  /** Parsed; undefined when it is empty or no JSON. */
  readonly body: unknown;
  /** As the service counts its requests, for its operators. */
  readonly requestId: string | null;
}

/** The service gives no answer, or one that tells of trouble there. */
export class Outage extends Error {
  override readonly name = 'Outage';
  constructor(
    message: string,
    /** Whether the same call may be made again at once: nothing can have happened twice. */
    readonly mayRepeat: boolean,
  ) {
    super(message);
  }
}

export interface Target {
  /** Without a slash at the end. */
  readonly address: string;
  readonly dispatcher: Dispatcher;
  readonly token: string;
  /** Milliseconds. */
  readonly timeout: number;
}

/** Bytes of an answer: a page of a thousand ports has about two million. */
const MAX_ANSWER = 32 * 1024 * 1024;
/** What a proxy says of a service that is just being restarted; 429: later. */
const PASSING = [429, 502, 503, 504];
/** Codes of connections that never carried the call. */
const NOT_SENT = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT', 'EHOSTUNREACH', 'ENETUNREACH'];
/** Nothing went wrong if one of these is made twice. */
const REPEATABLE = ['GET', 'PUT', 'DELETE'];

/** Sends once. @throws Outage when there is no answer, or one that is about the service instead of what was asked */
export async function sendOnce({ address, dispatcher, token, timeout }: Target, call: Call): Promise<Answer> {
  const { method, path, headers } = call;
  const limit = call.timeout ?? timeout;
  const signal = AbortSignal.timeout(limit);
  const harmless = REPEATABLE.includes(method) && !call.content;
  const what = `${method} ${path.split('?')[0]}`;
  try {
    const answer = await request(`${address}${path}`, {
      method,
      dispatcher,
      signal,
      headersTimeout: limit,
      headers: {
        Accept: 'application/json',
        'User-Agent': 'slipstream',
        'X-Auth-Token': token,
        ...describePayload(call),
        ...headers,
      },
      ...payloadOf(call),
    });
    const { statusCode: status } = answer;
    const content = parseJson(await readBody(answer.body, MAX_ANSWER));
    const requestId = answer.headers['x-openstack-request-id'] ?? null;
    const isRefusal = status === 500 && call.refusesBy500 === true && content !== undefined;
    if ((status >= 500 && !isRefusal) || status === 429) {
      throw new Outage(
        `${what}: ${status} (${String(requestId)})`,
        PASSING.includes(status) && (harmless || status === 429),
      );
    }
    return { status, body: content, requestId: typeof requestId === 'string' ? requestId : null };
  } catch (error) {
    if (error instanceof Outage) throw error;
    if (error instanceof TooLongError) throw new Outage(error.message, false);
    if (signal.aborted && call.goesOn) return { status: 504, body: undefined, requestId: null };
    const { code = '' } = error as { code?: string };
    const mayRepeat = !signal.aborted && (harmless || (!call.content && NOT_SENT.includes(code)));
    throw new Outage(`${what}: ${describeError(error)}`, mayRepeat);
  }
}

function describePayload({ body, content }: Call): Record<string, string> {
  if (content) return { 'Content-Type': 'application/octet-stream', 'Content-Length': String(content.length) };
  return body === undefined ? {} : { 'Content-Type': 'application/json' };
}

function payloadOf({ body, content }: Call) {
  if (content) return { body: Readable.from(content.read(), { objectMode: false }) };
  return body === undefined ? {} : { body: JSON.stringify(body) };
}
