import type { Socket } from 'node:net';

/** octavia-lib's framing, both ways: the length of the JSON in bytes as decimal text, a newline, the JSON. */

/** More than any status of thousands of members; what is longer is no request. */
export const MAX_REQUEST_BYTES = 64 * 1024 * 1024;
const MAX_DIGITS = 10;
const NEWLINE = 10;

/** What came is not octavia-lib's framing, or holds no JSON. */
export class FramingError extends Error {
  override readonly name = 'FramingError';
}

export function frame(value: unknown): Buffer {
  const json = Buffer.from(JSON.stringify(value));
  return Buffer.concat([Buffer.from(`${json.length}\n`), json]);
}

/**
 * Reads one request. What comes after it is not looked at.
 * @param timeout milliseconds for all of it
 * @throws FramingError for anything else than one request in time
 */
export function readFrame(socket: Socket, timeout: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let received = 0;
    let wanted: number | undefined;
    const late = setTimeout(() => finish(new FramingError('the request did not come in time')), timeout);

    const finish = (error?: Error, value?: unknown): void => {
      clearTimeout(late);
      socket.off('data', take).off('end', cut).off('error', cut);
      if (error) reject(error);
      else resolve(value);
    };
    const cut = (): void => finish(new FramingError('the connection ended within the request'));
    const take = (chunk: Buffer): void => {
      try {
        chunks.push(chunk);
        received += chunk.length;
        wanted ??= lengthOf(chunks);
        if (wanted !== undefined && received >= wanted) finish(undefined, parse(Buffer.concat(chunks, wanted)));
      } catch (error) {
        finish(error as Error);
      }
    };
    socket.on('data', take).on('end', cut).on('error', cut);
  });
}

/** Bytes of the whole frame; undefined while its first line is not complete. */
function lengthOf(chunks: Buffer[]): number | undefined {
  const head = Buffer.concat(chunks);
  chunks.splice(0, chunks.length, head);
  const end = head.indexOf(NEWLINE);
  const text = head.subarray(0, end === -1 ? head.length : end).toString('latin1');
  if (text.length > MAX_DIGITS || !/^\d*$/.test(text)) throw new FramingError('the request has no length');
  if (end === -1) return undefined;
  const size = text === '' ? Number.NaN : Number(text);
  if (!(size <= MAX_REQUEST_BYTES)) throw new FramingError(`the request is too long or has no length: ${text}`);
  return end + 1 + size;
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.subarray(bytes.indexOf(NEWLINE) + 1).toString('utf8'));
  } catch {
    throw new FramingError('the request is not JSON');
  }
}
