/** The inner object of a message, as oslo.messaging has it: plain JSON, with keys of its own that begin with `_`. */
export type Wire = Readonly<Record<string, unknown>>;

/** A message that nothing can be made of. */
export class MalformedError extends Error {
  override readonly name = 'MalformedError';
}

const VERSION_KEY = 'oslo.version';
const MESSAGE_KEY = 'oslo.message';
const VERSION = '2.0';
const CONTEXT = '_context_';

/** The properties of every message. */
export const PROPERTIES = {
  contentType: 'application/json',
  contentEncoding: 'utf-8',
  deliveryMode: 2,
  priority: 0,
  headers: {},
} as const;

/** The inner object as a text within the outer one. */
export function wrap(inner: Wire): Buffer {
  return Buffer.from(JSON.stringify({ [VERSION_KEY]: VERSION, [MESSAGE_KEY]: JSON.stringify(inner) }));
}

/** A message of version 1 is the inner object itself. */
export function bare(inner: Wire): Buffer {
  return Buffer.from(JSON.stringify(inner));
}

/** @throws MalformedError; a newer major version is one */
export function unwrap(body: Buffer): Wire {
  const outer = parseObject(body.toString('utf8'));
  const version = outer[VERSION_KEY];
  if (version === undefined) return outer;
  const major = String(version).split('.')[0];
  if (major !== '2') throw new MalformedError(`its envelope has version ${String(version)}`);
  return parseObject(outer[MESSAGE_KEY]);
}

function parseObject(text: unknown): Wire {
  let value: unknown;
  try {
    value = JSON.parse(String(text));
  } catch (error) {
    throw new MalformedError('it is no JSON', { cause: error });
  }
  if (!isRecord(value)) throw new MalformedError('it is no JSON object');
  return value;
}

/** The keys of the context, as the inner object carries them. */
export function packContext(context: Wire): Wire {
  return Object.fromEntries(Object.entries(context).map(([key, value]) => [`${CONTEXT}${key}`, value]));
}

export function unpackContext(inner: Wire): Wire {
  const entries = Object.entries(inner).filter(([key]) => key.startsWith(CONTEXT));
  return Object.fromEntries(entries.map(([key, value]) => [key.slice(CONTEXT.length), value]));
}

/** A request, read. */
export interface Request {
  readonly method: string;
  readonly args: Wire;
  readonly context: Wire;
  readonly namespace?: string;
  readonly version?: string;
  readonly uniqueId?: string;
  /** Where the answer to a call is wanted. */
  readonly reply?: {
    readonly queue: string;
    readonly messageId: string;
    /** Seconds without a sign of life after which the caller gives up; absent when it waits without. */
    readonly patience?: number;
  };
}

/** @throws MalformedError */
export function readRequest(inner: Wire): Request {
  const { method, args = {}, namespace, version, _unique_id: uniqueId, _msg_id: messageId, _reply_q: queue } = inner;
  if (typeof method !== 'string') throw new MalformedError('it names no method');
  if (!isRecord(args)) throw new MalformedError('its arguments are no object');
  const patience = inner['_timeout'];
  return {
    method,
    args,
    context: unpackContext(inner),
    ...(typeof namespace === 'string' && { namespace }),
    ...(typeof version === 'string' && { version }),
    ...(typeof uniqueId === 'string' && { uniqueId }),
    ...(typeof messageId === 'string' &&
      typeof queue === 'string' && {
        reply: { queue, messageId, ...(typeof patience === 'number' && patience > 0 && { patience }) },
      }),
  };
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
