import type { Identity } from '../../domain/identity';

/** What the API needs of Keystone. Twins: `memory.ts` (the embedded Keystone), `http.ts` (the real one). */
export interface TokenValidator {
  /**
   * The identity behind a token and until when it holds; undefined for a token that is unknown, expired or revoked.
   * @throws UnavailableError when Keystone cannot be asked
   */
  validate(token: string, options?: ValidateOptions): Promise<ValidToken | undefined>;
}

export interface ValidateOptions {
  /** Take a token that has expired lately (Keystone's `allow_expired_window`) for one that holds. */
  readonly allowExpired?: boolean;
}

export interface ValidToken {
  readonly identity: Identity;
  /** In the past for an expired token that was asked for as such. */
  readonly expiresAt: Date;
}
