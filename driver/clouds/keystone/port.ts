import type { Identity } from '../../domain/identity';

/** What the API needs of Keystone. Twins: `memory.ts` (the embedded Keystone), `http.ts` (the real one). */
export interface TokenValidator {
  /**
   * The identity behind a token and until when it holds; undefined for a token that is unknown, expired or revoked.
   * @throws UnavailableError when Keystone cannot be asked
   */
  validate(token: string): Promise<ValidToken | undefined>;
}

export interface ValidToken {
  readonly identity: Identity;
  readonly expiresAt: Date;
}
