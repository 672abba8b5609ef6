import type { Dispatcher } from 'undici';

/** An answer is longer than whoever asked can make use of. */
export class TooLongError extends Error {
  override readonly name = 'TooLongError';
  constructor(most: number) {
    super(`an answer of more than ${most} bytes`);
  }
}

/** The body of an answer. @throws TooLongError beyond `most` bytes, and what the connection throws */
export async function readBody(body: Dispatcher.ResponseData['body'], most: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    size += chunk.length;
    // Leaving the loop destroys the body, and with it the connection.
    if (size > most) throw new TooLongError(most);
  }
  return Buffer.concat(chunks);
}

/** The JSON of a body; undefined when it is empty or something else. */
export function parseJson(content: Buffer): unknown {
  try {
    return JSON.parse(content.toString('utf8'));
  } catch {
    return undefined;
  }
}

/** What went wrong with a connection. Errors of those to a name with several addresses have a code and no text. */
export function describeError(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  return [code, message].filter(Boolean).join(' ');
}
