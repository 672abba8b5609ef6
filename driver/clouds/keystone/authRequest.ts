import { z } from 'zod';
import { KeystoneError } from './errors';

const reference = z.object({ id: z.string().optional(), name: z.string().optional() });
const scopedReference = reference.extend({ domain: reference.optional() });

const authRequest = z.object({
  auth: z.object({
    identity: z.object({
      methods: z.array(z.string()).min(1),
      password: z.object({ user: scopedReference.extend({ password: z.string() }) }).optional(),
      token: z.object({ id: z.string() }).optional(),
    }),
    scope: z
      .union([
        z.literal('unscoped'),
        z.object({
          project: scopedReference.optional(),
          domain: reference.optional(),
          system: z.object({ all: z.literal(true) }).optional(),
          unscoped: z.looseObject({}).optional(),
        }),
      ])
      .optional(),
  }),
});

/** The body of `POST /v3/auth/tokens`, checked. */
export type AuthRequest = z.infer<typeof authRequest>['auth'];
/** An object named by its id, or by its name together with its domain. */
export type ScopedReference = z.infer<typeof scopedReference>;
/** A domain named by id or name. */
export type Reference = z.infer<typeof reference>;

/** @throws KeystoneError 400 that names what is wrong with the body */
export function parseAuthRequest(body: unknown): AuthRequest {
  const parsed = authRequest.safeParse(body);
  if (parsed.success) return parsed.data.auth;

  const issue = parsed.error.issues[0];
  const where = issue?.path.join('.') ?? '';
  throw new KeystoneError(400, `Invalid input for field '${where}': ${issue?.message ?? 'malformed'}`);
}
