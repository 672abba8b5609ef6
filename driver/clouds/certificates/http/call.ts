import { type Dispatcher, request } from 'undici';
import type { z } from 'zod';
import { UnavailableError } from '../../../domain/errors';
import { readBody } from '../../answerBody';

export interface Call {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  readonly path: string;
  readonly token: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** `application/json` by default. */
  readonly accept?: string;
}

export interface Target {
  /** Without a slash at the end. */
  readonly address: string;
  readonly dispatcher: Dispatcher;
  /** Milliseconds. */
  readonly timeout: number;
}

export interface Answer {
  readonly status: number;
  /** False for what is not there and what may not be done. */
  readonly found: boolean;
  readonly body: Buffer;
}

/** Bytes of an answer; a certificate with its chain has some thousands. */
const MAX_ANSWER = 256 * 1024;
/** Refusals that are about what was asked; everything else is about the service. */
const REFUSALS = [400, 401, 403, 404, 406, 409, 410];
/** The server closed a kept connection just when it was used again: worth a second try, as every call may be repeated. */
const BROKEN = ['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'];

/**
 * One call to the key manager; followed by another one if the connection broke.
 * @throws UnavailableError when there is no answer, or one that tells of trouble there
 */
export async function callBarbican(target: Target, call: Call): Promise<Answer> {
  try {
    return await send(target, call).catch((err) => {
      if (!BROKEN.includes(err?.code)) throw err;
      return send(target, call);
    });
  } catch (err) {
    throw err instanceof UnavailableError ? err : unavailable({ cause: err });
  }
}

async function send({ address, dispatcher, timeout }: Target, call: Call): Promise<Answer> {
  const { statusCode: status, body } = await request(`${address}${call.path}`, {
    method: call.method,
    dispatcher,
    signal: AbortSignal.timeout(timeout),
    headers: {
      'X-Auth-Token': call.token,
      Accept: call.accept ?? 'application/json',
      ...(call.body === undefined ? {} : { 'Content-Type': 'application/json' }),
    },
    ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
  });
  const content = await readBody(body, MAX_ANSWER);
  const found = status >= 200 && status < 300;
  if (!found && !REFUSALS.includes(status)) throw unavailable();
  return { status, found, body: content };
}

/** The JSON of an answer. @throws UnavailableError when it is something else */
export function readJson<T>({ body }: Answer, schema: z.ZodType<T>): T {
  try {
    return schema.parse(JSON.parse(body.toString('utf8')));
  } catch (err) {
    throw unavailable({ cause: err });
  }
}

/** What callers see of any trouble with the key manager. */
export function unavailable(options?: ErrorOptions): UnavailableError {
  return new UnavailableError('The key manager service is temporarily unavailable.', options);
}
