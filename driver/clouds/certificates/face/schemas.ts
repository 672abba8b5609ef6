import { z } from 'zod';
import { BarbicanError } from '../barbican/errors';
import type { NewAcl, NewContainer, NewSecret, Payload } from '../barbican/model';
import { parseReference } from '../reference';

/** Bytes of a payload; Barbican's own default is 20,000. */
export const MAX_PAYLOAD = 64 * 1024;

/** Media types that Barbican keeps payloads under. */
const CONTENT_TYPES = ['text/plain', 'application/octet-stream', 'application/pkcs8'];

const text = z.string().max(255).nullish();

const SecretBody = z.object({
  name: text,
  algorithm: text,
  mode: text,
  bit_length: z.number().int().min(0).nullish(),
  secret_type: z.enum(['symmetric', 'public', 'private', 'passphrase', 'certificate', 'opaque']).nullish(),
  expiration: z.string().nullish(),
  payload: z.string().nullish(),
  payload_content_type: z.string().max(255).nullish(),
  payload_content_encoding: z.enum(['base64']).nullish(),
});

const ContainerBody = z.object({
  name: text,
  type: z.enum(['generic', 'rsa', 'certificate']),
  secret_refs: z.array(z.object({ name: text, secret_ref: z.string() })).default([]),
});

const AclBody = z.object({
  read: z.object({ users: z.array(z.string().min(1).max(255)).optional(), 'project-access': z.boolean().optional() }),
});

const ConsumerBody = z.object({ name: z.string().min(1).max(255), URL: z.string().min(1).max(500) });

/** The secret that a POST describes. @throws BarbicanError 400, 413 */
export function parseSecret(body: unknown, now: Date): NewSecret {
  const given = parse(SecretBody, body, 'Secret');
  const expiration = given.expiration ? new Date(given.expiration) : null;
  if (expiration && !(expiration > now)) {
    throw invalid('Secret', "'expiration' is before current time or cannot be read");
  }
  return {
    name: given.name || null,
    secretType: given.secret_type ?? 'opaque',
    algorithm: given.algorithm ?? null,
    bitLength: given.bit_length ?? null,
    mode: given.mode ?? null,
    expiration: expiration?.toISOString() ?? null,
    payload: readPayload(given),
  };
}

function readPayload(given: z.infer<typeof SecretBody>): Payload | null {
  const { payload, payload_content_type: type, payload_content_encoding: encoding } = given;
  if (payload == null) {
    if (type) throw invalid('Secret', 'payload must be provided when payload_content_type is supplied.');
    return null;
  }
  if (!type) throw invalid('Secret', 'If payload is supplied, payload_content_type must also be supplied.');
  if (payload.trim() === '') throw invalid('Secret', "If 'payload' specified, must be non empty.");
  return makePayload(type, Buffer.from(payload, encoding ?? 'utf8'), encoding ?? null);
}

/**
 * A payload under its media type, as kept: parameters such as the character set are left out.
 * @throws BarbicanError 400, 413
 */
export function makePayload(type: string, content: Buffer, encoding: string | null): Payload {
  const contentType = type.split(';')[0]?.trim().toLowerCase() ?? '';
  if (!CONTENT_TYPES.includes(contentType)) {
    throw invalid('Secret', `payload_content_type is not one of ${CONTENT_TYPES.join(', ')}`);
  }
  if (contentType === 'text/plain' ? encoding !== null : encoding !== 'base64') {
    throw invalid('Secret', 'payload_content_encoding is not supported for that payload_content_type.');
  }
  if (content.length > MAX_PAYLOAD) throw new BarbicanError(413, 'Provided information too large to process');
  return { contentType, content };
}

/** The names of what a certificate container may hold. */
const CERTIFICATE_PARTS = ['certificate', 'private_key', 'private_key_passphrase', 'intermediates'];

/** The container that a POST describes. @throws BarbicanError 400 */
export function parseContainer(body: unknown): NewContainer {
  const { name, type, secret_refs: refs } = parse(ContainerBody, body, 'Container');
  const secretRefs = refs.map((ref) => ({ name: ref.name ?? '', secretId: readSecretId(ref.secret_ref) }));
  const names = secretRefs.map((ref) => ref.name);
  if (new Set(names).size < names.length) {
    throw invalid('Container', 'Duplicate reference names are not allowed');
  }
  if (type === 'certificate') {
    const stranger = names.find((it) => !CERTIFICATE_PARTS.includes(it));
    if (stranger !== undefined) throw invalid('Container', `'${stranger}' is not a name of a certificate container`);
  }
  return { name: name || null, type, secretRefs };
}

function readSecretId(ref: string): string {
  const reference = parseReference(ref);
  if (!reference || reference.kind === 'container') throw invalid('Container', `'${ref}' is not a secret`);
  return reference.id;
}

/** What PUT (everything anew) or PATCH (what is given, over `before`) makes of an access list. @throws BarbicanError 400 */
export function parseAcl(body: unknown, before: NewAcl): NewAcl {
  const { read } = parse(AclBody, body, 'ACL');
  return { users: read.users ?? before.users, projectAccess: read['project-access'] ?? before.projectAccess };
}

/** @throws BarbicanError 400 */
export function parseConsumer(body: unknown): { name: string; url: string } {
  const { name, URL: url } = parse(ConsumerBody, body, 'Consumer');
  return { name, url };
}

function parse<T>(schema: z.ZodType<T>, body: unknown, what: string): T {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw invalid(what, `${issue?.path.map((part) => `'${String(part)}'`).join(' ')} ${issue?.message}`.trim());
}

function invalid(what: string, reason: string): BarbicanError {
  return new BarbicanError(400, `Provided object does not match schema '${what}': ${reason}`);
}
