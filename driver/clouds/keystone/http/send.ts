import { type Dispatcher, request } from 'undici';
import { describeError, parseJson, readBody, TooLongError } from '../../answerBody';
import { Outage } from './outage';

/** One request to Keystone. */
export interface Call {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
}

export interface Answer {
  readonly status: number;
  /** The token of an answer that is about one; null otherwise. */
  readonly subjectToken: string | null;
  /** Parsed; undefined when it is no JSON. */
  readonly body: unknown;
}

/** Bytes of an answer: a token with a catalogue of a hundred services has a tenth. */
const MAX_ANSWER = 1024 * 1024;
/** What a proxy says of a Keystone that is just being restarted. */
const PASSING = [502, 503, 504];

/** Sends once. @throws Outage when there is no answer, or one that is about the service instead of what was asked */
export async function send(
  { method, url, headers, body }: Call,
  { dispatcher, signal }: { readonly dispatcher: Dispatcher; readonly signal: AbortSignal },
): Promise<Answer> {
  try {
    const answer = await request(url, {
      method,
      dispatcher,
      signal,
      headers: {
        Accept: 'application/json',
        'User-Agent': 'slipstream',
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const content = parseJson(await readBody(answer.body, MAX_ANSWER));
    const { statusCode: status } = answer;
    if (status >= 500 || status === 429) throw new Outage(`${method} ${url}: ${status}`, PASSING.includes(status));
    const subjectToken = answer.headers['x-subject-token'];
    return { status, subjectToken: typeof subjectToken === 'string' ? subjectToken : null, body: content };
  } catch (error) {
    if (error instanceof Outage) throw error;
    if (error instanceof TooLongError) throw new Outage(error.message, false);
    throw new Outage(`${method} ${url}: ${describeError(error)}`, !signal.aborted);
  }
}
