/** A refusal in Keystone's form: `{"error": {"code", "title", "message"}}`. */
export class KeystoneError extends Error {
  constructor(
    readonly status: 400 | 401 | 403 | 404,
    message: string,
  ) {
    super(message);
  }

  /** The reason phrase Keystone puts beside the code. */
  get title(): string {
    return TITLES[this.status];
  }
}

const TITLES = { 400: 'Bad Request', 401: 'Unauthorized', 403: 'Forbidden', 404: 'Not Found' } as const;

/** Keystone's one text for every kind of failed login or bad token, so that nothing can be learnt from it. */
export const UNAUTHENTICATED = 'The request you have made requires authentication.';

/** 401. */
export function unauthorized(): KeystoneError {
  return new KeystoneError(401, UNAUTHENTICATED);
}

/** 403, with the policy rule that forbids. */
export function forbidden(rule: string): KeystoneError {
  return new KeystoneError(403, `You are not authorized to perform the requested action: ${rule}.`);
}

/** 404; `kind` in lower case, as in "project". */
export function notFound(kind: string, id: string): KeystoneError {
  return new KeystoneError(404, `Could not find ${kind}: ${id}.`);
}
