import { type Dispatcher, request } from 'undici';
import { describeError, parseJson, readBody, TooLongError } from '../answerBody';
import { Outage } from '../openstack/send';

export interface VncCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** With its query. */
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Nothing goes wrong if a POST is made twice: it reads, sets a link, or is guarded by a name. */
  readonly harmless?: boolean;
}

export interface VncAnswer {
  readonly status: number;
  /** Parsed; undefined when the answer is empty or no JSON, as many successes are. */
  readonly body: unknown;
  /** Of what is no JSON: errors are. */
  readonly text: string;
}

export interface VncTarget {
  /** Without a slash at the end. */
  readonly address: string;
  readonly dispatcher: Dispatcher;
  /** Null where nobody has to log in. */
  readonly token: string | null;
  /** Milliseconds. */
  readonly timeout: number;
}

/** Bytes of an answer: thousands of ports. */
const MAX_ANSWER = 32 * 1024 * 1024;
/** Of a proxy before the servers, or of a server without its database. */
const PASSING = [429, 502, 503, 504];
const NOT_SENT = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT', 'EHOSTUNREACH', 'ENETUNREACH'];

/** Sends once, to one server. @throws Outage */
export async function sendOnce({ address, dispatcher, token, timeout }: VncTarget, call: VncCall): Promise<VncAnswer> {
  const { method, path, body } = call;
  const signal = AbortSignal.timeout(timeout);
  const what = `${method} ${address}${path.split('?')[0]}`;
  const harmless = method !== 'POST' || call.harmless === true;
  let status: number | undefined;
  try {
    const answer = await request(`${address}${path}`, {
      method,
      dispatcher,
      signal,
      headersTimeout: timeout,
      headers: {
        Accept: 'application/json',
        'User-Agent': 'slipstream',
        ...(token !== null && { 'X-Auth-Token': token }),
        ...(body !== undefined && { 'Content-Type': 'application/json; charset=UTF-8' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    status = answer.statusCode;
    const content = await readBody(answer.body, MAX_ANSWER);
    if (PASSING.includes(status)) {
      throw new Outage(`${what}: ${status} ${clip(content.toString('utf8'))}`, harmless || status === 503);
    }
    const parsed = isJson(answer.headers['content-type']) ? parseJson(content) : undefined;
    return { status, body: parsed, text: parsed === undefined ? content.toString('utf8') : '' };
  } catch (error) {
    if (error instanceof Outage) throw error;
    if (error instanceof TooLongError) throw new Outage(`${what}: ${error.message}`, false);
    // In `cloud-admin` mode a refusal announces a text and closes the connection without it.
    if (status === 403) return { status, body: undefined, text: '' };
    const { code = '' } = error as { code?: string };
    throw new Outage(`${what}: ${describeError(error)}`, harmless || NOT_SENT.includes(code));
  }
}

/** Errors are texts under `text/html`; only what is announced as JSON is JSON. */
function isJson(type: string | string[] | undefined): boolean {
  return String(type ?? '')
    .toLowerCase()
    .startsWith('application/json');
}

export function clip(text: string): string {
  return text.replace(/\s+/g, ' ').trim().slice(0, 500);
}
