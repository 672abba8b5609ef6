import { UnavailableError } from '../../../domain/errors';

/** Keystone gives no answer, or one that tells of trouble there. */
export class Outage extends Error {
  override readonly name = 'Outage';
  constructor(
    message: string,
    /** Whether the same call may well succeed a moment later. */
    readonly isPassing: boolean,
  ) {
    super(message);
  }
}

/** What callers see of any trouble with Keystone; keystonemiddleware's text. The cause is for the log. */
export function unavailable(cause: unknown): UnavailableError {
  if (cause instanceof UnavailableError) return cause;
  // Logs show the causes that are errors.
  const error = cause instanceof Error ? cause : new Error(String(cause));
  return new UnavailableError('The Keystone service is temporarily unavailable.', { cause: error });
}
