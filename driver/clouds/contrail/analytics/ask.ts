import { type Dispatcher, request } from 'undici';
import { readBody } from '../../answerBody';

export interface AskOptions {
  /** Milliseconds for an answer. */
  readonly timeout: number;
  readonly dispatcher?: Dispatcher;
}

/** Bytes of an answer: the list of all sessions of a large cloud is some hundred KB. */
const LARGEST = 4 * 1024 * 1024;

/** The text at an address; undefined where there is nothing. @throws for any other answer than 200 and 404, or none in time */
export async function askForText(
  url: string,
  { timeout, dispatcher }: AskOptions,
  headers: Readonly<Record<string, string>> = {},
): Promise<string | undefined> {
  const answer = await request(url, {
    ...{ headers, signal: AbortSignal.timeout(timeout), headersTimeout: timeout },
    ...(dispatcher && { dispatcher }),
  });
  const body = await readBody(answer.body, LARGEST);
  if (answer.statusCode === 404) return undefined;
  if (answer.statusCode !== 200) throw new Error(`HTTP ${answer.statusCode}`);
  return body.toString('utf8');
}
