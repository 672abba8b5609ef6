import { request } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { z } from 'zod';

/** Asks a controller for a certificate. */

/** The controller does not want this engine: it is asked again seldom. */
export class RefusedError extends Error {}

const Issued = z.object({ certificate: z.string(), now: z.number() });
export const Refusal = z.object({ code: z.string(), reason: z.string() });

/** Milliseconds. */
const PATIENCE = 10_000;
const MAX_ANSWER = 65_536;

/** @throws RefusedError with the controller's reason; Error when it gives none */
export async function post(socket: TLSSocket, path: string, body: object): Promise<z.infer<typeof Issued>> {
  try {
    const { status, text } = await exchange(socket, path, JSON.stringify(body));
    const issued = status === 200 ? readJson(text, Issued) : undefined;
    if (issued) return issued;
    const refusal = readJson(text, Refusal);
    if (refusal && refusal.code !== 'later') throw new RefusedError(`no certificate: ${refusal.reason}`);
    throw new Error(`no certificate: ${refusal?.reason ?? `the controller answers ${status}`}`);
  } finally {
    socket.destroy();
  }
}

function exchange(socket: TLSSocket, path: string, body: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const asked = request({ createConnection: () => socket, method: 'POST', path, headers, timeout: PATIENCE });
    asked.on('timeout', () => asked.destroy(new Error('the controller does not answer')));
    asked.on('error', reject);
    asked.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
        if (text.length > MAX_ANSWER) asked.destroy(new Error('the answer of the controller is too long'));
      });
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    asked.end(body);
  });
}

export function readJson<T>(text: string, schema: z.ZodType<T>): T | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
